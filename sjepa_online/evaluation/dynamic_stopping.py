"""Dynamic stopping, measured: a threshold from the training trials, applied to others."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from sjepa_online.data import Trials
from sjepa_online.decoding import DecoderRequest
from sjepa_online.decoding.dynamic_stopping import choose_threshold, decisions, stopping_scores
from sjepa_online.decoding.metrics import information_transfer_rate
from sjepa_online.evaluation.scores import balanced_accuracy
from sjepa_online.protocol import MODEL_SFREQ, Protocol
from sjepa_online.training.cross_validation import (
    N_FOLDS,
    PREFIXES,
    check_trials_per_class,
    cross_validate,
)


def evaluate_dynamic_stopping(
    train: Trials, test: Trials, request: DecoderRequest
) -> dict[str, float]:
    """Return accuracy, mean decision time and information transfer rate of dynamic stopping.

    Parameters
    ----------
    train, test : Trials
        Epochs of the same protocol and the same channels in the same order.
    request : DecoderRequest

    Returns
    -------
    scores : dict of str to float
        ``accuracy``, ``decision_s`` (from the marker to the last sample that was needed),
        ``itr_bits_per_min`` and the ``threshold``.

    Raises
    ------
    InputError
        The window is too short for a prefix, or a class has too few trials.
    """
    protocol = train.protocol
    check_trials_per_class(train.y, protocol.class_names, N_FOLDS)
    classifier = request.make(
        protocol, train.ch_names, dynamic_stopping=True, epochs=(train.X, test.X)
    )
    seconds = [protocol.window.start + length / MODEL_SFREQ for length in classifier.lengths]
    features = classifier.features(train.X)
    held_out = cross_validate(classifier, features, train.y)
    threshold = choose_threshold(held_out[PREFIXES], _targets(train.y, protocol), seconds)
    classifier.fit_features(features, train.y, channel_dropout=False)
    probabilities = classifier.predict_prefixes(classifier.features(test.X))
    targets = _targets(test.y, protocol)
    scores = stopping_scores(probabilities, targets, seconds, threshold)
    # as DecoderScores has it: the rate is defined for classes that are equally probable
    _, decided = decisions(probabilities, threshold)
    rate = information_transfer_rate(
        balanced_accuracy(decided, targets), len(protocol.classes), scores["decision_s"]
    )
    return {**scores, "itr_bits_per_min": rate, "threshold": threshold}


def _targets(y: NDArray[np.str_], protocol: Protocol) -> NDArray[np.intp]:
    is_class = y[:, np.newaxis] == np.array(protocol.class_names)
    return np.asarray(np.argmax(is_class, axis=1), dtype=np.intp)
