"""The signal of each class: evoked potentials, or power spectra."""

from __future__ import annotations

import numpy as np
from matplotlib import rc_context
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import NDArray
from scipy.signal import periodogram, welch

from sjepa_online.data import Trials
from sjepa_online.evaluation.plots import COLOURS, INK, PALE, STYLE, new_figure
from sjepa_online.evaluation.report.names import spoken
from sjepa_online.evaluation.report.patterns import SourcePattern
from sjepa_online.protocol import MODEL_SFREQ

Floats = NDArray[np.float64]

#: Channels that are drawn.
N_CHANNELS = 3
#: Hz that spectra are drawn over.
SHOWN = (4.0, 40.0)
#: Half width of a 95 % interval in standard errors.
Z = 1.96


def draw_signals(trials: Trials, patterns: list[SourcePattern]) -> Figure:
    """Draw the evoked potential (erp) or the spectrum (mi, ssvep) of each class.

    Parameters
    ----------
    trials : Trials
    patterns : list of SourcePattern
        The channels at which they are the strongest are drawn.

    Returns
    -------
    Figure
    """
    chosen = strongest_channels(patterns)
    with rc_context(STYLE):
        figure = new_figure(3.1 * len(chosen) + 0.5, 2.9)
        grid = figure.subplots(1, len(chosen), sharey=True, squeeze=False)[0]
        for axes, channel in zip(grid, chosen, strict=True):
            if trials.protocol.paradigm == "erp":
                _draw_evoked(axes, trials, channel)
            else:
                _draw_spectra(axes, trials, channel)
            axes.set_title(trials.ch_names[channel])
        unit = "µV" if trials.protocol.paradigm == "erp" else "power (dB of µV²/Hz)"
        grid[0].set_ylabel(unit)
        handles, labels = grid[0].get_legend_handles_labels()
        figure.legend(handles, labels, loc="outside upper center", ncols=min(len(labels), 6))
    return figure


def strongest_channels(patterns: list[SourcePattern]) -> list[int]:
    """Return the indices of the channels with the strongest patterns, each pattern in turn.

    Parameters
    ----------
    patterns : list of SourcePattern

    Returns
    -------
    list of int
    """
    chosen: list[int] = []
    orders = [np.argsort(-np.abs(pattern.values)) for pattern in patterns]
    for rank in range(len(orders[0])):
        for order in orders:
            if int(order[rank]) not in chosen:
                chosen.append(int(order[rank]))
    return sorted(chosen[:N_CHANNELS])


def class_spectra(trials: Trials, channel: int) -> tuple[Floats, Floats]:
    """Return the mean power spectrum of each class.

    Flicker is looked at with the resolution of the whole window, rhythms with that of a second.

    Parameters
    ----------
    trials : Trials
    channel : int
        Row of the channel.

    Returns
    -------
    frequencies : ndarray, shape (bins,)
        Hz.
    spectra : ndarray, shape (classes, bins)
        dB of µV²/Hz.
    """
    signal = trials.X[:, channel].astype(np.float64)
    if trials.protocol.paradigm == "ssvep":
        # padded to twice the length, so that no stimulus falls between two bins
        frequencies, power = periodogram(
            signal, MODEL_SFREQ, "hann", nfft=2 * signal.shape[1], detrend="constant"
        )
    else:
        frequencies, power = welch(signal, MODEL_SFREQ, nperseg=MODEL_SFREQ)
    shown = (frequencies >= SHOWN[0]) & (frequencies <= SHOWN[1])
    means = np.array([power[trials.y == name].mean(axis=0) for name in trials.protocol.class_names])
    decibels = 10 * np.log10(np.maximum(means[:, shown], np.finfo(np.float64).tiny))
    return frequencies[shown], decibels


def _draw_evoked(axes: Axes, trials: Trials, channel: int) -> None:
    seconds = trials.protocol.window.start + np.arange(trials.X.shape[2]) / MODEL_SFREQ
    axes.axhline(0, color=PALE, lw=0.8)
    for index, name in enumerate(trials.protocol.class_names):
        epochs = trials.X[trials.y == name, channel].astype(np.float64)
        mean = epochs.mean(axis=0)
        error = Z * epochs.std(axis=0, ddof=1) / np.sqrt(len(epochs))
        colour = COLOURS[1 - index % 2]
        axes.fill_between(seconds, mean - error, mean + error, color=colour, alpha=0.2, lw=0)
        axes.plot(seconds, mean, color=colour, label=f"{spoken(name)} ({len(epochs)})", lw=1.6)
    axes.set(xlabel="s after the marker", xlim=(seconds[0], seconds[-1]))


def _draw_spectra(axes: Axes, trials: Trials, channel: int) -> None:
    frequencies, spectra = class_spectra(trials, channel)
    for index, (spec, spectrum) in enumerate(zip(trials.protocol.classes, spectra, strict=True)):
        colour = INK if spec.frequency is None and trials.protocol.frequencies else _colour(index)
        axes.plot(frequencies, spectrum, color=colour, label=spoken(spec.name), lw=1.4)
        if spec.frequency is not None:
            for frequency, style in ((spec.frequency, "--"), (2 * spec.frequency, ":")):
                if frequency < SHOWN[1]:
                    axes.axvline(frequency, color=colour, ls=style, lw=1, zorder=0)
    axes.set(xlabel="Hz", xlim=SHOWN)


def _colour(index: int) -> str:
    return COLOURS[index % len(COLOURS)]
