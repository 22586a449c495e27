"""Multinomial logistic regression that shrinks towards given weights instead of zero."""

from __future__ import annotations

import numpy as np
from scipy.optimize import minimize
from scipy.special import log_softmax, softmax

from sjepa_online.decoding.bad_channels.channel_dropout import AugmentedTrials
from sjepa_online.typing import Floats, Integers

#: Precision of the intercept's prior: next to free.
INTERCEPT_PRECISION = 0.01
MAX_ITERATIONS = 500


class LogisticRegression:
    """Maximum a posteriori logistic regression with a Gaussian prior around ``prior``.

    The penalty is ``||W - prior||² / (2 C)``; a prior of zero is ordinary ridge-penalised
    logistic regression. The problem is convex, so there is nothing to draw. Where there are
    more features than trials it is solved in the space that the trials span, which holds the
    solution (representer theorem).

    Parameters
    ----------
    prior : ndarray, shape (features + 1, classes), or None
        Weights to shrink towards, the intercepts in the last row; None for zero.
    C : float
        Inverse strength of the penalty.
    """

    def __init__(self, prior: Floats | None = None, C: float = 1.0) -> None:
        self.prior = prior
        self.C = C
        self.weights: Floats = np.empty((0, 0))

    def fit(
        self,
        features: Floats,
        targets: Integers,
        n_classes: int,
        sample_weight: Floats | None = None,
    ) -> LogisticRegression:
        """Fit on vectors and class indices.

        Parameters
        ----------
        features : ndarray, shape (n, d)
        targets : ndarray of int, shape (n,)
        n_classes : int
        sample_weight : ndarray, shape (n,), or None
            Weight of each trial; None for 1.

        Returns
        -------
        LogisticRegression
        """
        n, d = features.shape
        prior = np.zeros((d + 1, n_classes)) if self.prior is None else self.prior
        basis = row_space(features) if d > n else None
        reduced = features if basis is None else features @ basis
        inputs = np.column_stack([reduced, np.ones(n)])
        base = features @ prior[:-1] + prior[-1]
        penalty = np.r_[np.full(reduced.shape[1], 1 / self.C), INTERCEPT_PRECISION][:, np.newaxis]
        weight = np.ones(n) if sample_weight is None else sample_weight
        truth = np.eye(n_classes)[targets] * weight[:, np.newaxis]

        def loss_and_gradient(flat: Floats) -> tuple[float, Floats]:
            change = flat.reshape(-1, n_classes)
            logits = inputs @ change + base
            loss = -float(np.sum(truth * log_softmax(logits, axis=1)))
            loss += 0.5 * float(np.sum(penalty * change**2))
            residual = softmax(logits, axis=1) * weight[:, np.newaxis] - truth
            return loss, (inputs.T @ residual + penalty * change).ravel()

        solution = minimize(
            loss_and_gradient,
            np.zeros(inputs.shape[1] * n_classes),
            jac=True,
            method="L-BFGS-B",
            options={"maxiter": MAX_ITERATIONS},
        )
        change = solution.x.reshape(-1, n_classes)
        slopes = change[:-1] if basis is None else basis @ change[:-1]
        self.weights = prior + np.vstack([slopes, change[-1:]])
        return self

    def fit_augmented(
        self,
        features: Floats,
        dropped: Floats,
        targets: Integers,
        augmented: AugmentedTrials,
        n_classes: int,
    ) -> LogisticRegression:
        """Fit on trials and on augmented ones that lack some channels.

        Parameters
        ----------
        features : ndarray, shape (n, d)
            Of the trials.
        dropped : ndarray, shape (augmented, d)
            Of the augmented trials.
        targets : ndarray of int, shape (n,)
            Class indices of the trials.
        augmented : AugmentedTrials
            Sources and weights of the augmented trials.
        n_classes : int

        Returns
        -------
        LogisticRegression
        """
        weights = [
            np.full(len(features), augmented.trial_weight),
            np.full(len(dropped), augmented.weight),
        ]
        return self.fit(
            np.concatenate([features, dropped]),
            np.concatenate([targets, targets[augmented.source]]),
            n_classes,
            np.concatenate(weights),
        )

    def logits(self, features: Floats) -> Floats:
        """Return log probabilities up to a constant.

        Parameters
        ----------
        features : ndarray, shape (n, d)

        Returns
        -------
        logits : ndarray, shape (n, classes)
        """
        result: Floats = features @ self.weights[:-1] + self.weights[-1]
        return result

    def predict_proba(self, features: Floats) -> Floats:
        """Return probabilities.

        Parameters
        ----------
        features : ndarray, shape (n, d)

        Returns
        -------
        probabilities : ndarray, shape (n, classes)
        """
        probabilities: Floats = softmax(self.logits(features), axis=1)
        return probabilities


def row_space(features: Floats) -> Floats:
    """Return an orthonormal basis of the space that trials span.

    Parameters
    ----------
    features : ndarray, shape (n, d)

    Returns
    -------
    basis : ndarray, shape (d, n)
    """
    basis, _ = np.linalg.qr(features.T)
    return basis
