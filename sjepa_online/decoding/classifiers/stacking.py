"""Several probability estimates become one: weights that cross-validation gives."""

from __future__ import annotations

import numpy as np
from scipy.optimize import minimize

from sjepa_online.errors import InputError
from sjepa_online.typing import Floats, Indices, Integers

#: Pull of the weights towards zero, which is the uniform distribution.
PENALTY = 1.0
#: Of a member that cross-validation finds useless: nearly uniform, in its own order of classes.
SMALLEST_WEIGHT = 0.01
#: Folds of the cross-validation within the training trials.
N_FOLDS = 4


def inner_folds(targets: Integers) -> list[tuple[Indices, Indices]]:
    """Return the folds of a cross-validation within the training trials.

    The folds are contiguous, as neighbouring trials overlap or share drifts.

    Parameters
    ----------
    targets : ndarray of int, shape (n,)
        Class indices.

    Returns
    -------
    folds : list of (ndarray of int, ndarray of int)
        Train and test trials of each.

    Raises
    ------
    InputError
        A class has a single trial.
    """
    from sklearn.model_selection import StratifiedKFold

    smallest = int(np.unique(targets, return_counts=True)[1].min())
    if smallest < 2:
        raise InputError(
            "A class has too few trials to fit the decoder's weights and temperature",
            value=f"{smallest} trial",
            remedy="Record at least two trials of each class.",
        )
    return list(StratifiedKFold(min(N_FOLDS, smallest)).split(targets, targets))


def combine(log_probabilities: Floats, weights: Floats) -> Floats:
    """Return the normalised weighted geometric mean.

    Parameters
    ----------
    log_probabilities : ndarray, shape (members, n, classes)
    weights : ndarray, shape (members,)
        Their sum is an inverse temperature.

    Returns
    -------
    probabilities : ndarray, shape (n, classes)
    """
    total = (weights[:, np.newaxis, np.newaxis] * log_probabilities).sum(axis=0)
    result: Floats = np.exp(total - np.logaddexp.reduce(total, axis=1, keepdims=True))
    return result


def stacking_weights(log_probabilities: Floats, targets: Integers) -> Floats:
    """Return the positive weights of the smallest penalised log loss.

    A member without information gets next to no weight; overconfident members get small
    weights, so the weights calibrate the result as a temperature does.

    Parameters
    ----------
    log_probabilities : ndarray, shape (members, n, classes)
        Out-of-fold predictions.
    targets : ndarray of int, shape (n,)
        Class indices.

    Returns
    -------
    weights : ndarray, shape (members,)
    """
    trials = np.arange(len(targets))

    def loss_and_gradient(weights: Floats) -> tuple[float, Floats]:
        probabilities = combine(log_probabilities, weights)
        loss = -float(np.log(probabilities[trials, targets] + 1e-12).sum())
        residual = probabilities
        residual[trials, targets] -= 1
        gradient = np.einsum("mnk,nk->m", log_probabilities, residual)
        penalty = PENALTY * float(weights @ weights)
        return loss + penalty, gradient + 2 * PENALTY * weights

    n_members = len(log_probabilities)
    solution = minimize(
        loss_and_gradient,
        np.full(n_members, 1 / n_members),
        jac=True,
        method="L-BFGS-B",
        bounds=[(SMALLEST_WEIGHT, None)] * n_members,
    )
    weights: Floats = solution.x
    return weights
