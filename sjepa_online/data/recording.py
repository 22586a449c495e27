"""A recording in memory: the form in which every SOURCE arrives."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from sjepa_online.errors import InputError
from sjepa_online.signal.montage import resolve_channel_names
from sjepa_online.validation import LIMIT_SFREQ, check_names, check_times


class Rejected(NamedTuple):
    """A segment that is marked as bad: its begin and end (s after the first sample), and why."""

    start: float
    stop: float
    label: str


@dataclass(frozen=True, eq=False)
class Recording:
    """Continuous EEG of one run, with its events.

    Parameters
    ----------
    name : str
        What the user knows the recording by: its path, or its place in a data set.
    data : array, shape (n_channels, n_samples), float32
        EEG in ``unit``. May hold NaN: the preprocessor sanitises.
    unit : str
        Unit of ``data``; the readers give ``"uV"``.
    sfreq : float
        Sampling rate (Hz).
    ch_names : tuple of str, length n_channels
        Electrode names as the recording writes them.
    onsets : array, shape (n_events,)
        Onsets (s) after the first sample, in ascending order.
    labels : tuple of str, length n_events
        What each event is called.
    breaks : array, shape (n_breaks,)
        Times (s) after the first sample at which samples are missing or parts were joined;
        no window may span one.
    bad : tuple of str
        Channels that the recording itself marks as bad.
    subject, session, run : str
        Where the recording belongs; empty when unknown.
    simulated : bool
        True when no person was recorded.
    parts : tuple of str
        Files that hold the rest of a recording which is split over several.
    rejected : tuple of Rejected
        Segments that the recording marks as bad; no trial is taken from one.
    notes : tuple of str
        What was left out or read in another way than declared, for people.
    declared_unit : str
        The unit in which the recording says its values are; empty where it is ``unit``.

    Raises
    ------
    InputError
        The recording is empty, a name appears twice, or the parts do not fit together.
    """

    name: str
    data: npt.NDArray[np.float32]
    unit: str
    sfreq: float
    ch_names: tuple[str, ...]
    onsets: npt.NDArray[np.float64]
    labels: tuple[str, ...]
    breaks: npt.NDArray[np.float64]
    bad: tuple[str, ...] = ()
    subject: str = ""
    session: str = ""
    run: str = ""
    simulated: bool = False
    parts: tuple[str, ...] = ()
    rejected: tuple[Rejected, ...] = ()
    notes: tuple[str, ...] = ()
    declared_unit: str = ""

    def __post_init__(self) -> None:
        """Refuse what nothing behind a recording could use."""
        if self.data.ndim != 2 or 0 in self.data.shape:
            raise InputError(
                f"The recording holds no EEG ({self.name})",
                value=f"data of shape {self.data.shape}",
                remedy="Choose a recording that is not empty.",
            )
        if len(self.ch_names) != len(self.data) or len(set(self.ch_names)) != len(self.data):
            raise InputError(
                f"The channels of the recording do not each have a name of their own ({self.name})",
                value=f"{len(self.data)} channels named {', '.join(self.ch_names)}",
                remedy='Rename them: --channels "Fp1,Fp2,...".',
            )
        if not 1.0 <= self.sfreq <= LIMIT_SFREQ:
            raise InputError(
                f"The recording has no sampling rate of an amplifier ({self.name})",
                value=f"{self.sfreq:g} Hz",
                remedy=f"Correct the rate in the file's header: 1 to {LIMIT_SFREQ:g} Hz.",
            )
        check_names("ch_names", self.ch_names)
        check_names("bad", self.bad)
        check_times(self.onsets, len(self.onsets), "onsets")
        if len(self.onsets) != len(self.labels):
            raise InputError(
                f"The events of the recording lack onsets or labels ({self.name})",
                value=f"{len(self.onsets)} onsets and {len(self.labels)} labels",
                remedy="Give both for every event.",
            )

    @property
    def files(self) -> tuple[str, ...]:
        """Names of all that was read for this recording: no other one may hold any of it."""
        return (self.name, *self.parts)

    @property
    def duration(self) -> float:
        """Length of the recording (s)."""
        n_samples: int = self.data.shape[1]
        return n_samples / self.sfreq

    @property
    def segments(self) -> tuple[tuple[int, int], ...]:
        """First sample, and the one after the last, of each stretch without a break."""
        n_samples = self.data.shape[1]
        cuts = {round(float(time) * self.sfreq) for time in self.breaks}
        bounds = [0, *sorted(cut for cut in cuts if 0 < cut < n_samples), n_samples]
        return tuple(pairwise(bounds))

    def channels(self, ch_names: Sequence[str]) -> npt.NDArray[np.float32]:
        """Return the data of these channels, in this order, shape (len(ch_names), n_samples).

        Parameters
        ----------
        ch_names : sequence of str
            Electrodes in any usual spelling.

        Returns
        -------
        ndarray of float32, shape (len(ch_names), n_samples)
            In the recording's unit.

        Raises
        ------
        InputError
            The recording lacks some of them; the message names them.
        """
        places = {electrode(name): place for place, name in enumerate(self.ch_names)}
        missing = [name for name in ch_names if electrode(name) not in places]
        if missing:
            raise InputError(
                f"The recording lacks channels that are needed ({self.name})",
                value=f"missing {', '.join(missing)}; there are {', '.join(self.ch_names)}",
                remedy="Use recordings of the same montage.",
            )
        return self.data[[places[electrode(name)] for name in ch_names]]


@lru_cache(maxsize=1000)
def electrode(name: str) -> str:
    """Return the 10-05 name of an electrode in any usual spelling; other names as they are.

    Parameters
    ----------
    name : str
        Such as ``FP1``, ``EEG Fp1-Ref`` or ``Fp1.``.

    Returns
    -------
    str
        Here ``Fp1``; of an old name, such as ``T3``, the new one, ``T7``.
    """
    try:
        return resolve_channel_names([name])[0]
    except InputError:
        return name
