"""What remains of a decoder's score while channels are corrupted."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from copy import copy
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

import numpy as np

from sjepa_online.data import Recording, make_trials
from sjepa_online.data.corruption import (
    DEFAULT_GAIN,
    Corruption,
    Fault,
    FaultKind,
    draw_faults,
)
from sjepa_online.decoding import Decoder, DecoderRequest
from sjepa_online.decoding.compensation import ChannelCompensation
from sjepa_online.decoding.metrics import main_score
from sjepa_online.decoding.state import FloatArray
from sjepa_online.online import Decision, Engine
from sjepa_online.protocol import MODEL_SFREQ, Protocol
from sjepa_online.signal import PreprocessorConfig, channel_positions
from sjepa_online.training.calibration import fit_decoder

Strategy = Literal["none", "zero", "spline", "dynamic"]
#: Radius of the head (m), to which spherical splines are indifferent.
HEAD_RADIUS = 0.095
STRATEGIES: tuple[Strategy, ...] = ("none", "zero", "spline", "dynamic")
Detection = Literal["monitor", "known"]


class ZeroFill(ChannelCompensation):
    """Put zeros in the place of bad channels."""

    def restore(self, X: FloatArray, bad: Sequence[str]) -> FloatArray:
        """Return a copy of ``X (n, channels, samples)`` with zeros in the bad channels."""
        filled = X.copy()
        filled[:, np.isin(self.ch_names, list(bad))] = 0.0
        return filled


class SplineInterpolation(ChannelCompensation):
    """Interpolate bad channels with spherical splines (Perrin et al. 1989), as MNE does."""

    def restore(self, X: FloatArray, bad: Sequence[str]) -> FloatArray:
        """Return a copy of ``X (n, channels, samples)`` with interpolated bad channels."""
        import mne

        info = mne.create_info(list(self.ch_names), MODEL_SFREQ, "eeg")
        positions = HEAD_RADIUS * channel_positions(self.ch_names)
        info.set_montage(
            mne.channels.make_dig_montage(
                dict(zip(self.ch_names, positions, strict=True)), coord_frame="head"
            )
        )
        epochs = mne.EpochsArray(X, info, verbose="error")
        epochs.info["bads"] = list(bad)
        epochs.interpolate_bads(origin=(0.0, 0.0, 0.0), verbose="error")
        restored: FloatArray = epochs.get_data(copy=True)
        return restored


@dataclass(frozen=True)
class CorruptionSettings:
    """How channels are corrupted.

    Attributes
    ----------
    kind : str
        What is wrong with them.
    fractions : tuple of float or "each"
        Shares of the channels; "each": none of them, and each by itself.
    n_draws : int
        Draws of the channels for each share, where any are corrupted.
    detection : {"monitor", "known"}
        Whether the monitor has to find them, or the decoder is told.
    gain : float
        Factor of the kind ``gain``.
    """

    kind: FaultKind
    fractions: tuple[float, ...] | Literal["each"]
    n_draws: int = 5
    detection: Detection = "monitor"
    gain: float = DEFAULT_GAIN

    def __str__(self) -> str:
        kind = f"gain {self.gain:g}" if self.kind == "gain" else self.kind
        return f"{kind}, found by {self.detection}"


@dataclass(frozen=True)
class CorruptionScores:
    """Scores of one decoder.

    Attributes
    ----------
    fractions : list of float
        Shares of the channels.
    strategies : dict of str to list of list of float
        By strategy: for each share the score of every draw.
    oracle : list of list of float
        Of a decoder that was calibrated without the corrupted channels.
    """

    fractions: list[float] = field(default_factory=list)
    strategies: dict[Strategy, list[list[float]]] = field(
        default_factory=lambda: {name: [] for name in STRATEGIES}
    )
    oracle: list[list[float]] = field(default_factory=list)


def evaluate_corruption(
    train: Sequence[Recording],
    test: Sequence[Recording],
    protocol: Protocol,
    preprocessing: PreprocessorConfig,
    request: DecoderRequest,
    settings: CorruptionSettings,
    progress: Callable[[], None] = lambda: None,
) -> CorruptionScores:
    """Calibrate on clean recordings, then decode corrupted ones through the online engine.

    Parameters
    ----------
    train, test : sequence of Recording
        Clean recordings of one montage.
    protocol : Protocol
    preprocessing : PreprocessorConfig
    request : DecoderRequest
        Its ``random_state`` seeds the draws too.
    settings : CorruptionSettings
    progress : callable
        Called after each draw.

    Raises
    ------
    InputError
        A recording does not suit the protocol, or channels cannot be corrupted so.
    """
    trials = make_trials(train, protocol, preprocessing)
    decoder = fit_decoder(train, trials, preprocessing, request, {})
    scores = CorruptionScores()
    for fraction, draws in _draws(settings, trials.ch_names, request.random_state):
        scores.fractions.append(fraction)
        for row in (*scores.strategies.values(), scores.oracle):
            row.append([])
        for number, faults in enumerate(draws):
            wrong = {name for fault in faults for name in fault.channels}
            injected = Corruption(faults, test, seed=number)
            corrupted = [injected.apply(recording) for recording in test]
            for name in STRATEGIES:
                score = _score(decoder, corrupted, name, wrong, settings)
                scores.strategies[name][-1].append(score)
            without = _without(decoder, train, wrong, request) if wrong else decoder
            scores.oracle[-1].append(_score(without, test, "none", set(), settings))
            progress()
    return scores


def n_steps(settings: CorruptionSettings, n_channels: int) -> int:
    """Return how often :func:`evaluate_corruption` calls ``progress``."""
    if settings.fractions == "each":
        return 1 + n_channels
    n_wrong = [round(fraction * n_channels) for fraction in settings.fractions]
    return sum(settings.n_draws if n else 1 for n in n_wrong)


def _draws(
    settings: CorruptionSettings, ch_names: Sequence[str], seed: int
) -> list[tuple[float, list[tuple[Fault, ...]]]]:
    """Return the shares, and for each the faults of every draw; without faults there is one."""
    kind, gain = settings.kind, settings.gain
    if settings.fractions == "each":
        rng = np.random.default_rng(seed)
        alone = [draw_faults(kind, [name], 1, rng, gain) for name in ch_names]
        return [(0.0, [()]), (1 / len(ch_names), alone)]
    result = []
    for row, fraction in enumerate(settings.fractions):
        n_wrong = round(fraction * len(ch_names))
        if kind == "swap" and n_wrong == 1:
            n_wrong = 2
        draws = [
            draw_faults(kind, ch_names, n_wrong, np.random.default_rng((seed, draw, row)), gain)
            for draw in range(settings.n_draws if n_wrong else 1)
        ]
        result.append((fraction, draws))
    return result


def _score(
    decoder: Decoder,
    recordings: Sequence[Recording],
    strategy: Strategy,
    wrong: set[str],
    settings: CorruptionSettings,
) -> float:
    """Decode every trial of the recordings through the engine, one after another."""
    watched = strategy != "none" and settings.detection == "monitor"
    told = strategy != "none" and settings.detection == "known"
    decoder = _with_strategy(decoder, strategy)
    decisions: list[Decision] = []
    n_trials = 0
    for recording in recordings:
        engine = Engine(
            decoder,
            recording.ch_names,
            recording.sfreq,
            recording.unit,
            mode="markers",
            watch=watched,
        )
        if told:
            engine.set_bad(sorted(wrong))
        for label, onset in zip(recording.labels, recording.onsets, strict=True):
            engine.push_marker(label, float(onset))
            n_trials += decoder.protocol.class_of(label) is not None
        times = np.arange(recording.data.shape[1]) / recording.sfreq
        results = engine.push(recording.data.astype(np.float64), times)
        decisions += [result for result in results if isinstance(result, Decision)]
    return _main_score(decoder, decisions, n_trials)


def _main_score(decoder: Decoder, decisions: Sequence[Decision], n_trials: int) -> float:
    """Return the paradigm's score; a trial that is not decided counts as uniform."""
    classes = decoder.classes
    if not decisions:
        return 1 / len(classes) if decoder.protocol.paradigm != "erp" else 0.5
    probabilities = np.array([list(one.probabilities.values()) for one in decisions])
    truth = np.array([one.truth for one in decisions])
    score = main_score(decoder.protocol.paradigm, probabilities, truth, classes)
    chance = 0.5 if decoder.protocol.paradigm == "erp" else 1 / len(classes)
    decided = len(decisions) / n_trials
    return decided * score + (1 - decided) * chance


def _with_strategy(decoder: Decoder, strategy: Strategy) -> Decoder:
    other: dict[Strategy, type[ChannelCompensation]] = {
        "zero": ZeroFill,
        "spline": SplineInterpolation,
    }
    changed = copy(decoder)
    if strategy in other:
        changed.compensation = other[strategy](decoder.ch_names, decoder.compensation.kernel)
        changed.completes = False
    return changed


def _without(
    decoder: Decoder, train: Sequence[Recording], wrong: set[str], request: DecoderRequest
) -> Decoder:
    """Calibrate as if the corrupted channels had never been there."""
    good = [name for name in decoder.ch_names if name not in wrong]
    trials = make_trials(train, decoder.protocol, decoder.preprocessing, good)
    return fit_decoder(train, trials, decoder.preprocessing, request, {})


def to_json(settings: CorruptionSettings, scores: dict[str, CorruptionScores]) -> dict[str, Any]:
    """Return the JSON document of ``evaluate corruption``: means and spreads over draws."""
    first = next(iter(scores.values()))
    return {
        "kind": settings.kind,
        **({"gain": settings.gain} if settings.kind == "gain" else {}),
        "fractions": first.fractions,
        "detection": settings.detection,
        "draws": max(len(draws) for draws in first.oracle),
        "decoders": {
            name: {key: each_row(np.mean, rows) for key, rows in result.strategies.items()}
            for name, result in scores.items()
        },
        "oracle": {name: each_row(np.mean, result.oracle) for name, result in scores.items()},
        "std": {
            name: {key: each_row(np.std, rows) for key, rows in result.strategies.items()}
            for name, result in scores.items()
        },
        "oracle_std": {name: each_row(np.std, result.oracle) for name, result in scores.items()},
    }


def each_row(statistic: Callable[[list[float]], Any], rows: list[list[float]]) -> list[float]:
    """Return a statistic of every share's draws."""
    return [float(statistic(draws)) for draws in rows]


def plot_corruption(
    path: Path, settings: CorruptionSettings, scores: dict[str, CorruptionScores]
) -> None:
    """Draw score against the share of corrupted channels, mean and spread over draws."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(5.0 * len(scores), 3.6), layout="constrained")
    panels = figure.subplots(1, len(scores), squeeze=False, sharey=True)[0]
    for panel, (name, result) in zip(panels, scores.items(), strict=True):
        for label, values in (*result.strategies.items(), ("oracle", result.oracle)):
            style: dict[str, Any] = {"color": "0.4", "linestyle": "--"} if label == "oracle" else {}
            panel.errorbar(
                result.fractions,
                each_row(np.mean, values),
                each_row(np.std, values),
                label=label,
                capsize=2,
                marker="o",
                markersize=3,
                **style,
            )
        panel.set_title(f"{name}: {settings}", fontsize=10)
        panel.set_xlabel("share of corrupted channels")
        panel.spines[["top", "right"]].set_visible(False)
    panels[0].set_ylabel("score")
    panels[-1].legend(frameon=False, fontsize=8)
    figure.savefig(path, dpi=150)
