"""Test trials, each alone or one after the other as a live decoder meets them."""

from __future__ import annotations

from collections.abc import Callable
from copy import deepcopy

import numpy as np

from sjepa_online.data import Trials
from sjepa_online.decoding import EpochClassifier
from sjepa_online.online.adaptation import ARTEFACT
from sjepa_online.training.calibration import robust_amplitude
from sjepa_online.typing import FloatArray

#: Gives the probabilities of test trials ``(n, classes)``.
Decide = Callable[[EpochClassifier, Trials], FloatArray]


def each_alone(classifier: EpochClassifier, test: Trials) -> FloatArray:
    """Decode every trial as if it were the only one.

    Parameters
    ----------
    classifier : EpochClassifier
    test : Trials

    Returns
    -------
    probabilities : ndarray, shape (n, classes)
    """
    return classifier.predict_proba(test.X)


def in_turn(train: Trials) -> Decide:
    """Return what decodes trials in their order, and lets a decoder that adapts take each in.

    A trial is taken in after its decision and without its class, unless it holds an artefact or
    overlaps the last one, as :class:`sjepa_online.online.adaptation.Adaptation` has it live. The
    decoder that is given stays as it is.

    Parameters
    ----------
    train : Trials
        Of the calibration, whose amplitude tells what an artefact is.

    Returns
    -------
    decide : callable
    """
    loud = ARTEFACT * robust_amplitude(train.X)

    def decide(classifier: EpochClassifier, test: Trials) -> FloatArray:
        if not classifier.adapts:
            return each_alone(classifier, test)
        own, decided = deepcopy(classifier), []
        recording, end = -1, 0.0
        for index in range(len(test.y)):
            epoch = test.X[index : index + 1]
            decided.append(own.predict_proba(epoch)[0])
            if test.recording[index] == recording and test.onset[index] < end:
                continue
            recording, end = test.recording[index], test.onset[index] + test.protocol.window.length
            if np.abs(epoch).max() <= loud:
                own.adapt(epoch)
        return np.array(decided)

    return decide
