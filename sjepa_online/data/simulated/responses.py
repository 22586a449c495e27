"""How the simulated participant's brain answers stimulus markers.

A response starts :data:`RESPONSE_DELAY` after its marker at the earliest, so a marker that arrives
within that time is answered to the sample.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from sjepa_online.data.simulated.background import bump
from sjepa_online.data.simulated.head import AREAS
from sjepa_online.data.simulated.traits import Traits
from sjepa_online.errors import InputError
from sjepa_online.markers import CUE, FLASH, TARGET, TRIAL, StimulusMarker
from sjepa_online.protocol import Protocol

Floats = NDArray[np.float64]

#: Seconds after a marker in which nothing changes in the EEG.
RESPONSE_DELAY = 0.08

#: Electrodes over the areas that imagery works on, and by how much. Below 0: a surrounding area
#: whose rhythm grows (Pfurtscheller and Lopes da Silva 1999, Clin. Neurophysiol. 110).
IMAGERY: Mapping[str, Mapping[str, float]] = {
    "left_hand": {"C4": 1.0, "C3": 0.35},
    "right_hand": {"C3": 1.0, "C4": 0.35},
    "hands": {"C3": 0.9, "C4": 0.9},
    "feet": {"Cz": 1.0, "C3": -0.25, "C4": -0.25},
    "tongue": {"C5": 1.0, "C6": 1.0, "Cz": -0.2},
    "rest": {},
}
# areas of a steady-state response: amplitude and lag (s)
_FLICKER_AREAS = {"Oz": (1.0, 0.0), "O1": (0.5, 0.004), "O2": (0.5, 0.006)}
_FLICKER_RAMP = 0.25
_IMAGERY_RAMP = 0.6
_REBOUND = (1.0, 1.5)  # s after the end of imagery, and its length


class _Stretch(NamedTuple):
    """A time in which the participant does something, and how strongly."""

    target: str
    start: float
    strength: float
    stop: float = np.inf


class Responses(ABC):
    """The answers to the markers of a protocol; by default none."""

    def __init__(self, protocol: Protocol, random: np.random.Generator) -> None:
        self._protocol = protocol
        self._random = random
        self._cue = ""

    def push_marker(self, marker: StimulusMarker, time: float) -> None:
        """Take a marker.

        Parameters
        ----------
        marker : StimulusMarker
        time : float
            s after the first sample.
        """
        if marker.word == CUE:
            self._cue = marker.about
        self._answer(marker, time)

    def evoked(self, times: Floats) -> Floats:
        """Return the signal that each area adds to its rhythms.

        Parameters
        ----------
        times : ndarray, shape (n_times,)
            s after the first sample.

        Returns
        -------
        signal : ndarray, shape (len(AREAS), n_times)
            µV.
        """
        return np.zeros((len(AREAS), len(times)))

    def gains(self, times: Floats) -> tuple[Floats, Floats]:
        """Return the factors by which the mu and the beta rhythm of each area are scaled.

        Parameters
        ----------
        times : ndarray, shape (n_times,)
            s after the first sample.

        Returns
        -------
        mu, beta : ndarray, shape (len(AREAS), n_times)
        """
        ones = np.ones((len(AREAS), len(times)))
        return ones, ones

    @abstractmethod
    def _answer(self, marker: StimulusMarker, time: float) -> None:
        """Begin or end what the marker says."""

    def _attended(self, marker: StimulusMarker) -> str | None:
        """Return the class that a marker begins; after ``trial`` that of the last cue."""
        return self._protocol.class_of(self._cue if marker.word == TRIAL else marker.word)


class _Engaging(Responses):
    """What lasts from a class's marker to the next marker."""

    _AFTERGLOW: float

    def __init__(self, protocol: Protocol, traits: Traits, random: np.random.Generator) -> None:
        super().__init__(protocol, random)
        self._traits = traits
        self._stretches: list[_Stretch] = []

    def _answer(self, marker: StimulusMarker, time: float) -> None:
        self._stretches = [
            stretch._replace(stop=min(stretch.stop, max(time, stretch.start)))
            for stretch in self._stretches
        ]
        target = self._attended(marker)
        if target is not None:
            attends = self._random.random() < self._traits.attention
            strength = self._random.lognormal(0.0, 0.25) * attends
            self._stretches.append(_Stretch(target, time, strength))

    def _forget(self, now: float) -> None:
        self._stretches = [
            stretch for stretch in self._stretches if stretch.stop + self._AFTERGLOW > now
        ]


class FlickerResponses(_Engaging):
    """Steady-state visual evoked potentials, locked to the phase of the attended flicker."""

    _AFTERGLOW = 1.0

    def __init__(self, protocol: Protocol, traits: Traits, random: np.random.Generator) -> None:
        super().__init__(protocol, traits, random)
        self._frequencies = {spec.name: spec.frequency for spec in protocol.classes}

    def evoked(self, times: Floats) -> Floats:
        """Return the responses of the visual areas. See :meth:`Responses.evoked`."""
        evoked = super().evoked(times)
        self._forget(times[0])
        for target, start, strength, stop in self._stretches:
            frequency = self._frequencies[target]
            if frequency is None:
                continue
            since = times - start - self._traits.ssvep_latency
            size = strength * _between(since, stop - start, _FLICKER_RAMP)
            for area, (share, lag) in _FLICKER_AREAS.items():
                wave = self._wave(frequency, since - lag)
                evoked[_ROWS[area]] += share * size * wave
        return evoked

    def _wave(self, frequency: float, seconds: Floats) -> Floats:
        wave = np.zeros(len(seconds))
        for order, share in enumerate((1.0, *self._traits.ssvep_harmonics), start=1):
            wave += share * np.cos(2 * np.pi * order * frequency * seconds)
        return self._traits.ssvep_amplitude * wave


class ImageryResponses(_Engaging):
    """Mu and beta rhythms that fall during imagery, and beta that rebounds after it."""

    _AFTERGLOW = _REBOUND[0] + _REBOUND[1]

    def __init__(self, protocol: Protocol, traits: Traits, random: np.random.Generator) -> None:
        unknown = [name for name in protocol.class_names if name not in IMAGERY]
        if unknown:
            raise InputError(
                "The simulated participant does not know the area of an imagined movement",
                value=f"{', '.join(unknown)} in the protocol {protocol.name}",
                remedy=f"Name the classes {', '.join(IMAGERY)}, with your names as aliases.",
            )
        super().__init__(protocol, traits, random)

    def gains(self, times: Floats) -> tuple[Floats, Floats]:
        """Return the factors of the mu and of the beta rhythm. See :meth:`Responses.gains`."""
        mu, beta = (gain.copy() for gain in super().gains(times))
        self._forget(times[0])
        for target, start, strength, stop in self._stretches:
            length = stop - start
            engaged = _between(times - start - self._traits.imagery_latency, length, _IMAGERY_RAMP)
            rebound = bump(times, stop + _REBOUND[0], _REBOUND[1]) if np.isfinite(stop) else 0.0
            for area, share in IMAGERY[target].items():
                row = _ROWS[area]
                mu[row] *= _lowered(self._traits.mu_depth * strength * share * engaged)
                beta[row] *= _lowered(self._traits.beta_depth * strength * share * engaged)
                beta[row] *= 1.0 + self._traits.rebound * max(share, 0.0) * strength * rebound
        return mu, beta


@dataclass(frozen=True, slots=True)
class Component:
    """A peak of the answer to a flash.

    Attributes
    ----------
    areas : mapping of str to float
        Where, and its shares of the amplitude.
    amplitude : float
        µV.
    unattended : float
        Share of it that a flash without the attended symbol evokes.
    latency, width, jitter : float
        Of the peak (s); the jitter is its standard deviation from flash to flash.
    """

    areas: Mapping[str, float]
    amplitude: float
    unattended: float
    latency: float
    width: float
    jitter: float = 0.0


def flash_components(traits: Traits) -> tuple[Component, ...]:
    """Return the peaks of a participant's response to a flash: P1, N1, N200 and P300.

    Parameters
    ----------
    traits : Traits

    Returns
    -------
    components : tuple of Component
    """
    lateral = {"PO7": 1.0, "PO8": 1.0}
    return (
        Component({**lateral, "Oz": 0.5}, traits.p1, 0.8, 0.11, 0.06),
        Component(lateral, -traits.n1, 0.6, 0.17, 0.10),
        Component({**lateral, "Cz": 0.8}, -traits.n200, 0.0, 0.24, 0.14, 0.01),
        Component(
            {"Pz": 0.6, "CPz": 0.5}, traits.p300, 0.0, traits.p300_latency, 0.30, traits.p300_jitter
        ),
    )


class FlashResponses(Responses):
    """Event-related potentials: early visual peaks for each flash, N200 and P300 for targets."""

    def __init__(self, protocol: Protocol, traits: Traits, random: np.random.Generator) -> None:
        super().__init__(protocol, random)
        self._traits = traits
        self._components = flash_components(traits)
        self._peaks: list[tuple[Component, float, float]] = []  # with time and amplitude

    def evoked(self, times: Floats) -> Floats:
        """Return the responses of the areas to flashes. See :meth:`Responses.evoked`."""
        evoked = super().evoked(times)
        self._peaks = [peak for peak in self._peaks if peak[1] + peak[0].width / 2 > times[0]]
        for component, time, amplitude in self._peaks:
            shape = amplitude * bump(times, time, component.width)
            for area, share in component.areas.items():
                evoked[_ROWS[area]] += share * shape
        return evoked

    def _answer(self, marker: StimulusMarker, time: float) -> None:
        target = self._is_target(marker)
        if target is None:
            return
        attends = target and self._random.random() < self._traits.attention
        for component in self._components:
            latency = component.latency + component.jitter * self._random.standard_normal()
            latency = max(latency, RESPONSE_DELAY + component.width / 2)
            size = component.amplitude * self._random.lognormal(0.0, 0.3)
            share = 1.0 if attends else component.unattended
            self._peaks.append((component, time + latency, size * share))

    def _is_target(self, marker: StimulusMarker) -> bool | None:
        """Tell whether a flash holds the attended symbol; None for markers of no flash."""
        if marker.word == FLASH:
            speller = self._protocol.speller
            lit = marker.about if speller is None else speller.lit(marker.about)
            return self._cue != "" and self._cue in lit
        flashed = self._protocol.class_of(marker.word)
        return None if flashed is None else flashed == TARGET


def make_responses(protocol: Protocol, traits: Traits, random: np.random.Generator) -> Responses:
    """Make the responses that suit a protocol's paradigm.

    Parameters
    ----------
    protocol : Protocol
    traits : Traits
    random : numpy.random.Generator

    Returns
    -------
    responses : Responses

    Raises
    ------
    InputError
        A class of imagery is not among :data:`IMAGERY`.
    """
    kinds = {"ssvep": FlickerResponses, "mi": ImageryResponses, "erp": FlashResponses}
    return kinds[protocol.paradigm](protocol, traits, random)


_ROWS = {area: row for row, area in enumerate(AREAS)}


def _between(since: Floats, length: float, ramp: float) -> Floats:
    """Give 1 between 0 and ``length`` (s), with smooth flanks of ``ramp`` s after both."""
    rising, falling = (np.clip(part / ramp, 0.0, 1.0) for part in (since, since - length))
    envelope: Floats = np.sin(np.pi / 2 * rising) ** 2 * np.cos(np.pi / 2 * falling) ** 2
    return envelope


def _lowered(depth: Floats) -> Floats:
    """Return the factor of an amplitude that falls by a share, at most to a twentieth."""
    return np.maximum(1.0 - depth, 0.05)
