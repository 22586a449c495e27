"""Electrode names of amplifiers and files, and their positions in MNE's 10-05 system."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from sjepa_online.errors import InputError

#: Montage of MNE with the positions of the 10-05 system on Colin27's head; releases
#: before 1.13 called the same positions ``standard_1005``.
MNE_MONTAGE = "colin27_1005"

_OLD_NAMES = {"T3": "T7", "T4": "T8", "T5": "P7", "T6": "P8"}
_EARS_AND_MASTOIDS = ("A1", "A2", "M1", "M2")
_MODALITY = re.compile(r"^(?:EEG|POL)[ :_-]+", re.IGNORECASE)
_REFERENCE_SUFFIX = re.compile(
    r"[ :_-]+(?:ref\d?|le|lm|ar|avg?|car|nose|[am][12](?:[+-]?[am][12])?)$", re.IGNORECASE
)
_OTHER_CHANNEL = re.compile(
    r"""
    eog | emg | ecg | ekg | eda | gsr | ppg | spo2 | plet    # other biosignals
    | acc | gyr | mag | imu | quat | resp | temp | photo     # sensors
    | sti | trig | trg | status | marker | mkidx | event | annotation  # triggers
    | counter | timestamp | sample | packet | batter | interpolat  # housekeeping
    | ^(?:e[xo]g|aux|misc|ref|gnd|ground|cms?|drl|[hv]eo[lrud]?|cb|bip|erg|ana|ex)[ _]?\d*\b
    | \baux\d*$ | ^(?:exg|aux|misc|ref|x|ex|erg|ana|bip|cb)[ _]?\d+$
    """,
    re.IGNORECASE | re.VERBOSE,
)
_TRIGGER = re.compile(r"^(?:sti[ m]?|trg$|trig|status$|marker|hardwaremarker|stim)", re.IGNORECASE)
#: A letter and a number, as contacts of BioSemi caps, depth electrodes and grids are named.
_NUMBERED = re.compile(r"([a-zA-Z])'?(\d{1,2})")
#: So many names of a letter that are no electrodes make a row of contacts.
_ROW = 4


@dataclass(frozen=True)
class ChannelPick:
    """The channels of a stream or file, sorted into electrodes and anything else.

    Attributes
    ----------
    eeg : tuple of str
        Channels that are electrodes of the scalp, as they were written, in their order.
    others : tuple of str
        Ocular, muscle, heart, reference, motion, trigger and housekeeping channels.
    unknown : tuple of str
        Channels whose names are neither.
    electrodes : tuple of str
        The 10-05 names of ``eeg``.
    """

    eeg: tuple[str, ...]
    others: tuple[str, ...]
    unknown: tuple[str, ...] = ()
    electrodes: tuple[str, ...] = ()


@dataclass(frozen=True)
class _Montage:
    names: dict[str, str]  # lower case -> name
    positions: dict[str, NDArray[np.float64]]  # metres
    centre: NDArray[np.float64]  # metres
    radius: float  # metres


def standard_names(names: Sequence[str]) -> list[str | None]:
    """Return the 10-05 name of each channel that is an electrode, judged by all names together.

    Case, surrounding spaces, trailing dots, the prefixes ``EEG`` and ``POL``, and a suffix
    that names a common reference (``-Ref``, ``-LE``, ``-A1``) do not matter; T3, T4, T5 and
    T6 become T7, T8, P7 and P8. Where all channels are named against one electrode
    (``Fp1-CPz``, ``Oz-CPz``), that one is the common reference; any other bipolar channel
    (``C3-C4``) has no position. Names that belong to a numbered row of contacts, as A1 to
    D32 of a BioSemi cap, are no electrodes although C3 is among them.

    Parameters
    ----------
    names : sequence of str
        Names as an amplifier or a file writes them.

    Returns
    -------
    list of str or None, length n_names
        Names as in MNE's montage, in the same order; None for what is no electrode.
    """
    resolved = [_resolve(name) for name in names]
    rows = _numbered_rows(names, resolved)
    if rows:
        resolved = [
            None if _row_of(name) in rows else one
            for name, one in zip(names, resolved, strict=True)
        ]
    pairs = [_against_electrode(name) for name in names]
    references = {pair[1] for pair in pairs if pair is not None}
    if len(references) == 1 and not references & set(resolved) and _n_pairs(pairs) > 1:
        return [one if pair is None else pair[0] for one, pair in zip(resolved, pairs, strict=True)]
    return resolved


def electrode_names() -> list[str]:
    """Return the names of all electrodes of the scalp in the 10-05 system, short ones first.

    Returns
    -------
    names : list of str
    """
    names = _standard_montage().names.values()
    kept = [name for name in names if name not in _EARS_AND_MASTOIDS and name not in _OLD_NAMES]
    return sorted(kept, key=lambda name: (len(name), name))


def resolve_channel_names(names: Sequence[str]) -> list[str]:
    """Return the 10-05 name of each channel, see :func:`standard_names`.

    Parameters
    ----------
    names : sequence of str
        Names as an amplifier or a file writes them.

    Returns
    -------
    list of str
        Names as in MNE's montage, in the same order.

    Raises
    ------
    InputError
        Names are unknown (all are listed), or two names stand for the same electrode.
    """
    resolved = standard_names(names)
    unknown = [name for name, one in zip(names, resolved, strict=True) if one is None]
    if unknown:
        raise InputError(
            "These channels do not have the names of electrodes of the 10-05 system",
            value=", ".join(repr(name) for name in unknown),
            remedy='Rename them or leave them out: --channels "NAME=Fp1,OTHER=-".',
        )
    standard = [str(one) for one in resolved]
    _refuse_repeated(names, standard)
    return standard


def _refuse_repeated(names: Sequence[str], standard: Sequence[str]) -> None:
    twice = [name for name, new in zip(names, standard, strict=True) if standard.count(new) > 1]
    if twice:
        raise InputError(
            "More than one channel stands for the same electrode",
            value=", ".join(repr(name) for name in twice),
            remedy='Rename them or leave them out: --channels "NAME=Fp1,OTHER=-", or all channels '
            'in their order: --channels "Fp1,-,...".',
        )


def pick_eeg_channels(names: Sequence[str]) -> ChannelPick:
    """Sort the channels of a stream or file into electrodes and others.

    Ears and mastoids (A1, A2, M1, M2) count as references, hence as others.

    Parameters
    ----------
    names : sequence of str
        Names as an amplifier or a file writes them; empty where it writes none.

    Returns
    -------
    ChannelPick

    Raises
    ------
    InputError
        Two names stand for the same electrode, or no name is an electrode's.
    """
    resolved = standard_names(names)
    picked = [
        (name, one)
        for name, one in zip(names, resolved, strict=True)
        if one is not None and one not in _EARS_AND_MASTOIDS
    ]
    eeg = tuple(name for name, _ in picked)
    electrodes = tuple(one for _, one in picked)
    left = [name for name in names if name not in eeg]
    others = tuple(name for name in left if is_other_channel(name))
    if not eeg:
        raise InputError(
            "No channel has the name of an electrode of the 10-05 system",
            value=f"channels {_listed(names)}",
            remedy="Choose a stream or file with EEG, or say which electrodes its channels are: "
            '--channels "Fp1,Fp2,-,..." in their order, or --amplifier NAME.',
        )
    _refuse_repeated(eeg, electrodes)
    unknown = tuple(name for name in left if name not in others)
    return ChannelPick(eeg, others, unknown, electrodes)


def _listed(names: Sequence[str]) -> str:
    """Write names in one line, the first dozen of many."""
    shown = ", ".join(repr(name) for name in names[:12])
    return f"{shown} ... ({len(names)})" if len(names) > 12 else shown or "(none)"


def positions_in_metres(names: Sequence[str]) -> NDArray[np.float64]:
    """Return the electrodes' positions in MNE's montage.

    Parameters
    ----------
    names : sequence of str
        Names that :func:`resolve_channel_names` understands.

    Returns
    -------
    ndarray of float64, shape (n_channels, 3)
        x (right), y (front), z (up) in metres, unchanged from MNE.

    Raises
    ------
    InputError
        A name is unknown or occurs twice.
    """
    positions = _standard_montage().positions
    resolved = resolve_channel_names(names)
    return np.array([positions[name] for name in resolved], dtype=np.float64).reshape(-1, 3)


def channel_positions(names: Sequence[str]) -> NDArray[np.float64]:
    """Return the electrodes' positions with the head's radius as the unit of length.

    The origin and the unit are the centre and the radius of the sphere that fits all
    electrodes of the 10-05 system best (least squares), so a channel has the same position
    in every set of channels. A head is no sphere: distances from the origin lie between
    0.85 and 1.1.

    Parameters
    ----------
    names : sequence of str
        Names that :func:`resolve_channel_names` understands.

    Returns
    -------
    ndarray of float64, shape (n_channels, 3)
        x (right), y (front), z (up) in head radii.

    Raises
    ------
    InputError
        A name is unknown or occurs twice.
    """
    montage = _standard_montage()
    scaled: NDArray[np.float64] = (positions_in_metres(names) - montage.centre) / montage.radius
    return scaled


def flat_positions(ch_names: Sequence[str]) -> NDArray[np.float64]:
    """Return where electrodes lie on a head seen from above, shape (channels, 2).

    The azimuthal equidistant projection: the vertex is the origin, and the equator, on which
    Fpz and Oz lie, the unit circle.

    Parameters
    ----------
    ch_names : sequence of str
        Names that :func:`resolve_channel_names` understands.

    Returns
    -------
    ndarray of float64, shape (channels, 2)
        x (right) and y (front).

    Raises
    ------
    InputError
        A name is no electrode of the 10-05 system.
    """
    x, y, z = channel_positions(ch_names).T
    angle = np.arccos(z / np.sqrt(x**2 + y**2 + z**2)) / (np.pi / 2)
    distance = np.maximum(np.hypot(x, y), np.finfo(np.float64).tiny)
    return np.column_stack([angle * x / distance, angle * y / distance])


def electrodes_among(names: Sequence[str]) -> dict[str, str]:
    """Return the 10-05 names of those channels that are electrodes of the scalp.

    Parameters
    ----------
    names : sequence of str
        Names as an amplifier or a file writes them.

    Returns
    -------
    dict of str to str
        From each electrode's name to its 10-05 name, in the order of ``names``.

    Raises
    ------
    InputError
        Two names stand for the same electrode.
    """
    resolved = standard_names(names)
    found = [
        (name, one)
        for name, one in zip(names, resolved, strict=True)
        if one is not None and one not in _EARS_AND_MASTOIDS
    ]
    _refuse_repeated([name for name, _ in found], [one for _, one in found])
    return dict(found)


def is_trigger_channel(name: str) -> bool:
    """Return whether the name of a channel is one for codes of events.

    Parameters
    ----------
    name : str

    Returns
    -------
    is_trigger : bool
    """
    return _TRIGGER.search(name.strip()) is not None


def is_other_channel(name: str) -> bool:
    """Tell whether a channel is of a known kind other than EEG, or an ear or a mastoid.

    Parameters
    ----------
    name : str
        Name as an amplifier or a file writes it.

    Returns
    -------
    bool
    """
    standard = _resolve(name)
    if standard is not None:
        return standard in _EARS_AND_MASTOIDS
    return _OTHER_CHANNEL.search(name.strip()) is not None


def _resolve(name: str) -> str | None:
    bare = _MODALITY.sub("", name.strip()).rstrip(". ")
    bare = _REFERENCE_SUFFIX.sub("", bare).rstrip(". ")
    standard = _standard_montage().names.get(bare.lower())
    return None if standard is None else _OLD_NAMES.get(standard, standard)


def _row_of(name: str) -> str:
    """Return the letter of a name such as ``C12``, lower case; empty for other names."""
    found = _NUMBERED.fullmatch(_MODALITY.sub("", name.strip()))
    return "" if found is None else found.group(1).lower()


def _numbered_rows(names: Sequence[str], resolved: Sequence[str | None]) -> set[str]:
    """Return the letters whose numbered names are contacts in a row, not electrodes.

    A row is told by its other members: C7 to C32 are no electrodes, so C3 beside them is none.
    Where the rows are more than half of the names, every numbered letter is one.
    """
    known, unknown = Counter[str](), Counter[str]()
    for name, one in zip(names, resolved, strict=True):
        if row := _row_of(name):
            (unknown if one is None else known)[row] += 1
    rows = {row for row, n in unknown.items() if n >= _ROW and n >= known[row]}
    in_rows = sum(unknown[row] + known[row] for row in rows)
    return rows | set(known) if len(rows) > 1 and 2 * in_rows > len(names) else rows


def _against_electrode(name: str) -> tuple[str, str] | None:
    """Return the two electrodes of a name such as ``EEG Fp1-CPz``; None for other names."""
    if _resolve(name) is not None:
        return None
    first, dash, second = _MODALITY.sub("", name.strip()).partition("-")
    pair = _resolve(first), _resolve(second)
    return None if not dash or pair[0] is None or pair[1] is None else (pair[0], pair[1])


def _n_pairs(pairs: Sequence[tuple[str, str] | None]) -> int:
    return sum(pair is not None for pair in pairs)


@lru_cache(maxsize=1)
def _standard_montage() -> _Montage:
    # reading the montage takes half a second, so importing this module must not do it
    from mne.channels import make_standard_montage

    positions = make_standard_montage(MNE_MONTAGE).get_positions()["ch_pos"]
    scalp = np.array(
        [
            position
            for name, position in positions.items()
            if name not in _OLD_NAMES and name not in _EARS_AND_MASTOIDS
        ]
    )
    centre, radius = _fit_sphere(scalp)
    return _Montage({name.lower(): name for name in positions}, dict(positions), centre, radius)


def _fit_sphere(points: NDArray[np.float64]) -> tuple[NDArray[np.float64], float]:
    # |p|^2 = 2 c.p + (r^2 - |c|^2) is linear in the centre c and the last term
    design = np.column_stack([2 * points, np.ones(len(points))])
    solution = np.linalg.lstsq(design, (points**2).sum(axis=1))[0]
    centre = solution[:3]
    return centre, float(np.sqrt(solution[3] + centre @ centre))
