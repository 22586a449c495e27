"""Where training begins: spatial filters and readouts that are known without gradient descent.

A calibration is too short to find the directions of a response among many electrodes by gradient
descent, but enough to refine what xDAWN, common spatial patterns or the response to the stimulus
give at once.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from scipy.linalg import eigh

from sjepa_online.decoding.classifiers.logistic import LogisticRegression
from sjepa_online.decoding.classifiers.pre_local.networks import PHASE_LOCKED
from sjepa_online.decoding.classifiers.readouts.responses import discriminant
from sjepa_online.decoding.features.spatial_filters import MAX_VIRTUAL, SHRINKAGE, xdawn
from sjepa_online.decoding.features.tangent_space import channel_covariances, shrink
from sjepa_online.protocol import Paradigm
from sjepa_online.typing import Floats, Integers

#: Virtual channels, where the paradigm does not ask for others (the paper has 4).
N_VIRTUAL = 8
#: Filters of each stimulus frequency.
N_STIMULUS = 2
#: Inverse strength of the penalty on weights of standardised power.
POWER_C = 0.05


def spatial_start(
    paradigm: Paradigm | None,
    X: Floats,
    powers: Floats,
    targets: Integers,
    n_stimuli: int,
    electrodes: Sequence[int] = (),
) -> Floats:
    """Return spatial filters whose output has unit variance.

    Parameters
    ----------
    paradigm : {"erp", "mi", "ssvep"} or None
        xDAWN filters of each class for ``erp``; whitened electrodes and common spatial
        patterns for ``mi``; for ``ssvep`` filters of the response to
        each stimulus, and one xDAWN filter of each class in case the response is locked to the
        trial; xDAWN filters and common spatial patterns for None.
    X : ndarray, shape (n, channels, samples)
        Whitened epochs.
    powers : ndarray, shape (n, blocks, channels, channels)
        Covariances of the channels: at the frequencies, then at their harmonics, for ``ssvep``;
        else behind the kernels for rhythms.
    targets : ndarray of int, shape (n,)
        Class indices.
    n_stimuli : int
        Number of stimulus frequencies.
    electrodes : sequence of int
        Channels over the sensorimotor cortex, which ``mi`` begins with where there are many
        others.

    Returns
    -------
    filters : ndarray, shape (virtual, channels)
    """
    n_classes = int(targets.max()) + 1
    if paradigm == "erp":
        filters = _responses(X, targets, N_VIRTUAL // min(n_classes, N_VIRTUAL))
    elif paradigm == "mi":
        near = range(X.shape[1]) if X.shape[1] <= MAX_VIRTUAL else electrodes
        # patterns learned from few trials hold on no others; electrodes beside them do
        filters = np.concatenate([np.eye(X.shape[1])[list(near)], _patterns(powers, targets, 4)])
    elif paradigm == "ssvep":
        stimulus = _stimulus_filters(powers, targets, n_stimuli)
        filters = np.concatenate([stimulus, _responses(X, targets, 1)])
    else:
        filters = np.concatenate(
            [_responses(X, targets, 2), _patterns(powers, targets, N_VIRTUAL // 2)]
        )
    covariance = channel_covariances(X).mean(axis=0)
    scale: Floats = np.sqrt(np.einsum("vc,cd,vd->v", filters, covariance, filters))
    return filters / scale[:, np.newaxis]


def _responses(X: Floats, targets: Integers, n_each: int) -> Floats:
    """Return the first xDAWN filters of every class."""
    filters = xdawn(X, targets)
    by_class = filters.reshape(int(targets.max()) + 1, -1, filters.shape[-1])
    return np.asarray(by_class[:, :n_each].reshape(-1, filters.shape[-1]))


def _patterns(powers: Floats, targets: Integers, n_filters: int) -> Floats:
    """Return common spatial patterns: of each class against all, or of two against each other."""
    by_trial = powers.mean(axis=1)
    everything = shrink(by_trial.mean(axis=0), SHRINKAGE)
    n_classes = int(targets.max()) + 1
    n_contrasts = 1 if n_classes == 2 else n_classes
    n_ends = max(1, n_filters // n_contrasts // 2)
    filters = []
    for index in range(n_contrasts):
        _, vectors = eigh(by_trial[targets == index].mean(axis=0), everything)
        n_side = max(1, min(n_ends, len(vectors) // 2))
        filters += [vectors[:, -n_side:].T, vectors[:, :n_side].T]
    return np.concatenate(filters)


def _stimulus_filters(powers: Floats, targets: Integers, n_frequencies: int) -> Floats:
    """Return filters of the power at each frequency in its trials against that in the others."""
    filters = []
    for index in range(n_frequencies):
        at = powers[:, index::n_frequencies].mean(axis=1)
        power = np.trace(at, axis1=1, axis2=2)
        # the class of a frequency is the one that shows it most
        shown = [power[targets == one].mean() for one in range(int(targets.max()) + 1)]
        of_class = targets == int(np.argmax(shown))
        others = shrink(at[~of_class].mean(axis=0), SHRINKAGE)
        _, vectors = eigh(at[of_class].mean(axis=0), others)
        filters.append(vectors[:, -N_STIMULUS:].T)
    return np.concatenate(filters)


def readout_start(name: str, features: Floats, targets: Integers, n_classes: int) -> Floats:
    """Return the linear weights of a readout.

    Parameters
    ----------
    name : str
        Shrinkage discriminant analysis for readouts of the response's shape, logistic regression
        for those of power.
    features : ndarray, shape (n, d)
        Standardised.
    targets : ndarray of int, shape (n,)
    n_classes : int

    Returns
    -------
    weights : ndarray, shape (d + 1, classes)
        The intercepts in the last row.
    """
    # a class of one trial has no covariance
    if name in PHASE_LOCKED and np.bincount(targets).min() > 1:
        return discriminant(features, targets)
    return LogisticRegression(C=POWER_C).fit(features, targets, n_classes).weights
