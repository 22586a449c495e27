"""Weights for a person that shrink towards other people's, by as much as the labels support.

For each of several strengths the weights are the maximum a posteriori of a logistic regression
around the population's weights. Their cross-validated likelihoods within the labelled trials
weigh them (pseudo model averaging, Yao et al. 2018). The population's own weights take part, so
that labels that add nothing change little.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit

Floats = NDArray[np.float64]

#: Variances of the change of the weights that are tried; 0 keeps the population's weights.
VARIANCES = (0.0, 0.3, 1.0, 3.0, 10.0, 30.0, 100.0)
#: Variance of the intercept.
INTERCEPT_VARIANCE = 0.1
MAX_FOLDS = 5
_MAX_STEPS = 50
_TOLERANCE = 1e-6


def change_of_weights(features: Floats, offset: Floats, is_right: NDArray[np.bool_]) -> Floats:
    """Return what to add to the weights and to the intercept, ``(features + 1,)``.

    Parameters
    ----------
    features : ndarray, shape (n, features)
        Of the labelled trials, with a mean squared norm of 1.
    offset : ndarray, shape (n,)
        Logits of the population.
    is_right : ndarray of bool, shape (n,)

    Returns
    -------
    ndarray, shape (features + 1,)
        The intercept stands last. All 0 where a class has fewer than two trials.
    """
    kernel = features @ features.T + INTERCEPT_VARIANCE
    sign = np.where(is_right, 1.0, -1.0)
    n_folds = int(min(MAX_FOLDS, is_right.sum(), (~is_right).sum()))
    if n_folds < 2:
        return np.zeros(features.shape[1] + 1)
    folds = _folds(is_right, n_folds)
    losses = np.array([_held_out_loss(kernel, offset, sign, folds, one) for one in VARIANCES])
    shares = np.exp(losses.min() - losses)
    shares /= shares.sum()
    dual = sum(
        share * _dual(kernel, offset, sign, variance)
        for share, variance in zip(shares, VARIANCES, strict=True)
    )
    change: Floats = np.r_[features.T @ dual, INTERCEPT_VARIANCE * np.sum(dual)]
    return change


def _folds(is_right: NDArray[np.bool_], n_folds: int) -> NDArray[np.intp]:
    """Deal the trials of each class to the folds in turn."""
    folds = np.empty(len(is_right), dtype=np.intp)
    for side in (False, True):
        rows = np.flatnonzero(is_right == side)
        folds[rows] = np.arange(len(rows)) % n_folds
    return folds


def _held_out_loss(
    kernel: Floats, offset: Floats, sign: Floats, folds: NDArray[np.intp], variance: float
) -> float:
    loss = 0.0
    for fold in range(folds.max() + 1):
        test, train = folds == fold, folds != fold
        among = kernel[np.ix_(train, train)]
        dual = _dual(among, offset[train], sign[train], variance)
        logits = offset[test] + kernel[np.ix_(test, train)] @ dual
        loss += float(np.logaddexp(0, -sign[test] * logits).sum())
    return loss


def _dual(kernel: Floats, offset: Floats, sign: Floats, variance: float) -> Floats:
    """Return the dual weights of the regression, by Newton's method."""
    dual = np.zeros(len(sign))
    if variance == 0:
        return dual
    identity = np.eye(len(sign)) / variance
    for _ in range(_MAX_STEPS):
        wrong = expit(-sign * (offset + kernel @ dual))
        hessian = identity + (wrong * (1 - wrong))[:, np.newaxis] * kernel
        step = np.linalg.solve(hessian, sign * wrong - dual / variance)
        dual += step
        if np.abs(step).max() < _TOLERANCE:
            break
    return dual
