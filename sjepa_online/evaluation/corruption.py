"""What remains of a decoder's score while channels are corrupted."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from copy import copy
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np

from sjepa_online.data import Recording, make_trials
from sjepa_online.data.corruption import Corruption, FaultKind, draw_faults
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
    fractions : tuple of float
        Shares of the channels.
    n_draws : int
        Draws of the channels for each share.
    detection : {"monitor", "known"}
        Whether the monitor has to find them, or the decoder is told.
    """

    kind: FaultKind
    fractions: tuple[float, ...]
    n_draws: int = 5
    detection: Detection = "monitor"


@dataclass(frozen=True)
class CorruptionScores:
    """Scores by fraction and draw, ``(fractions, draws)`` each, of one decoder.

    Attributes
    ----------
    strategies : dict of str to ndarray
        By strategy.
    oracle : ndarray
        Of a decoder that was calibrated without the corrupted channels.
    """

    strategies: dict[Strategy, FloatArray]
    oracle: FloatArray


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
        A recording does not suit the protocol, or too many channels are to be drawn.
    """
    trials = make_trials(train, protocol, preprocessing)
    decoder = fit_decoder(train, trials, preprocessing, request, {})
    shape = (len(settings.fractions), settings.n_draws)
    strategies: dict[Strategy, FloatArray] = {name: np.empty(shape) for name in STRATEGIES}
    oracle = np.empty(shape)
    for row, fraction in enumerate(settings.fractions):
        for draw in range(settings.n_draws):
            rng = np.random.default_rng((request.random_state, draw, row))
            n_wrong = round(fraction * len(trials.ch_names))
            if settings.kind == "swap" and n_wrong == 1:
                n_wrong = 2
            faults = draw_faults(settings.kind, trials.ch_names, n_wrong, rng)
            wrong = {name for fault in faults for name in fault.channels}
            injected = Corruption(faults, test, seed=draw)
            corrupted = [injected.apply(recording) for recording in test]
            for name in STRATEGIES:
                strategies[name][row, draw] = _score(decoder, corrupted, name, wrong, settings)
            without = _without(decoder, train, wrong, request) if wrong else decoder
            oracle[row, draw] = _score(without, test, "none", set(), settings)
            progress()
    return CorruptionScores(strategies, oracle)


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
    return {
        "kind": settings.kind,
        "fractions": list(settings.fractions),
        "detection": settings.detection,
        "draws": settings.n_draws,
        "decoders": {
            name: {key: value.mean(axis=1).tolist() for key, value in result.strategies.items()}
            for name, result in scores.items()
        },
        "oracle": {name: result.oracle.mean(axis=1).tolist() for name, result in scores.items()},
        "std": {
            name: {key: value.std(axis=1).tolist() for key, value in result.strategies.items()}
            for name, result in scores.items()
        },
        "oracle_std": {name: result.oracle.std(axis=1).tolist() for name, result in scores.items()},
    }


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
                settings.fractions,
                values.mean(axis=1),
                values.std(axis=1),
                label=label,
                capsize=2,
                marker="o",
                markersize=3,
                **style,
            )
        panel.set_title(f"{name}: {settings.kind}, found by {settings.detection}", fontsize=10)
        panel.set_xlabel("share of corrupted channels")
        panel.spines[["top", "right"]].set_visible(False)
    panels[0].set_ylabel("score")
    panels[-1].legend(frameon=False, fontsize=8)
    figure.savefig(path, dpi=150)
