"""The head of the simulated participant: dipoles in a sphere of four shells, by MNE."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from sjepa_online.data.simulated.channels import TEN_TEN
from sjepa_online.signal.montage import channel_positions

Floats = NDArray[np.float64]

#: Radius (m) of the head; the potentials are scaled afterwards, so it changes little.
RADIUS = 0.09
#: Where the rhythms and the responses come from: under which electrode, and how far (in head
#: radii) from the centre. The dipoles point outwards.
AREAS = {
    "Oz": 0.78, "O1": 0.78, "O2": 0.78, "PO7": 0.78, "PO8": 0.78, "POz": 0.75,  # visual
    "C3": 0.78, "C4": 0.78, "Cz": 0.72, "C5": 0.75, "C6": 0.75,  # hands, feet, tongue
    "Pz": 0.42, "CPz": 0.42,  # P300: deep, so that it is wide on the scalp
}  # fmt: skip
#: Dipoles of the background, spread evenly over the upper part of the brain.
N_BACKGROUND = 96

_BACKGROUND_DEPTH = 0.78
_LOWEST = -0.35  # z of the lowest background dipole, relative to its distance from the centre
_EYES = np.array([[-0.33, 0.80, -0.20], [0.33, 0.80, -0.20]])
_GAZE = np.array([0.0, 0.85, 0.53])  # the corneas turn upwards and forwards as the lids close


class HeadModel:
    """Potentials that the dipoles of the simulated participant cause at electrodes.

    A dipole is scaled by the 10-10 electrode where it is strongest: an amplitude of 1 µV means
    1 µV there, against a reference at infinity. The background is scaled as a whole: dipoles
    that vary independently with 1 µV give 1 µV root mean square over the electrodes.

    Parameters
    ----------
    ch_names : sequence of str
        Electrodes, as :func:`~sjepa_online.signal.resolve_channel_names` knows them.

    Attributes
    ----------
    areas : array, shape (n_channels, len(AREAS))
    eyes : array, shape (n_channels,)
        A blink of both eyes.
    background : array, shape (n_channels, N_BACKGROUND)

    Raises
    ------
    InputError
        An electrode is unknown or occurs twice.
    """

    def __init__(self, ch_names: Sequence[str]) -> None:
        depths = np.array(list(AREAS.values()))[:, np.newaxis]
        positions = depths * _outwards(channel_positions(list(AREAS)))
        spread = _spread()
        sources = np.concatenate([positions, _EYES, spread])
        moments = np.concatenate([_outwards(positions), np.tile(_GAZE, (2, 1)), _tilted(spread)])
        scalp_names = TEN_TEN.split()
        electrodes = np.concatenate([channel_positions(scalp_names), channel_positions(ch_names)])
        potentials = sphere_potentials(_outwards(electrodes), sources, moments)
        n_areas = len(AREAS)
        eyes = potentials[:, n_areas : n_areas + 2].sum(axis=1)
        scalp, here = np.split(np.arange(len(electrodes)), [len(scalp_names)])
        areas = potentials[:, :n_areas]
        background = potentials[:, n_areas + 2 :]
        self.areas: Floats = areas[here] / np.abs(areas[scalp]).max(axis=0)
        self.eyes: Floats = eyes[here] / np.abs(eyes[scalp]).max()
        self.background: Floats = background[here] / np.sqrt(
            (background[scalp] ** 2).sum(axis=1).mean()
        )


@lru_cache(maxsize=8)
def head_model(ch_names: tuple[str, ...]) -> HeadModel:
    """Return the :class:`HeadModel` of a montage; it is computed once (about 0.5 s).

    Parameters
    ----------
    ch_names : tuple of str
        Electrodes.

    Returns
    -------
    head : HeadModel
    """
    return HeadModel(ch_names)


def sphere_potentials(electrodes: Floats, sources: Floats, moments: Floats) -> Floats:
    """Compute the potentials of dipoles in MNE's spherical head (brain, CSF, skull, scalp).

    Parameters
    ----------
    electrodes : array, shape (n_electrodes, 3)
        Positions on the unit sphere.
    sources, moments : array, shape (n_dipoles, 3)
        Positions in head radii, and moments.

    Returns
    -------
    array, shape (n_electrodes, n_dipoles)
        Against a reference at infinity, in V for moments in Am.
    """
    import mne

    names = [f"E{number}" for number in range(len(electrodes))]
    montage = mne.channels.make_dig_montage(
        dict(zip(names, RADIUS * electrodes, strict=True)), coord_frame="head"
    )
    info = mne.create_info(names, 1.0, "eeg", verbose="error").set_montage(montage, verbose="error")
    sphere = mne.make_sphere_model((0.0, 0.0, 0.0), RADIUS, verbose="error")
    space = mne.setup_volume_source_space(
        pos={"rr": RADIUS * sources, "nn": moments}, sphere=sphere, mindist=0.0, verbose="error"
    )
    forward = mne.make_forward_solution(
        info, mne.Transform("head", "mri"), space, sphere, meg=False, mindist=0.0, verbose="error"
    )
    per_direction = forward["sol"]["data"].reshape(len(electrodes), len(sources), 3)
    potentials: Floats = np.einsum("eds,ds->ed", per_direction, moments)
    return potentials


def _outwards(positions: Floats) -> Floats:
    directions: Floats = positions / np.linalg.norm(positions, axis=-1, keepdims=True)
    return directions


def _spread() -> Floats:
    """Spread the background's dipoles evenly, on a Fibonacci spiral."""
    number = np.arange(N_BACKGROUND) + 0.5
    z = 1.0 - (1.0 - _LOWEST) * number / N_BACKGROUND
    angle = np.pi * (1.0 + np.sqrt(5.0)) * number
    across = np.sqrt(1.0 - z**2)
    return _BACKGROUND_DEPTH * np.column_stack([across * np.cos(angle), across * np.sin(angle), z])


def _tilted(positions: Floats) -> Floats:
    """Point every dipole outwards, tilted at random: cortex is folded."""
    tilt = np.random.default_rng(0).standard_normal(positions.shape)
    return _outwards(_outwards(positions) + 0.6 * tilt)
