"""Scores of a decoder while channels are corrupted."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from sjepa_online.data import Recording, Trials, make_trials
from sjepa_online.data.corruption import (
    DEFAULT_GAIN,
    Corruption,
    Fault,
    FaultKind,
    draw_faults,
)
from sjepa_online.decoding import Decoder, DecoderRequest
from sjepa_online.decoding.metrics import main_score
from sjepa_online.errors import InputError
from sjepa_online.evaluation.bad_channels.interpolation import STRATEGIES, Strategy, with_strategy
from sjepa_online.evaluation.significance import measure_of
from sjepa_online.evaluation.tables import Row
from sjepa_online.online import Decision, decode_recording
from sjepa_online.signal import PreprocessorConfig
from sjepa_online.training.calibration import fit_decoder
from sjepa_online.training.cross_validation import check_trials_per_class

Detection = Literal["monitor", "known"]


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
        Draws of the channels for each share and seed, where any are corrupted.
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

    def n_corrupted(self, n_channels: int) -> list[int]:
        """Return how many of the channels each share stands for.

        Parameters
        ----------
        n_channels : int

        Returns
        -------
        list of int
            One for each share.

        Raises
        ------
        InputError
            A share is nearer to none or to all of them than to any other number.
        """
        fractions = (0.0, 1 / n_channels) if self.fractions == "each" else self.fractions
        least = 2 if self.kind == "swap" and self.fractions != "each" else 1
        counts = []
        for fraction in fractions:
            rounded = round(fraction * n_channels)
            count = max(rounded, least) if rounded else 0
            if fraction and not 0 < count < n_channels:
                raise InputError(
                    "This share of the channels is less than one channel, or leaves none",
                    value=f"{fraction:g} of {n_channels} channels with the fault {self.kind}: "
                    f"{count}",
                    remedy=f"With {n_channels} channels, one is {1 / n_channels:.3g}.",
                )
            counts.append(count)
        return counts


@dataclass(frozen=True)
class CorruptionScores:
    """Scores of one decoder.

    Attributes
    ----------
    fractions : list of float
        Shares of the channels that were asked for.
    realised : list of float
        Shares that were corrupted: of whole channels.
    seeds : list of int
        Each has as many draws.
    strategies : dict of str to list of list of float
        By strategy: for each share the score of every draw, those of the first seed first.
    oracle : list of list of float
        Of a decoder that was calibrated without the corrupted channels.
    """

    fractions: list[float]
    realised: list[float]
    seeds: list[int]
    strategies: dict[str, list[list[float]]]
    oracle: list[list[float]]

    @property
    def curves(self) -> dict[str, list[list[float]]]:
        """The strategies and the oracle by their names."""
        return {**self.strategies, "oracle": self.oracle}

    def rows(self, decoder: str) -> list[Row]:
        """Return one row of a table for each score.

        Parameters
        ----------
        decoder : str
            Name of the decoder.

        Returns
        -------
        list of mapping
            Column -> value.
        """
        return [
            {
                "decoder": decoder,
                "strategy": strategy,
                "fraction": fraction,
                "realised_fraction": realised,
                "seed": self.seeds[number * len(self.seeds) // len(draws)],
                "draw": number % (len(draws) // len(self.seeds)),
                "score": score,
            }
            for strategy, per_share in self.curves.items()
            for fraction, realised, draws in zip(
                self.fractions, self.realised, per_share, strict=True
            )
            for number, score in enumerate(draws)
        ]


@dataclass(frozen=True, eq=False)
class Side:
    """Clean recordings, and the trials that were cut from them."""

    recordings: Sequence[Recording]
    trials: Trials


def evaluate_corruption(
    train: Side,
    test: Side,
    preprocessing: PreprocessorConfig,
    request: DecoderRequest,
    settings: CorruptionSettings,
    n_seeds: int = 1,
    progress: Callable[[], None] = lambda: None,
) -> CorruptionScores:
    """Calibrate on clean recordings, then decode corrupted ones through the online engine.

    Parameters
    ----------
    train, test : Side
        Of the same protocol and the same channels in the same order.
    preprocessing : PreprocessorConfig
        By which the trials were cut.
    request : DecoderRequest
        Its ``random_state`` is the first seed, of the decoder and of the draws.
    settings : CorruptionSettings
    n_seeds : int
        Number of seeds.
    progress : callable
        Called after each draw.

    Returns
    -------
    CorruptionScores

    Raises
    ------
    InputError
        A class has no training trial, or channels cannot be corrupted so.
    """
    ch_names = train.trials.ch_names
    check_trials_per_class(train.trials.y, train.trials.protocol.class_names, 1, "Training")
    draws = {
        seed: _draws(settings, ch_names, seed)
        for seed in range(request.random_state, request.random_state + n_seeds)
    }
    scores = _no_scores(settings, len(ch_names), list(draws))
    for seed, shares in draws.items():
        seeded = request.with_seed(seed)
        decoder = fit_decoder(train.recordings, train.trials, preprocessing, seeded, {})
        for share, drawn in enumerate(shares):
            for number, faults in enumerate(drawn):
                wrong = {name for fault in faults for name in fault.channels}
                corruption = Corruption(faults, test.recordings, seed=number)
                corrupted = Side(
                    [corruption.apply(recording) for recording in test.recordings], test.trials
                )
                for name in STRATEGIES:
                    score = _score(decoder, corrupted, name, wrong, settings)
                    scores.strategies[name][share].append(score)
                without = _without(decoder, train, wrong, seeded) if wrong else decoder
                scores.oracle[share].append(_score(without, test, "none", set(), settings))
                progress()
    return scores


def _no_scores(settings: CorruptionSettings, n_channels: int, seeds: list[int]) -> CorruptionScores:
    realised = [count / n_channels for count in settings.n_corrupted(n_channels)]
    asked = realised if settings.fractions == "each" else list(settings.fractions)
    return CorruptionScores(
        asked,
        realised,
        seeds,
        {name: [[] for _ in realised] for name in STRATEGIES},
        [[] for _ in realised],
    )


def n_steps(settings: CorruptionSettings, n_channels: int) -> int:
    """Return how often :func:`evaluate_corruption` calls ``progress`` for each seed.

    Parameters
    ----------
    settings : CorruptionSettings
    n_channels : int

    Returns
    -------
    int

    Raises
    ------
    InputError
        Channels cannot be corrupted so.
    """
    alone = n_channels if settings.fractions == "each" else settings.n_draws
    return sum(alone if count else 1 for count in settings.n_corrupted(n_channels))


def _draws(
    settings: CorruptionSettings, ch_names: Sequence[str], seed: int
) -> list[list[tuple[Fault, ...]]]:
    """Return for each share the faults of every draw; without faults there is one."""
    kind, gain = settings.kind, settings.gain
    counts = settings.n_corrupted(len(ch_names))
    if settings.fractions == "each":
        rng = np.random.default_rng(seed)
        return [[()], [draw_faults(kind, [name], 1, rng, gain) for name in ch_names]]
    return [
        [
            draw_faults(kind, ch_names, count, np.random.default_rng((seed, draw, row)), gain)
            for draw in range(settings.n_draws if count else 1)
        ]
        for row, count in enumerate(counts)
    ]


def _score(
    decoder: Decoder,
    side: Side,
    strategy: Strategy,
    wrong: set[str],
    settings: CorruptionSettings,
) -> float:
    """Decode the trials through the engine, one recording after another."""
    detection = None if strategy == "none" else settings.detection
    decoder = with_strategy(decoder, strategy)
    decisions: list[Decision] = []
    for index, recording in enumerate(side.recordings):
        onsets = set(side.trials.onset[side.trials.recording == index].tolist())
        results = decode_recording(
            decoder,
            recording,
            monitor=detection == "monitor",
            bad=sorted(wrong) if detection == "known" else (),
        )
        decisions += [one for one in results if isinstance(one, Decision) and one.onset in onsets]
    return _main_score(decoder, decisions, len(side.trials.y))


def _main_score(decoder: Decoder, decisions: Sequence[Decision], n_trials: int) -> float:
    """Return the paradigm's score; a trial that is not decided counts as uniform."""
    _, chance = measure_of(decoder.protocol)
    if not decisions:
        return chance
    probabilities = np.array([list(one.probabilities.values()) for one in decisions])
    truth = np.array([one.truth for one in decisions])
    score = main_score(decoder.protocol.paradigm, probabilities, truth, decoder.classes)
    decided = len(decisions) / n_trials
    return decided * score + (1 - decided) * chance


def _without(decoder: Decoder, train: Side, wrong: set[str], request: DecoderRequest) -> Decoder:
    """Calibrate as if the corrupted channels had never been there."""
    good = [name for name in decoder.ch_names if name not in wrong]
    trials = make_trials(train.recordings, decoder.protocol, decoder.preprocessing, good)
    return fit_decoder(train.recordings, trials, decoder.preprocessing, request, {})


def to_json(settings: CorruptionSettings, scores: dict[str, CorruptionScores]) -> dict[str, Any]:
    """Return the JSON document of ``evaluate corruption``: means and spreads over draws.

    Parameters
    ----------
    settings : CorruptionSettings
    scores : mapping of str to CorruptionScores
        By the names of the decoders.

    Returns
    -------
    dict
    """
    first = next(iter(scores.values()))
    return {
        "kind": settings.kind,
        **({"gain": settings.gain} if settings.kind == "gain" else {}),
        "fractions": first.fractions,
        "realised_fractions": first.realised,
        "detection": settings.detection,
        "seeds": first.seeds,
        "draws": max(len(draws) for draws in first.oracle) // len(first.seeds),
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
    """Return a statistic of every share's draws.

    Parameters
    ----------
    statistic : callable
        From a list of scores to a number.
    rows : list of list of float
        Scores of every draw, for each share.

    Returns
    -------
    list of float
        One for each share.
    """
    return [float(statistic(draws)) for draws in rows]
