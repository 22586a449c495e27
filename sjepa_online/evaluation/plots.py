"""Plots of results, drawn without a display."""

from __future__ import annotations

import io
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib import rc_context
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from sjepa_online.errors import InputError
from sjepa_online.files import atomic_path

_NOT_IN_XML = re.compile(rb"[\x00-\x08\x0b\x0c\x0e-\x1f]")
SUFFIXES = (".png", ".svg", ".pdf")
#: Neither a date nor an address, so that the same figure gives the same file.
NO_METADATA = {"Date": None, "Creator": None, "Format": None, "Type": None}
#: Colours that stay apart for colour-blind readers (after Okabe and Ito 2008) and on white have
#: the contrast that text needs.
COLOURS = (
    "#0072b2", "#bf5300", "#007a59", "#a8487f", "#7d6300", "#2f7bac", "#7a4fb5", "#555555",
)  # fmt: skip
#: Text, text of less weight, and grids: the colours of the windows.
INK, PALE, GRID = "#1b2430", "#5d6b7c", "#d5dbe3"
STYLE: dict[Any, Any] = {
    "font.family": "DejaVu Sans",
    "font.size": 9,
    "axes.edgecolor": PALE,
    "axes.labelcolor": INK,
    "axes.titlecolor": INK,
    "axes.titlesize": 10,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "xtick.color": INK,
    "ytick.color": INK,
    "legend.frameon": False,
    "svg.hashsalt": "sjepa-online",
}


def check_plot_path(path: Path) -> None:
    """Refuse a plot's path before any time is spent.

    Parameters
    ----------
    path : Path
        The plot to write.

    Raises
    ------
    InputError
        The suffix names no format that can be drawn.
    """
    if path.suffix.lower() not in SUFFIXES:
        raise InputError(
            f"A plot cannot be written in this format, only as {', '.join(SUFFIXES)}",
            value=str(path),
            remedy="Choose another suffix.",
        )


def new_figure(width: float, height: float) -> Figure:
    """Return an empty figure; the sizes are in inches.

    Parameters
    ----------
    width : float
        Inches.
    height : float
        Inches.

    Returns
    -------
    Figure
    """
    figure = Figure(figsize=(width, height), layout="constrained")
    FigureCanvasAgg(figure)
    return figure


def save_figure(figure: Figure, path: Path) -> None:
    """Write a figure in the format of the path's suffix, atomically.

    Parameters
    ----------
    figure : Figure
    path : Path
        The file.
    """
    check_plot_path(path)
    with atomic_path(path) as temporary, rc_context(STYLE):
        if path.suffix.lower() == ".svg":
            temporary.write_bytes(to_svg(figure))
            return
        figure.savefig(temporary, format=path.suffix[1:].lower(), dpi=150)


def to_svg(figure: Figure) -> bytes:
    """Return a figure as SVG; the same figure gives the same bytes.

    Parameters
    ----------
    figure : Figure

    Returns
    -------
    bytes
    """
    content = io.BytesIO()
    with rc_context(STYLE):
        figure.savefig(content, format="svg", metadata=NO_METADATA)
    # class and channel names may hold control characters, which XML does not allow
    return _NOT_IN_XML.sub(b"", content.getvalue())


def plot_scores(scores: Mapping[str, Sequence[float]], label: str, chance: float) -> Figure:
    """Draw the distribution of each pipeline's scores.

    Parameters
    ----------
    scores : mapping of str to sequence of float
        For each pipeline, a value a seed or a session.
    label : str
        What the scores are.
    chance : float
        Score of a decoder without information.

    Returns
    -------
    Figure
    """
    with rc_context(STYLE):
        figure = new_figure(6.5, 0.9 + 0.42 * len(scores))
        axes = figure.subplots()
        rng = np.random.default_rng(0)
        for row, values in enumerate(scores.values()):
            colour = _colour(row)
            if len(values) >= 5:
                axes.boxplot(
                    values, positions=[row], orientation="horizontal", widths=0.5,
                    showfliers=False, medianprops={"color": colour}, boxprops={"color": PALE},
                    whiskerprops={"color": PALE}, capprops={"color": PALE},
                )  # fmt: skip
            spread = rng.uniform(-0.12, 0.12, len(values))
            axes.plot(values, row + spread, "o", ms=4, alpha=0.6, color=colour)
            axes.plot(np.mean(values), row, "D", ms=6, color=colour, mec="white", zorder=4)
            axes.annotate(
                f"{np.mean(values):.3f}", (1.01, row), xycoords=("axes fraction", "data"),
                va="center", color=INK,
            )  # fmt: skip
        _label_rows(axes, list(scores))
        axes.set_xlabel(f"{label} (diamond: mean)")
        lowest = min(min(values) for values in scores.values())
        axes.set_xlim(min(chance, lowest) - 0.03, 1.01)
        _mark_chance(axes, chance, "vertical")
    return figure


def plot_ranks(ranks: Mapping[str, Sequence[float]], n_groups: int) -> Figure:
    """Draw each pipeline's mean rank over the sessions, with its standard error.

    Parameters
    ----------
    ranks : mapping of str to sequence of float
        For each pipeline, its rank in every session and seed; 1 is the best.
    n_groups : int
        Number of subjects and sessions.

    Returns
    -------
    Figure
    """
    with rc_context(STYLE):
        figure = new_figure(6.5, 0.9 + 0.36 * len(ranks))
        axes = figure.subplots()
        ordered = sorted(ranks, key=lambda name: float(np.mean(ranks[name])))
        for row, name in enumerate(ordered):
            values = np.asarray(ranks[name])
            error = values.std(ddof=1) / np.sqrt(len(values)) if len(values) > 1 else 0.0
            axes.errorbar(
                values.mean(), row, xerr=error, fmt="o", ms=6, capsize=3,
                color=_colour(list(ranks).index(name)),
            )  # fmt: skip
            axes.annotate(
                f"{values.mean():.2f}", (1.01, row), xycoords=("axes fraction", "data"),
                va="center", color=INK,
            )  # fmt: skip
        _label_rows(axes, ordered)
        axes.set_xlim(0.8, len(ranks) + 0.2)
        sessions = "session" if n_groups == 1 else "sessions"
        axes.set_xlabel(f"mean rank over {n_groups} {sessions} (1: best; bar: standard error)")
    return figure


def plot_curves(
    curves: Mapping[str, tuple[Sequence[float], Sequence[tuple[float, float, float]]]],
    label: str,
    chance: float,
) -> Figure:
    """Draw scores against the number of calibration trials.

    Parameters
    ----------
    curves : mapping of str to (sizes, scores)
        For each decoder the numbers of trials, and for each the mean score and the two ends
        of the band around it.
    label : str
        What the scores are.
    chance : float
        Score of a decoder without information.

    Returns
    -------
    Figure
    """
    with rc_context(STYLE):
        figure = new_figure(6.5, 3.6)
        axes = figure.subplots()
        for index, (name, (sizes, scores)) in enumerate(curves.items()):
            colour = _colour(index)
            means, low, high = zip(*scores, strict=True)
            axes.plot(sizes, means, "o-", color=colour, label=name)
            axes.fill_between(sizes, low, high, color=colour, alpha=0.15, lw=0)
        _mark_chance(axes, chance, "horizontal")
        axes.set(xlabel="calibration trials", ylabel=label, xlim=(0, None))
        axes.set_ylim(None, 1.01)
        figure.legend(loc="outside upper left", ncols=4)
        axes.grid(axis="y", color=GRID, lw=0.8)
    return figure


def plot_corruption(
    panels: Mapping[str, Mapping[str, Sequence[Sequence[float]]]],
    shares: Sequence[float],
    label: str,
    chance: float,
) -> Figure:
    """Draw scores against the share of corrupted channels, mean and deviation over draws.

    Parameters
    ----------
    panels : mapping of str to mapping of str to sequence of sequence of float
        For each decoder its curves by name; of a curve the scores of each share, a value a draw.
        The one named ``oracle`` is drawn as the bound that it is.
    shares : sequence of float
    label : str
        What the scores are.
    chance : float
        Score of a decoder without information.

    Returns
    -------
    Figure
    """
    with rc_context(STYLE):
        figure = new_figure(0.8 + 4.2 * len(panels), 3.6)
        row = figure.subplots(1, len(panels), squeeze=False, sharey=True)[0]
        for axes, (decoder, curves) in zip(row, panels.items(), strict=True):
            for index, (name, scores) in enumerate(curves.items()):
                style = (
                    {"color": INK, "ls": "--"} if name == "oracle" else {"color": _colour(index)}
                )
                means = [float(np.mean(values)) for values in scores]
                spread = [float(np.std(values)) for values in scores]
                axes.errorbar(
                    shares, means, spread, label=name, marker="o", ms=4, capsize=2, **style
                )
            _mark_chance(axes, chance, "horizontal")
            axes.set(title=decoder, xlabel="share of corrupted channels")
            axes.grid(axis="y", color=GRID, lw=0.8)
        row[0].set_ylabel(label)
        handles, names = row[0].get_legend_handles_labels()
        figure.legend(handles, names, loc="outside upper left", ncols=len(names))
    return figure


def _colour(index: int) -> str:
    return COLOURS[index % len(COLOURS)]


def _label_rows(axes: Axes, names: Sequence[str]) -> None:
    axes.set_yticks(range(len(names)), names)
    axes.set_ylim(len(names) - 0.4, -0.6)
    axes.tick_params(axis="y", length=0)
    axes.grid(axis="x", color=GRID, lw=0.8)
    axes.set_axisbelow(True)


def _mark_chance(axes: Axes, chance: float, direction: str) -> None:
    options: dict[str, Any] = {"color": PALE, "ls": "--", "lw": 1.2, "zorder": 1}
    if direction == "vertical":
        axes.axvline(chance, **options)
        axes.annotate(
            "chance", (chance, 1.0), xycoords=("data", "axes fraction"), color=PALE, ha="center",
            va="bottom", fontsize=8,
        )  # fmt: skip
    else:
        axes.axhline(chance, **options)
        axes.annotate(
            "chance", (0.01, chance), xycoords=("axes fraction", "data"), color=PALE, ha="left",
            va="bottom", fontsize=8,
        )  # fmt: skip
