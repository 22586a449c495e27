"""Electrode names and positions: what amplifiers and EDF files write, as MNE's 10-05 system."""

from __future__ import annotations

import re
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
    r"[ :_-]+(?:ref|le|ar|avg?|car|nose|[am][12](?:[+-]?[am][12])?)$", re.IGNORECASE
)
_OTHER_CHANNEL = re.compile(
    r"""
    eog | emg | ecg | ekg | eda | gsr | ppg                  # other biosignals
    | acc | gyr | mag | imu | quat | resp | temp | photo     # sensors
    | sti | trig | status | marker | event | annotation      # triggers
    | counter | timestamp | sample | packet | batter         # housekeeping
    | ^(?:e[xo]g|aux|misc|ref|gnd|ground|cms|drl)\b | ^(?:exg|aux|misc|ref|x)\d+$
    """,
    re.IGNORECASE | re.VERBOSE,
)


@dataclass(frozen=True)
class ChannelPick:
    """The channels of a stream or file, sorted into EEG and anything else.

    Attributes
    ----------
    eeg : tuple of str
        EEG channels, as they were written, in their order.
    others : tuple of str
        Ocular, muscle, heart, reference, motion, trigger and housekeeping channels.
    """

    eeg: tuple[str, ...]
    others: tuple[str, ...]


@dataclass(frozen=True)
class _Montage:
    names: dict[str, str]  # lower case -> name
    positions: dict[str, NDArray[np.float64]]  # metres
    centre: NDArray[np.float64]  # metres
    radius: float  # metres


def resolve_channel_names(names: Sequence[str]) -> list[str]:
    """Give the 10-05 name of each channel.

    Case, surrounding spaces, trailing dots, the prefixes ``EEG`` and ``POL``, and a suffix
    that names a common reference (``-Ref``, ``-LE``, ``-A1``) do not matter; T3, T4, T5 and
    T6 become T7, T8, P7 and P8. A bipolar channel (``C3-C4``) has no position and is unknown.

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
    resolved = {name: _resolve(name) for name in names}
    unknown = [name for name, standard in resolved.items() if standard is None]
    if unknown:
        raise InputError(
            "These channels are not electrodes of the 10-05 system",
            value=", ".join(repr(name) for name in unknown),
            remedy="Rename these channels or leave them out.",
        )
    standard = [str(resolved[name]) for name in names]
    twice = [name for name, new in zip(names, standard, strict=True) if standard.count(new) > 1]
    if twice:
        raise InputError(
            "These channels stand for the same electrode, which may occur once",
            value=", ".join(repr(name) for name in twice),
            remedy="Rename or leave out the channels that stand for the same electrode.",
        )
    return standard


def pick_eeg_channels(names: Sequence[str]) -> ChannelPick:
    """Sort the channels of a stream or file into EEG and others.

    Ears and mastoids (A1, A2, M1, M2) count as references, hence as others.

    Parameters
    ----------
    names : sequence of str
        Names as an amplifier or a file writes them.

    Returns
    -------
    ChannelPick

    Raises
    ------
    InputError
        A name is neither an electrode nor a known other kind of channel (all are listed),
        two names stand for the same electrode, or no EEG channel is left.
    """
    others = tuple(name for name in names if is_other_channel(name))
    eeg = tuple(name for name in names if name not in others)
    resolve_channel_names(eeg)
    if not eeg:
        raise InputError(
            "None of the channels is EEG, and at least one EEG channel is needed",
            value=f"channels {', '.join(repr(name) for name in names) or '(none)'}",
            remedy="Choose a stream or file with EEG.",
        )
    return ChannelPick(eeg, others)


def positions_in_metres(names: Sequence[str]) -> NDArray[np.float64]:
    """Give the electrodes' positions as MNE's montage has them.

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
    """Give the electrodes' positions with the head's radius as the unit of length.

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
    """Give the 10-05 names of those channels that are electrodes of the scalp.

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
    electrodes = [
        name for name in names if _resolve(name) is not None and not is_other_channel(name)
    ]
    return dict(zip(electrodes, resolve_channel_names(electrodes), strict=True))


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
