"""The figures of the calibration report."""

from __future__ import annotations

import numpy as np
from matplotlib import rc_context
from matplotlib.cm import ScalarMappable
from matplotlib.colors import Normalize
from matplotlib.figure import Figure

from sjepa_online.evaluation.plots import COLOURS, GRID, INK, PALE, STYLE, new_figure
from sjepa_online.evaluation.report.channels import LOUD, QUIET, ChannelReport
from sjepa_online.evaluation.report.content import ReportContent
from sjepa_online.evaluation.report.letters import LettersPoint
from sjepa_online.evaluation.report.names import spoken
from sjepa_online.evaluation.report.patterns import SourcePattern
from sjepa_online.evaluation.report.scalp import COLOUR_MAP, draw_scalp
from sjepa_online.evaluation.report.trials_curve import CURVE_DECODER
from sjepa_online.evaluation.significance import Score
from sjepa_online.typing import FloatArray

SOFT = PALE
WARNING = COLOURS[1]
#: Heads in a row.
PER_ROW = 4
#: Channels that fit into half of the page.
FEW = 20


def draw_compared(content: ReportContent) -> Figure:
    """Draw every decoder's score, its interval, chance and the threshold.

    Parameters
    ----------
    content : ReportContent

    Returns
    -------
    Figure
    """
    score = content.score
    with rc_context(STYLE):
        figure = new_figure(9.6, 0.9 + 0.34 * len(content.compared))
        axes = figure.subplots()
        for row, one in enumerate(content.compared):
            colour = COLOURS[0] if one.name == content.decoder.name else PALE
            if one.interval is not None:
                axes.plot(one.interval, [row, row], "-", lw=5, alpha=0.35, color=colour,
                          solid_capstyle="round")  # fmt: skip
            axes.plot(one.value, row, "o", ms=8, color=colour, mec="white")
            axes.annotate(f"{one.value:.2f}", (1.01, row), va="center", color=INK,
                          xycoords=("axes fraction", "data"))  # fmt: skip
        axes.axvline(score.chance, color=PALE, ls="--", lw=1.2)
        axes.axvspan(0, score.threshold, color=GRID, alpha=0.5, lw=0)
        axes.annotate("within reach of guessing", (score.threshold, 1), xytext=(0, 2), color=SOFT,
                      textcoords="offset points", xycoords=("data", "axes fraction"), ha="right",
                      va="bottom", fontsize=8)  # fmt: skip
        axes.set_yticks(range(len(content.compared)), [one.name for one in content.compared])
        axes.tick_params(axis="y", length=0)
        axes.set(xlim=(0, 1.01), ylim=(len(content.compared) - 0.4, -0.6), xlabel=score.name)
    return figure


def draw_confusion(confusion: np.ndarray, names: tuple[str, ...]) -> Figure:
    """Draw the confusion matrix: shares of each true class as colour, trials as numbers.

    Parameters
    ----------
    confusion : ndarray of int, shape (classes, classes)
        Trials by true and decided class.
    names : sequence of str
        Classes.

    Returns
    -------
    Figure
    """
    shares = confusion / np.maximum(confusion.sum(axis=1, keepdims=True), 1)
    side = min(1.4 + 0.62 * len(names), 7.0)
    with rc_context(STYLE):
        figure = new_figure(side + 0.5, side)
        axes = figure.subplots()
        axes.imshow(shares, cmap="Blues", vmin=0, vmax=1)
        for (row, column), share in np.ndenumerate(shares):
            axes.text(column, row, f"{confusion[row, column]}\n{100 * share:.0f} %", ha="center",
                      va="center", fontsize=8, color="white" if share > 0.55 else INK)  # fmt: skip
        words = [spoken(name) for name in names]
        axes.set_xticks(range(len(names)), words, rotation=30, ha="right", rotation_mode="anchor")
        axes.set_yticks(range(len(names)), words)
        axes.tick_params(length=0)
        axes.spines[:].set_visible(False)
        axes.set(xlabel="decided", ylabel="true")
    return figure


def draw_roc(roc: tuple[FloatArray, FloatArray], score: Score) -> Figure:
    """Draw the ROC curve of the target.

    Parameters
    ----------
    roc : tuple of ndarray
        False and true positive rates.
    score : Score

    Returns
    -------
    Figure
    """
    with rc_context(STYLE):
        figure = new_figure(3.4, 3.0)
        axes = figure.subplots()
        axes.plot([0, 1], [0, 1], "--", color=PALE, lw=1.2)
        axes.plot(*roc, color=COLOURS[0], lw=2)
        axes.fill_between(*roc, color=COLOURS[0], alpha=0.1, lw=0)
        axes.text(0.97, 0.06, f"AUC {score.value:.2f}", ha="right", color=INK, fontsize=11)
        axes.set(xlim=(0, 1), ylim=(0, 1.01), aspect="equal", xlabel="false positives",
                 ylabel="true positives")  # fmt: skip
    return figure


def draw_curve(content: ReportContent) -> Figure:
    """Draw the score against the number of training trials.

    Parameters
    ----------
    content : ReportContent

    Returns
    -------
    Figure
    """
    score = content.score
    sizes = [point.size for point in content.curve]
    values = [point.value for point in content.curve]
    errors = [
        [point.value - point.low for point in content.curve],
        [point.high - point.value for point in content.curve],
    ]
    with rc_context(STYLE):
        figure = new_figure(4.6, 3.0)
        axes = figure.subplots()
        axes.axhspan(0, score.threshold, color=GRID, alpha=0.5, lw=0)
        axes.axhline(score.chance, color=PALE, ls="--", lw=1.2)
        axes.errorbar(sizes, values, np.maximum(errors, 0.0), fmt="o-", color=COLOURS[0], lw=2,
                      ms=6, elinewidth=1.2, capsize=3)  # fmt: skip
        for size, value in zip(sizes, values, strict=True):
            axes.annotate(f"{value:.2f}", (size, value), xytext=(5, 6), ha="left", fontsize=8,
                          textcoords="offset points", color=INK)  # fmt: skip
        axes.set(xlim=(0, 1.08 * max(sizes)), ylim=(0, 1.08), xlabel="training trials",
                 ylabel=f"{score.name} of {CURVE_DECODER}")  # fmt: skip
    return figure


def draw_letters(letters: list[LettersPoint]) -> Figure:
    """Draw the share of letters that are right, and the bits a minute, by repetitions.

    Parameters
    ----------
    letters : list of LettersPoint

    Returns
    -------
    Figure
    """
    counts = [point.repetitions for point in letters]
    with rc_context(STYLE):
        figure = new_figure(9.0, 2.8)
        shares, rates = figure.subplots(1, 2)
        low, high = [point.low for point in letters], [point.high for point in letters]
        shares.fill_between(counts, low, high, color=COLOURS[0], alpha=0.15, lw=0)
        shares.plot(counts, [point.right for point in letters], "o-", color=COLOURS[0], lw=2)
        shares.set(ylim=(0, 1.05), ylabel="letters right")
        rates.plot(counts, [point.bits_per_minute for point in letters], "o-", color=COLOURS[2],
                   lw=2)  # fmt: skip
        rates.set(ylim=(0, None), ylabel="bits per minute")
        for axes in (shares, rates):
            axes.set_xlabel("repetitions")
            axes.set_xticks(counts if len(counts) <= 15 else counts[:: len(counts) // 10])
            axes.grid(axis="y", color=GRID, lw=0.8)
    return figure


def draw_patterns(patterns: list[SourcePattern], ch_names: tuple[str, ...]) -> Figure:
    """Draw the patterns as scalp maps with one colour bar.

    Parameters
    ----------
    patterns : list of SourcePattern
    ch_names : sequence of str
        Names of the channels, in their order.

    Returns
    -------
    Figure
    """
    columns = min(len(patterns), PER_ROW)
    rows = -(-len(patterns) // columns)
    signed = any(pattern.values.min() < 0 for pattern in patterns)
    with rc_context(STYLE):
        figure = new_figure(2.5 * columns + 0.6, 2.6 * rows)
        grid = figure.subplots(rows, columns, squeeze=False).ravel()
        for axes, pattern in zip(grid, patterns, strict=False):
            draw_scalp(axes, pattern.values, ch_names, (-1.0, 1.0))
            axes.set_title(spoken(pattern.title), fontsize=9)
        for axes in grid[len(patterns) :]:
            axes.axis("off")
        colours = ScalarMappable(Normalize(-1, 1), COLOUR_MAP)
        bar = figure.colorbar(colours, ax=list(grid), shrink=0.6, ticks=[-1, 0, 1])
        bar.outline.set_visible(False)
        bar.set_label("relative strength" + (" and sign" if signed else ""), fontsize=8)
    return figure


def draw_channels(channels: list[ChannelReport]) -> Figure:
    """Draw the amplitude of every channel, and its share of mains where it is known.

    Parameters
    ----------
    channels : list of ChannelReport

    Returns
    -------
    Figure
    """
    n_panels = 1 if any(channel.mains is None for channel in channels) else 2
    few = len(channels) <= FEW
    rows, columns = (1, n_panels) if few else (n_panels, 1)
    with rc_context(STYLE):
        figure = new_figure(4.8 * n_panels if few else 10.5, 2.4 * rows)
        panels = figure.subplots(rows, columns, squeeze=False).ravel()
        colours = [WARNING if channel.complaint else COLOURS[0] for channel in channels]
        amplitudes = np.array([channel.amplitude for channel in channels])
        median = float(np.median(amplitudes))
        panels[0].bar(range(len(channels)), amplitudes, color=colours, width=0.75)
        for bound in (QUIET * median, LOUD * median):
            panels[0].axhline(bound, color=PALE, ls="--", lw=1)
        panels[0].set_ylabel("amplitude (µV)")
        if amplitudes.min() > 0 and amplitudes.max() > 2 * LOUD * median:
            panels[0].set_yscale("log")
        for axes in panels[1:]:
            shares = [100 * (channel.mains or 0.0) for channel in channels]
            axes.bar(range(len(channels)), shares, color=colours, width=0.75)
            axes.set(ylabel="mains (%)", ylim=(0, max(10.0, 1.1 * max(shares))))
        size = float(np.clip(560 / len(channels), 4.5, 8))
        for axes in panels:
            names = [channel.name for channel in channels]
            axes.set_xticks(range(len(channels)), names, rotation=90, fontsize=size)
            axes.set_xlim(-0.7, len(channels) - 0.3)
            axes.tick_params(axis="x", length=0)
    return figure
