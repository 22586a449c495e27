"""A participant that exists in numbers only, for sessions without an amplifier."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from sjepa_online.data.recording import Recording
from sjepa_online.data.simulated.background import (
    Blinks,
    FilteredNoise,
    mains_hum,
    pink_filter,
    rhythm_filter,
    slow_filter,
)
from sjepa_online.data.simulated.channels import simulated_channels
from sjepa_online.data.simulated.head import AREAS, N_BACKGROUND, head_model
from sjepa_online.data.simulated.responses import RESPONSE_DELAY, make_responses
from sjepa_online.data.simulated.traits import Traits
from sjepa_online.errors import InputError
from sjepa_online.markers import StimulusMarker, parse_marker
from sjepa_online.protocol import Protocol
from sjepa_online.schedule import ScheduledTrial, make_schedule

Floats = NDArray[np.float64]

#: Seconds that a simulated recording holds before its first and after its last trial.
MARGIN = 3.0

#: Electrodes and sampling rate (Hz) of a simulated session.
N_CHANNELS = 16
SFREQ = 250.0

_LOWEST_SFREQ = 100.0

# amplitude of the occipital and of the sensorimotor rhythms in each area
_ALPHA = {"Oz": 0.6, "O1": 0.6, "O2": 0.6, "PO7": 0.4, "PO8": 0.4, "POz": 0.5, "Pz": 0.3}
_MU = {"C3": 1.0, "C4": 1.0, "Cz": 0.6, "C5": 0.5, "C6": 0.5}


class SimulatedParticipant:
    """EEG of a spherical head that answers stimulus markers.

    The signal is the same for the same arguments and markers, however it is cut into chunks,
    provided that every marker is pushed in time.

    Parameters
    ----------
    protocol : Protocol
        What the participant is shown.
    ch_names : sequence of str
        Electrodes of the 10-05 system.
    sfreq : float
        Sampling rate (Hz).
    seed : int
        Which participant: amplitudes, frequencies and latencies.
    session : int
        Which session of that participant: everything else that is drawn.
    mains : float
        Frequency of the mains (Hz): 50 or 60.

    Attributes
    ----------
    traits : Traits
    ch_names : tuple of str
    n_generated : int
        Samples generated so far.
    response_delay : float
        How late (s) a marker may be pushed without a difference.

    Raises
    ------
    InputError
        An electrode is unknown, the rate is below 100 Hz, or the participant does not know
        what a class of imagery is.
    """

    def __init__(
        self,
        protocol: Protocol,
        ch_names: Sequence[str],
        sfreq: float,
        seed: int,
        *,
        session: int = 1,
        mains: float = 50.0,
    ) -> None:
        if not (np.isfinite(sfreq) and sfreq >= _LOWEST_SFREQ):
            raise InputError(
                f"The rate is too low for a simulated participant: below {_LOWEST_SFREQ:g} Hz",
                value=sfreq,
                remedy="Choose a rate of an amplifier, such as 250.",
            )
        self.ch_names = tuple(ch_names)
        self.sfreq = sfreq
        self.seed = seed
        self.session = session
        self.traits = Traits.draw(seed)
        self.n_generated = 0
        self.response_delay = RESPONSE_DELAY
        self._mains = mains
        self._head = head_model(self.ch_names)
        streams = np.random.SeedSequence([seed, 1, session]).spawn(9)
        randoms = [np.random.default_rng(stream) for stream in streams]
        self._responses = make_responses(protocol, self.traits, randoms[0])
        self._make_background(randoms[1:])

    def push_marker(self, marker: StimulusMarker | str, time: float) -> None:
        """Show the participant something.

        Parameters
        ----------
        marker : StimulusMarker or str
            What is shown; the participant answers markers of practice, too.
        time : float
            When it became visible (s after the first sample).
        """
        parsed = parse_marker(marker) if isinstance(marker, str) else marker
        self._responses.push_marker(parsed, time)

    def generate(self, n: int) -> NDArray[np.float32]:
        """Return the next samples.

        Parameters
        ----------
        n : int

        Returns
        -------
        signal : ndarray, shape (n_channels, n)
            µV against infinity.
        """
        if n == 0:
            return np.zeros((len(self.ch_names), 0), dtype=np.float32)
        times = (self.n_generated + np.arange(n)) / self.sfreq
        self.n_generated += n
        signal = self._head.background @ self._pink.generate(n)
        signal += self._head.areas @ self._area_activity(times)
        signal += np.outer(self._head.eyes, self._blinks.generate(times))
        signal += self._drift_size[:, np.newaxis] * self._drift.generate(n)
        signal += self._electrode_size[:, np.newaxis] * self._electrodes.generate(n)
        signal += np.outer(self._hum_size, mains_hum(times, self._mains, self.sfreq, (0.2, 0.3)))
        return signal.astype(np.float32)

    def _area_activity(self, times: Floats) -> Floats:
        """Give rhythms and responses, shape (len(AREAS), n_times), in µV."""
        traits, n = self.traits, len(times)
        waxing = np.exp(0.35 * self._waxing.generate(n))
        mu_gain, beta_gain = self._responses.gains(times)
        activity = self._responses.evoked(times)
        activity += traits.alpha_amplitude * _column(_ALPHA) * waxing[0] * self._alpha.generate(n)
        activity += traits.mu_amplitude * _column(_MU) * waxing[1] * mu_gain * self._mu.generate(n)
        activity += traits.beta_amplitude * _column(_MU) * beta_gain * self._beta.generate(n)
        return activity

    def _make_background(self, randoms: Sequence[np.random.Generator]) -> None:
        traits, sfreq, n_channels = self.traits, self.sfreq, len(self.ch_names)
        sizes, *others = randoms
        pink = pink_filter(sfreq, traits.background_exponent, traits.background_density)
        self._pink = FilteredNoise(pink, N_BACKGROUND, others[0])
        self._alpha = self._rhythm(traits.alpha_frequency, 1.5, others[1])
        self._mu = self._rhythm(traits.mu_frequency, 2.0, others[2])
        self._beta = self._rhythm(2 * traits.mu_frequency, 4.0, others[3])
        self._waxing = FilteredNoise(slow_filter(sfreq, 4.0), 2, others[4])
        self._blinks = Blinks(traits.blink_rate, traits.blink_amplitude, others[5])
        channels = others[6].spawn(2)
        self._drift = FilteredNoise(slow_filter(sfreq, 20.0), n_channels, channels[0])
        white = np.array([[np.sqrt(sfreq / 2), 0.0, 0.0, 1.0, 0.0, 0.0]])
        self._electrodes = FilteredNoise(white, n_channels, channels[1])
        # µV, µV per root Hz, µV
        self._drift_size = sizes.lognormal(np.log(15.0), 0.5, n_channels)
        self._electrode_size = sizes.lognormal(np.log(0.15), 0.3, n_channels)
        self._hum_size = sizes.lognormal(np.log(1.5), 0.4, n_channels)

    def _rhythm(
        self, frequency: float, bandwidth: float, random: np.random.Generator
    ) -> FilteredNoise:
        return FilteredNoise(rhythm_filter(self.sfreq, frequency, bandwidth), len(AREAS), random)


def simulate_session(protocol: Protocol, seed: int, session: int, name: str) -> Recording:
    """Run a protocol's whole session without a clock, with 16 electrodes at 250 Hz.

    Parameters
    ----------
    protocol : Protocol
    seed, session : int
        Which participant, and which session of that participant.
    name : str
        Name of the recording.

    Returns
    -------
    recording : Recording

    Raises
    ------
    InputError
        The protocol does not say what a session shows, or the participant does not know what
        a class of imagery is.
    """
    schedule = make_schedule(protocol, session)
    ch_names = simulated_channels(protocol.paradigm, N_CHANNELS)
    participant = SimulatedParticipant(protocol, ch_names, SFREQ, seed, session=session)
    return simulate_recording(participant, schedule, name)


def simulate_recording(
    participant: SimulatedParticipant, schedule: Sequence[ScheduledTrial], name: str = "simulated"
) -> Recording:
    """Show trials to a participant without a clock.

    Parameters
    ----------
    participant : SimulatedParticipant
        One that has generated nothing yet.
    schedule : sequence of ScheduledTrial
        From :func:`~sjepa_online.schedule.make_schedule`.
    name : str
        Name of the recording.

    Returns
    -------
    Recording
        In µV, marked as simulated, with all markers as events.
    """
    time = MARGIN
    chunks, onsets, labels = [], [], []
    for phase in (phase for trial in schedule for phase in trial.phases):
        if phase.marker:
            chunks.append(_until(participant, time))
            participant.push_marker(phase.marker, time)
            onsets.append(time)
            labels.append(phase.marker)
        time += phase.duration
    chunks.append(_until(participant, time + MARGIN))
    return Recording(
        name=name,
        data=np.concatenate(chunks, axis=1),
        unit="uV",
        sfreq=participant.sfreq,
        ch_names=participant.ch_names,
        onsets=np.array(onsets),
        labels=tuple(labels),
        breaks=np.empty(0),
        subject=str(participant.seed),
        session=str(participant.session),
        simulated=True,
    )


def _until(participant: SimulatedParticipant, time: float) -> NDArray[np.float32]:
    return participant.generate(round(time * participant.sfreq) - participant.n_generated)


def _column(sizes: dict[str, float]) -> Floats:
    return np.array([[sizes.get(area, 0.0)] for area in AREAS])
