"""Values of electrodes on a head seen from above."""

from __future__ import annotations

from collections.abc import Sequence

import mne
import numpy as np
from matplotlib import colormaps, rc_context
from matplotlib.axes import Axes
from matplotlib.patches import Circle, Ellipse
from numpy.typing import NDArray
from scipy.spatial.distance import pdist

from sjepa_online.evaluation.plots import INK, PALE
from sjepa_online.signal import flat_positions

#: Fewer electrodes than this do not tell what lies between them.
LEAST_FOR_MAP = 16
#: More electrodes than this are too many dots.
MOST_DOTS = 64
COLOUR_MAP = "RdBu_r"
#: An even number of contour levels, so that none follows the noise around the middle.
N_LEVELS = 8
#: Distance from the middle of the colour map from which it is dark.
DARK = 0.6
#: Radius of a disc in head radii, and the size of its label in points.
LARGEST_DISC = 0.16
LABEL = 9.0


def draw_scalp(
    axes: Axes, values: NDArray[np.float64], ch_names: Sequence[str], limits: tuple[float, float]
) -> None:
    """Draw values as a map, or as discs where there are too few electrodes to interpolate.

    Parameters
    ----------
    axes : Axes
    values : ndarray, shape (channels,)
    ch_names : sequence of str
    limits : tuple of float
        Values at the ends of the colour map.
    """
    positions = flat_positions(ch_names)
    if len(values) >= LEAST_FOR_MAP:
        with rc_context({"axes.edgecolor": INK}):
            mne.viz.plot_topomap(
                values, positions, axes=axes, show=False, sphere=1.0, vlim=limits,
                cmap=COLOUR_MAP, contours=np.linspace(*limits, N_LEVELS),
                sensors=len(values) <= MOST_DOTS, extrapolate="head",
            )  # fmt: skip
        return
    _draw_head(axes)
    radius = _disc_radius(positions)
    shades = colormaps[COLOUR_MAP]
    for name, value, (x, y) in zip(ch_names, values, positions, strict=True):
        share = (value - limits[0]) / (limits[1] - limits[0])
        axes.add_patch(Circle((x, y), radius, facecolor=shades(share), edgecolor=PALE,
                              lw=0.6, zorder=3))  # fmt: skip
        # white on the dark ends of the colour map
        ink = "white" if abs(2 * share - 1) > DARK else INK
        axes.text(x, y, name, ha="center", va="center", fontsize=LABEL * radius / LARGEST_DISC,
                  zorder=4, color=ink)  # fmt: skip


def _disc_radius(positions: NDArray[np.float64]) -> float:
    """Return a radius with which no two discs overlap."""
    distances = pdist(positions)
    nearest = float(distances.min()) if len(distances) else np.inf
    return min(LARGEST_DISC, 0.48 * nearest)


def _draw_head(axes: Axes) -> None:
    for side in (-1, 1):
        axes.add_patch(Ellipse((side * 1.06, 0), 0.14, 0.4, edgecolor=INK, facecolor="none"))
    axes.plot([-0.12, 0, 0.12], [0.99, 1.14, 0.99], color=INK, lw=1.2)
    axes.add_patch(Circle((0, 0), 1, edgecolor=INK, facecolor="white", lw=1.2))
    axes.set(xlim=(-1.25, 1.25), ylim=(-1.25, 1.25), aspect="equal")
    axes.axis("off")
