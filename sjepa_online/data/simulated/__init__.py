"""The simulated participant: EEG of a spherical head that answers stimulus markers.

Nothing in it was recorded from a person; whatever shows its signal says so.
"""

from sjepa_online.data.simulated.channels import simulated_channels
from sjepa_online.data.simulated.participant import (
    N_CHANNELS,
    SFREQ,
    SimulatedParticipant,
    simulate_recording,
    simulate_session,
)
from sjepa_online.data.simulated.responses import RESPONSE_DELAY

__all__ = [
    "N_CHANNELS",
    "RESPONSE_DELAY",
    "SFREQ",
    "SimulatedParticipant",
    "simulate_recording",
    "simulate_session",
    "simulated_channels",
]
