"""The simulated participant: EEG of a spherical head that answers stimulus markers.

Nothing in it was recorded from a person; whatever shows its signal says so.
"""

from sjepa_online.data.simulated.channels import simulated_channels
from sjepa_online.data.simulated.participant import SimulatedParticipant, simulate_recording
from sjepa_online.data.simulated.responses import RESPONSE_DELAY

__all__ = ["RESPONSE_DELAY", "SimulatedParticipant", "simulate_recording", "simulated_channels"]
