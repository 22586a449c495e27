"""Decoders side by side: trained on one set of trials, tested on another."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sjepa_online.data import Trials
from sjepa_online.decoding import DecoderRequest, EpochClassifier
from sjepa_online.decoding.metrics import (
    accuracy,
    information_transfer_rate,
    main_score,
    roc_auc,
)
from sjepa_online.evaluation.in_turn import Decide, each_alone
from sjepa_online.evaluation.significance import Measure, Score, judge_value
from sjepa_online.evaluation.tables import Row
from sjepa_online.training.cross_validation import check_trials_per_class

#: Accuracy, usual score, area under the ROC curve, seconds of the fit, balanced accuracy.
_Scored = tuple[float, float, float | None, float, float]


@dataclass(frozen=True)
class DecoderScores:
    """Scores of one decoder, one value for each seed.

    Attributes
    ----------
    accuracy, score : list of float
        Accuracy, and the paradigm's usual score (ROC AUC for ERP, else accuracy).
    roc_auc : list of float or None
        Area under the ROC curve of the second class, for two classes.
    fit_seconds : list of float
        Time of each fit.
    balanced_accuracy : list of float
        See :func:`balanced_accuracy`.
    seeds : list of int
    """

    accuracy: list[float]
    score: list[float]
    roc_auc: list[float] | None
    fit_seconds: list[float]
    balanced_accuracy: list[float]
    seeds: list[int]

    def judge(self, test: Trials) -> Score:
        """Judge the mean of the paradigm's usual score over the seeds.

        Parameters
        ----------
        test : Trials
            The trials that were scored.

        Returns
        -------
        Score
        """
        # a test without trials of both classes has no area: its score is the accuracy
        area = test.protocol.paradigm == "erp" and self.roc_auc is not None
        classes = test.protocol.class_names
        measure: Measure = "AUC" if area else "accuracy"
        return judge_value(float(np.mean(self.score)), measure, test.y, classes)

    def to_json(self, test: Trials) -> dict[str, Any]:
        """Return the entry of this decoder in the JSON document of ``evaluate scores``.

        Parameters
        ----------
        test : Trials
            The trials that were scored.

        Returns
        -------
        dict
            Means over the seeds, the score of each seed, and the entries of
            :meth:`Score.to_json <sjepa_online.evaluation.significance.Score.to_json>`.
        """
        protocol = test.protocol
        window_seconds = protocol.window.start + protocol.window.length
        # the rate is defined for classes that are equally probable
        balanced = float(np.mean(self.balanced_accuracy))
        entry: dict[str, Any] = {
            "accuracy": float(np.mean(self.accuracy)),
            "accuracy_std": float(np.std(self.accuracy)),
            "itr_bits_per_min": information_transfer_rate(
                balanced, len(protocol.classes), window_seconds
            ),
            "fit_s": float(np.mean(self.fit_seconds)),
            "scores": self.score,
            **self.judge(test).to_json(),
        }
        if self.roc_auc is not None:
            entry["roc_auc"] = float(np.mean(self.roc_auc))
        return entry

    def rows(self, decoder: str) -> list[Row]:
        """Return one row of a table for each seed.

        Parameters
        ----------
        decoder : str
            Name of the decoder.

        Returns
        -------
        list of mapping
            Column -> value.
        """
        areas: Sequence[object] = self.roc_auc or [""] * len(self.score)
        values = zip(self.seeds, self.accuracy, self.score, areas, self.fit_seconds, strict=True)
        return [
            {
                "decoder": decoder,
                "seed": seed,
                "accuracy": accuracy,
                "score": score,
                "roc_auc": area,
                "fit_s": seconds,
            }
            for seed, accuracy, score, area, seconds in values
        ]


def evaluate_scores(
    train: Trials,
    test: Trials,
    requests: Sequence[DecoderRequest],
    n_seeds: int,
    progress: Callable[[], None] = lambda: None,
    decide: Decide = each_alone,
) -> dict[str, DecoderScores]:
    """Train every decoder on ``train`` with each seed, and test it on ``test``.

    Parameters
    ----------
    train, test : Trials
        Epochs of the same protocol and the same channels in the same order.
    requests : sequence of DecoderRequest
        Their ``random_state`` is the first seed.
    n_seeds : int
        Number of seeds.
    progress : callable
        Called after each fit.
    decide : callable
        How the test trials are decoded: :func:`each_alone` or :func:`in_turn`.

    Returns
    -------
    dict of str to DecoderScores
        By the names of the decoders.

    Raises
    ------
    InputError
        A class has no training trial.
    """
    check_trials_per_class(train.y, train.protocol.class_names, 1, "Training")
    results = {}
    for request in requests:
        seeds = list(range(request.random_state, request.random_state + n_seeds))
        runs = [_run(train, test, request.with_seed(seed), progress, decide) for seed in seeds]
        results[request.name] = _collected(runs, seeds)
    return results


def score_fitted(
    classifier: EpochClassifier,
    test: Trials,
    seconds: float,
    seeds: Sequence[int],
    decide: Decide = each_alone,
) -> DecoderScores:
    """Score a classifier that is fitted already, and that no seed changes.

    Parameters
    ----------
    classifier : EpochClassifier
    test : Trials
    seconds : float
        Time of its fit.
    seeds : sequence of int
        Each gets the same scores.
    decide : callable
        How the test trials are decoded.

    Returns
    -------
    DecoderScores
    """
    return _collected([_scored(classifier, test, seconds, decide)] * len(seeds), list(seeds))


def balanced_accuracy(decided: NDArray[Any], truth: NDArray[Any]) -> float:
    """Return the mean share of right decisions over the classes that occur.

    Parameters
    ----------
    decided, truth : ndarray, shape (n,)
        Classes.

    Returns
    -------
    float
    """
    from sklearn.metrics import recall_score

    # balanced_accuracy_score warns of decisions for a class that does not occur
    return float(recall_score(truth, decided, labels=np.unique(truth), average="macro"))


def _collected(runs: Sequence[_Scored], seeds: list[int]) -> DecoderScores:
    accuracies, scores, areas, seconds, balanced = (
        list(values) for values in zip(*runs, strict=True)
    )
    return DecoderScores(
        accuracies, scores, None if None in areas else areas, seconds, balanced, seeds
    )


def _run(
    train: Trials,
    test: Trials,
    request: DecoderRequest,
    progress: Callable[[], None],
    decide: Decide,
) -> _Scored:
    started = time.perf_counter()
    made = request.make(train.protocol, train.ch_names, epochs=(train.X, test.X))
    classifier = made.fit(train.X, train.y)
    seconds = time.perf_counter() - started
    scored = _scored(classifier, test, seconds, decide)
    progress()
    return scored


def _scored(classifier: EpochClassifier, test: Trials, seconds: float, decide: Decide) -> _Scored:
    probabilities = decide(classifier, test)
    classes = test.protocol.class_names
    return (
        accuracy(probabilities, test.y, classes),
        main_score(test.protocol.paradigm, probabilities, test.y, classes),
        roc_auc(probabilities, test.y, classes),
        seconds,
        balanced_accuracy(np.array(classes)[probabilities.argmax(axis=1)], test.y),
    )
