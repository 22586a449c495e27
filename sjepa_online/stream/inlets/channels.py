"""Of the samples of a stream the channels that are used, at a rate that is."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sjepa_online.amplifier import (
    AmplifierProfile,
    CodeReader,
    ImpedanceReader,
    PickedChannels,
    pick_channels,
)
from sjepa_online.errors import InputError
from sjepa_online.signal.decimator import HIGHEST_SFREQ, Decimator, decimation_factor
from sjepa_online.signal.units import microvolt_factor, normalise_unit
from sjepa_online.stream.discovery import StreamDescription
from sjepa_online.stream.events import ClockJump, Gap, StreamEvent
from sjepa_online.stream.inlets.markers import Marker


class ChannelReader:
    """Take the electrodes of a stream, their impedances, and the codes of its trigger channel.

    Parameters
    ----------
    stream : StreamDescription
    amplifier : AmplifierProfile or None
        None for all channels as they are declared.
    ch_names : sequence of str or None
        Without ``amplifier``: channel names, when the stream does not give them.
    unit : str or None
        Without ``amplifier``: unit of all channels, when the stream does not give it.

    Attributes
    ----------
    ch_names, units : tuple of str
        Of the channels that are used; ``units`` is empty where the stream says none.
    picked : PickedChannels or None
        None without ``amplifier``.
    impedances : ImpedanceReader

    Raises
    ------
    InputError
        The electrodes cannot be told; see :func:`~sjepa_online.amplifier.pick_channels`. Or the
        rate is too high.
    """

    def __init__(
        self,
        stream: StreamDescription,
        amplifier: AmplifierProfile | None,
        ch_names: Sequence[str] | None,
        unit: str | None,
    ) -> None:
        self._amplifier = amplifier
        self.picked: PickedChannels | None = None
        self.ch_names: tuple[str, ...]
        self.units: tuple[str, ...]
        if amplifier is None:
            self.ch_names = _channel_names(stream, ch_names)
            self.units = _channel_units(stream, unit)
        else:
            self.picked = pick_channels(stream.declaration, amplifier)
            self.ch_names = self.picked.ch_names
            self.units = (self.picked.unit,) * len(self.ch_names)
        self.impedances = ImpedanceReader(stream.declaration)
        decimation_factor(stream.sfreq or 1.0)
        self._codes = CodeReader(None if amplifier is None else amplifier.idle)
        self._decimator: Decimator | None = None

    @property
    def has_codes(self) -> bool:
        """Whether the stream has a channel of codes."""
        return self.picked is not None and self.picked.trigger is not None

    def begin(self, sfreq: float) -> float:
        """Learn the rate of the stream.

        Parameters
        ----------
        sfreq : float
            Hz.

        Returns
        -------
        sfreq : float
            The rate (Hz) of what :meth:`read` gives.
        """
        if sfreq > HIGHEST_SFREQ:
            self._decimator = Decimator(len(self.ch_names), sfreq)
        return sfreq if self._decimator is None else self._decimator.sfreq

    def read(
        self, samples: NDArray[Any], times: NDArray[np.float64], events: Sequence[StreamEvent]
    ) -> tuple[NDArray[np.float64], NDArray[np.float64], tuple[StreamEvent, ...]]:
        """Take the channels that are used.

        Parameters
        ----------
        samples : array, shape (n, n_channels)
            As they came.
        times : array, shape (n,)
        events : sequence of StreamEvent

        Returns
        -------
        data : array, shape (n_used, n_kept)
        times : array, shape (n_kept,)
        events : tuple of StreamEvent
            With their places among the samples that are kept.
        """
        if self.picked is None:
            data = np.ascontiguousarray(samples.T, dtype=np.float64)
        else:
            data = self.picked.take(samples)
        if self._decimator is None:
            return data, times, tuple(events)
        if any(isinstance(event, Gap | ClockJump) for event in events):
            self._decimator.reset()
        data, kept = self._decimator.update(data)
        return data, times[kept], tuple(_moved(event, kept) for event in events)

    def markers(self, samples: NDArray[Any], times: NDArray[np.float64]) -> tuple[Marker, ...]:
        """Return the codes that begin in these samples.

        Parameters
        ----------
        samples : array, shape (n, n_channels)
        times : array, shape (n,)

        Returns
        -------
        markers : tuple of Marker
        """
        if self.picked is None or self.picked.trigger is None:
            return ()
        places, codes = self._codes.update(np.asarray(samples[:, self.picked.trigger], float))
        return tuple(
            Marker(code, float(times[place])) for place, code in zip(places, codes, strict=True)
        )

    def pick_again(self, again: StreamDescription) -> str:
        """Take the same electrodes by their new places and units.

        Parameters
        ----------
        again : StreamDescription
            What the stream declares now.

        Returns
        -------
        problem : str
            Why that cannot be, for people; empty where it can.
        """
        if self.picked is None or self._amplifier is None:
            return "its labels or units differ"
        self.impedances = ImpedanceReader(again.declaration)
        try:
            new = pick_channels(again.declaration, self._amplifier)
        except InputError as error:
            return str(error)
        absent = [name for name in self.ch_names if name not in new.ch_names]
        if absent:
            return f"it lacks {', '.join(absent)}"
        order = [new.ch_names.index(name) for name in self.ch_names]
        factors = new.microvolts[order] / microvolt_factor(self.picked.unit)
        self.picked = replace(
            self.picked,
            rows=new.rows[order],
            scales=None if np.all(factors == 1) else factors[:, np.newaxis],
            trigger=new.trigger,
        )
        return ""

    def unit_of(self, ch_names: Sequence[str] | None, name: str) -> str:
        """Give the unit of some channels, or of all.

        Parameters
        ----------
        ch_names : sequence of str or None
        name : str
            Of the stream, for messages.

        Returns
        -------
        {"V", "mV", "uV", "nV"}

        Raises
        ------
        InputError
            See :meth:`SignalInlet.unit_of`.
        """
        wanted = self.ch_names if ch_names is None else tuple(ch_names)
        absent = [one for one in wanted if one not in self.ch_names]
        if absent:
            raise InputError(
                f"The stream {name} lacks channels that are needed",
                value=f"missing {', '.join(absent)}; there are {', '.join(self.ch_names)}",
                remedy="Connect these electrodes, or use a decoder for the channels at hand.",
            )
        if not self.units:
            raise InputError(
                f"The stream {name} declares no unit",
                value="no unit in the stream's description",
                remedy="Say which it is: --unit uV (or V, mV, nV).",
            )
        units = {normalise_unit(self.units[self.ch_names.index(one)]) for one in wanted}
        if len(units) > 1:
            raise InputError(
                f"The EEG channels of {name} have different units",
                value=", ".join(sorted(units)),
                remedy="Choose the EEG channels only, or correct the units at the source.",
            )
        return units.pop()


def _moved(event: StreamEvent, kept: NDArray[np.intp]) -> StreamEvent:
    """Return an event with its place among the samples that are kept."""
    if isinstance(event, Gap | ClockJump):
        return replace(event, index=int(np.searchsorted(kept, event.index)))
    return event


def _channel_names(stream: StreamDescription, given: Sequence[str] | None) -> tuple[str, ...]:
    if given is None:
        labels = stream.ch_names or ("",) * stream.n_channels
        return tuple(
            label if label and labels.count(label) == 1 else f"channel {number}"
            for number, label in enumerate(labels, start=1)
        )
    names = tuple(given)
    if len(names) != stream.n_channels or len(set(names)) != len(names):
        raise InputError(
            f"The names that are given do not suit the channels of {stream.name}",
            value=f"{stream.n_channels} channels, and the names {', '.join(names)}",
            remedy="Give each channel a name of its own.",
        )
    return names


def _channel_units(stream: StreamDescription, given: str | None) -> tuple[str, ...]:
    if given is None:
        return stream.units
    return (normalise_unit(given),) * stream.n_channels
