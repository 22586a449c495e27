"""References for the eye: what is subtracted from each trace before it is shown."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from sjepa_apps.ui.channel_states import known_electrodes, standard_name
from sjepa_online.signal import channel_positions

Floats = NDArray[np.float64]
Reference = Literal["as recorded", "common average", "mastoids", "Laplacian"]
REFERENCES: tuple[Reference, ...] = ("as recorded", "common average", "mastoids", "Laplacian")

#: Electrodes that stand for the mastoids where the stream has no channels of these.
NEAR_MASTOIDS = ("TP9", "TP10")
#: Neighbours of an electrode in the Laplacian (Hjorth 1975).
N_NEIGHBOURS = 4


def available_references(names: Sequence[str], n_mastoids: int) -> tuple[Reference, ...]:
    """Return the references that a stream allows.

    Parameters
    ----------
    names : sequence of str
        Channels that are shown.
    n_mastoids : int
        Channels of mastoids or ears beside them.
    """
    standard = {standard_name(name) for name in names}
    found: list[Reference] = ["as recorded"]
    if len(names) > 1:
        found.append("common average")
    if n_mastoids or standard.issuperset(NEAR_MASTOIDS):
        found.append("mastoids")
    if len(known_electrodes(names)) > N_NEIGHBOURS:
        found.append("Laplacian")
    return tuple(found)


def reference_weights(
    reference: Reference, names: Sequence[str], n_mastoids: int, bad: Sequence[bool]
) -> Floats | None:
    """Return what the channels are multiplied by; None where they stay as they are.

    Parameters
    ----------
    reference : str
        One of ``REFERENCES``.
    names : sequence of str
        Channels that are shown.
    n_mastoids : int
        Channels of mastoids or ears, which come after them.
    bad : sequence of bool
        Channels that must reach no other trace.

    Returns
    -------
    ndarray, shape (channels, channels + n_mastoids), or None
    """
    n = len(names)
    subtracted = np.zeros((n, n + n_mastoids))
    good = ~np.array(bad, dtype=bool)
    match reference:
        case "as recorded":
            return None
        case "common average":
            subtracted[:, :n] = good / max(good.sum(), 1)
        case "mastoids" if n_mastoids:
            subtracted[:, n:] = 1 / n_mastoids
        case "mastoids":
            rows = [row for row in range(n) if standard_name(names[row]) in NEAR_MASTOIDS]
            subtracted[:, rows] = 1 / max(len(rows), 1)
        case "Laplacian":
            _subtract_neighbours(subtracted, names, good)
    weights: Floats = np.eye(n, n + n_mastoids) - subtracted
    return weights


def _subtract_neighbours(subtracted: Floats, names: Sequence[str], good: NDArray[np.bool_]) -> None:
    """Write the mean of the nearest good electrodes of each electrode."""
    places = known_electrodes(names)
    rows = [row for row, name in enumerate(names) if name in places]
    positions = channel_positions([names[row] for row in rows])
    distances = np.linalg.norm(positions[:, np.newaxis] - positions, axis=-1)
    np.fill_diagonal(distances, np.inf)
    distances[:, ~good[rows]] = np.inf
    for row, line in zip(rows, distances, strict=True):
        nearest = [rows[one] for one in np.argsort(line)[:N_NEIGHBOURS] if np.isfinite(line[one])]
        subtracted[row, nearest] = 1 / max(len(nearest), 1)
