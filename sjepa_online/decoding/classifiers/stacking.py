"""Several probability estimates become one: weights that cross-validation gives."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize

from sjepa_online.errors import InputError

Floats = NDArray[np.float64]

#: Pull of the weights towards zero, which is the uniform distribution.
PENALTY = 1.0
#: Where cross-validation finds nothing the order of the classes stays, next to undecided.
SMALLEST_WEIGHT = 0.01


#: Folds of the cross-validation within the training trials.
N_FOLDS = 4


def inner_folds(
    targets: NDArray[np.integer[Any]],
) -> list[tuple[NDArray[np.intp], NDArray[np.intp]]]:
    """Return the train and test indices of a cross-validation within the training trials.

    The folds are contiguous, as neighbouring trials overlap or share drifts.

    Parameters
    ----------
    targets : ndarray of int, shape (n,)
        Class indices.

    Raises
    ------
    InputError
        A class has a single trial.
    """
    from sklearn.model_selection import StratifiedKFold

    smallest = int(np.unique(targets, return_counts=True)[1].min())
    if smallest < 2:
        raise InputError(
            "Weights and temperature need at least two trials of each class",
            value=f"{smallest} trial",
            remedy="Record more trials.",
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


def stacking_weights(log_probabilities: Floats, targets: NDArray[np.integer[Any]]) -> Floats:
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
