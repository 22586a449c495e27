"""What the calibration report says, before any of it is drawn."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.metrics import confusion_matrix, roc_curve

from sjepa_online.data import Recording, Trials
from sjepa_online.decoding import Decoder, DecoderRequest
from sjepa_online.decoding.base import take
from sjepa_online.decoding.metrics import main_score
from sjepa_online.evaluation.forehead import ForeheadCheck, check_calibration
from sjepa_online.evaluation.learning_curve import LEAST_TRIALS, first_trials
from sjepa_online.evaluation.report.channels import ChannelReport, report_channels
from sjepa_online.evaluation.report.patterns import (
    SourcePattern,
    rarest_class,
    source_patterns,
)
from sjepa_online.evaluation.significance import Score, judge, wilson_interval
from sjepa_online.training import Calibration
from sjepa_online.training.cross_validation import N_FOLDS, held_out_folds
from sjepa_online.typing import FloatArray

#: Shares of the training trials behind the score against the number of trials.
SHARES = (0.25, 0.5, 0.75, 1.0)
#: Patterns need at least this many channels.
LEAST_CHANNELS = 2
#: The decoder behind it, which is the quickest to fit.
CURVE_DECODER = "riemann"


@dataclass(frozen=True)
class ComparedDecoder:
    """Another decoder's score, with its 95 % interval where one is known."""

    name: str
    value: float
    interval: tuple[float, float] | None


@dataclass(frozen=True)
class ReportContent:
    """Everything that the report shows.

    Attributes
    ----------
    decoder : Decoder
    trials : Trials
    score : Score
        Of the decoder, in cross-validation.
    confusion : ndarray of int, shape (classes, classes)
        Trials by their true class (rows) and the decided one.
    roc : tuple of ndarray or None
        False and true positive rates, for ERP.
    curve : list of (int, float)
        Training trials and score of :data:`CURVE_DECODER`.
    compared : list of ComparedDecoder
    shown : Trials
        Without the channels that are complained about, whose noise would outshine any source.
    patterns : list of SourcePattern
        Of the channels that are shown.
    channels : list of ChannelReport
    duration : float
        Length of the recordings (s).
    forehead : ForeheadCheck or None
        What the forehead alone reaches; None without electrodes there.
    """

    decoder: Decoder
    trials: Trials
    score: Score
    confusion: NDArray[np.int64]
    roc: tuple[FloatArray, FloatArray] | None
    curve: list[tuple[int, float]]
    compared: list[ComparedDecoder]
    shown: Trials
    patterns: list[SourcePattern]
    channels: list[ChannelReport]
    duration: float
    forehead: ForeheadCheck | None


def collect(calibration: Calibration, recordings: Sequence[Recording]) -> ReportContent:
    """Compute what the report shows.

    Parameters
    ----------
    calibration : Calibration
    recordings : sequence of Recording
        What it was made from.

    Returns
    -------
    ReportContent
    """
    trials, decoder = calibration.trials, calibration.decoder
    classes = trials.protocol.class_names
    probabilities = calibration.out_of_fold
    decided = np.asarray(classes)[np.argmax(probabilities, axis=1)]
    score = judge(trials.protocol, probabilities, trials.y)
    curve = trials_curve(trials)
    channels = report_channels(trials, recordings)
    shown = _without_complaints(trials, channels)
    return ReportContent(
        decoder=decoder,
        trials=trials,
        score=score,
        confusion=confusion_matrix(trials.y, decided, labels=list(classes)),
        roc=_roc(trials, probabilities) if score.name == "AUC" else None,
        curve=curve,
        compared=_compare(decoder, score, curve, len(trials.y)),
        shown=shown,
        patterns=source_patterns(shown),
        channels=channels,
        duration=sum(recording.duration for recording in recordings),
        forehead=check_calibration(recordings, trials, decoder.preprocessing, probabilities),
    )


def trials_curve(trials: Trials) -> list[tuple[int, float]]:
    """Return the cross-validated score of a quick decoder on the first trials of each fold.

    Parameters
    ----------
    trials : Trials

    Returns
    -------
    curve : list of (int, float)
        Number of training trials, and the score.
    """
    protocol = trials.protocol
    classifier = DecoderRequest(CURVE_DECODER).make(protocol, trials.ch_names)
    features = classifier.features(trials.X)
    everyone = np.arange(len(trials.y))
    folds = held_out_folds(trials.y, N_FOLDS)
    curve = []
    for share in SHARES:
        kept = [
            train[first_trials(trials.y[train], share)]
            for train in (np.setdiff1d(everyone, test) for test in folds)
        ]
        if min(_fewest(trials.y[train]) for train in kept) < LEAST_TRIALS:
            continue
        probabilities = np.empty((len(trials.y), len(protocol.class_names)))
        for train, test in zip(kept, folds, strict=True):
            fitted = classifier.clone().fit_features(
                take(features, train), trials.y[train], channel_dropout=False
            )
            probabilities[test] = fitted.predict_features(take(features, test))
        size = round(float(np.mean([len(train) for train in kept])))
        value = main_score(protocol.paradigm, probabilities, trials.y, protocol.class_names)
        curve.append((size, value))
    return curve


def _fewest(y: NDArray[np.str_]) -> int:
    return int(np.unique(y, return_counts=True)[1].min())


def _without_complaints(trials: Trials, channels: list[ChannelReport]) -> Trials:
    good = [index for index, channel in enumerate(channels) if not channel.complaint]
    if len(good) < LEAST_CHANNELS:
        return trials
    names = tuple(trials.ch_names[index] for index in good)
    return replace(trials, X=trials.X[:, good], ch_names=names)


def _roc(trials: Trials, probabilities: FloatArray) -> tuple[FloatArray, FloatArray]:
    target = rarest_class(trials)
    column = trials.protocol.class_names.index(target)
    false_positives, true_positives, _ = roc_curve(trials.y == target, probabilities[:, column])
    return false_positives, true_positives


def _compare(
    decoder: Decoder, score: Score, curve: list[tuple[int, float]], n_trials: int
) -> list[ComparedDecoder]:
    """Return the decoders that cross-validation scored, and the quick one."""
    key = "roc_auc" if score.name == "AUC" else "accuracy"
    scores: dict[str, Any] = decoder.calibration.cross_validation
    values = {name: entry[key] for name, entry in scores.items() if key in entry}
    if curve:
        values.setdefault(CURVE_DECODER, curve[-1][1])
    return [
        ComparedDecoder(name, value, _interval(name, value, decoder, score, n_trials))
        for name, value in values.items()
    ]


def _interval(
    name: str, value: float, decoder: Decoder, score: Score, n_trials: int
) -> tuple[float, float] | None:
    if name == decoder.name:
        return score.low, score.high
    return None if score.name == "AUC" else wilson_interval(round(value * n_trials), n_trials)
