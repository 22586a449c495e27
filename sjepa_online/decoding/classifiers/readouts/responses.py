"""Readouts of responses to an event: their time course, and their shape against mean responses."""

from __future__ import annotations

from typing import ClassVar, Self

import numpy as np

from sjepa_online.decoding.bad_channels.interpolation import DynamicSpatialFilter
from sjepa_online.decoding.base import EPOCHS, Features
from sjepa_online.decoding.classifiers.logistic import LogisticRegression, row_space
from sjepa_online.decoding.classifiers.readouts.base import Readout
from sjepa_online.decoding.features.filterbank_covariances import filterbank_covariances
from sjepa_online.decoding.features.lagged_noise import decimation
from sjepa_online.decoding.features.spatial_filters import whitening, xdawn
from sjepa_online.decoding.features.tangent_space import TangentSpace, flatten, shrunk_covariances
from sjepa_online.typing import BoolMask, Floats, Integers

#: The paper's stride of the first convolution.
STRIDE = 8
#: Samples at 128 Hz of an epoch that the smoothed time course reads: 0.8 s.
RESPONSE = 102


class ResponseReadout(Readout):
    """Reads responses that follow an event: through xDAWN filters (Rivet et al. 2009)."""

    #: The covariance of the channels behind the kernels, among the features.
    power: ClassVar[str] = "slow-power"

    def features(self, X: Floats) -> Features:
        """Return the epochs and the channels' power. See :meth:`Readout.features`."""
        return {EPOCHS: X, self.power: self._in_batches(X)}

    def _raw_matrices(self, X: Floats) -> Floats:
        """Return ``(n, kernels, channels, channels)``, quadratic in the channels."""
        return filterbank_covariances(X, self.kernels)

    def _fit_filters(self, features: Features, targets: Integers) -> Floats:
        """Fit the filters, and return the virtual channels ``(n, virtual, samples)``."""
        spatial = xdawn(features[EPOCHS], targets)
        self.filter = DynamicSpatialFilter(spatial, features[self.power].mean(axis=0))
        return self._virtual(features)

    def _virtual(self, features: Features) -> Floats:
        virtual: Floats = self.filter.spatial @ features[EPOCHS]
        return virtual


class PhaseLocked(ResponseReadout):
    """xDAWN virtual channels, time course, shrinkage LDA."""

    kind = "phase-locked"

    def fit(
        self,
        features: Features,
        targets: Integers,
        n_classes: int,
        *,
        channel_dropout: bool = False,
    ) -> Self:
        """Fit the filters and the classifier. See :meth:`Readout.fit`."""
        vectors = self._time_courses(self._fit_filters(features, targets))
        self.weights = discriminant(vectors, targets)
        return self

    def vectors(self, features: Features) -> Floats:
        """Return the filtered virtual channels at the paper's stride.

        See :meth:`Readout.vectors`.
        """
        return self._time_courses(self._virtual(features))

    def log_proba_of(self, X: Floats, bad: BoolMask | None = None) -> Floats:
        """Return log probabilities of epochs. See :meth:`Readout.log_proba_of`."""
        spatial, _ = self.filter.without(bad)
        return self._classify(self._time_courses(spatial @ X))

    def _time_courses(self, virtual: Floats) -> Floats:
        return self._convolve(virtual, STRIDE).reshape(len(virtual), -1)


class TimeCourse(ResponseReadout):
    """Whitened channels, smoothed time course of the response, shrinkage LDA."""

    kind = "time-course"

    def fit(
        self,
        features: Features,
        targets: Integers,
        n_classes: int,
        *,
        channel_dropout: bool = False,
    ) -> Self:
        """Fit the filter and the classifier. See :meth:`Readout.fit`."""
        X = features[EPOCHS]
        covariance = np.tensordot(X, X, axes=((0, 2), (0, 2))) / (len(X) * X.shape[2])
        self.filter = DynamicSpatialFilter(whitening(covariance), features[self.power].mean(axis=0))
        self.weights = discriminant(self.vectors(features), targets)
        return self

    def vectors(self, features: Features) -> Floats:
        """Return the smoothed virtual channels. See :meth:`Readout.vectors`."""
        return self._smooth(self._virtual(features))

    def log_proba_of(self, X: Floats, bad: BoolMask | None = None) -> Floats:
        """Return log probabilities of epochs. See :meth:`Readout.log_proba_of`."""
        spatial, _ = self.filter.without(bad)
        return self._classify(self._smooth(spatial @ X))

    def _smooth(self, virtual: Floats) -> Floats:
        shown = virtual[..., :RESPONSE]
        return (shown @ decimation(shown.shape[-1], STRIDE).T).reshape(len(virtual), -1)


class TemplateCovariance(ResponseReadout):
    """Covariance of the trial with the classes' mean responses (Barachant and Congedo 2014)."""

    kind = "template-covariance"

    def __init__(self, kernels: Floats) -> None:
        super().__init__(kernels)
        self.templates: Floats = np.empty((0, 0, 0))
        self.tangent = TangentSpace()

    def fit(
        self,
        features: Features,
        targets: Integers,
        n_classes: int,
        *,
        channel_dropout: bool = False,
    ) -> Self:
        """Fit the filters, the templates and the classifier. See :meth:`Readout.fit`."""
        filtered = self._convolve(self._fit_filters(features, targets))
        share = len(self.filter.spatial) // n_classes
        self.templates = np.concatenate(
            [
                filtered[targets == index].mean(axis=0)[:, index * share : (index + 1) * share]
                for index in range(n_classes)
            ],
            axis=1,
        )
        covariances = self._covariances(filtered)
        vectors = flatten(self.tangent.fit(covariances).transform(covariances))
        self.weights = LogisticRegression().fit(vectors, targets, n_classes).weights
        return self

    def vectors(self, features: Features) -> Floats:
        """Return tangent vectors of the covariances. See :meth:`Readout.vectors`."""
        covariances = self._covariances(self._convolve(self._virtual(features)))
        return flatten(self.tangent.transform(covariances))

    def log_proba_of(self, X: Floats, bad: BoolMask | None = None) -> Floats:
        """Return log probabilities of epochs. See :meth:`Readout.log_proba_of`."""
        spatial, residual = self.filter.without(bad)
        covariances = self._covariances(self._convolve(spatial @ X))
        n_virtual = len(spatial)
        covariances[..., -n_virtual:, -n_virtual:] += residual
        return self._classify(flatten(self.tangent.transform(covariances)))

    def arrays(self) -> dict[str, Floats]:
        """Return the fitted arrays by name. See :meth:`Readout.arrays`."""
        references = self.tangent.references
        return {**super().arrays(), "templates": self.templates, "references": references}

    def restore(self, arrays: dict[str, Floats]) -> Self:
        """Set the fitted arrays. See :meth:`Readout.restore`."""
        self.templates = arrays["templates"]
        self.tangent = TangentSpace(arrays["references"])
        return super().restore(arrays)

    def _covariances(self, filtered: Floats) -> Floats:
        """Return the covariances of templates and trial, ``(n, kernels, d, d)``."""
        templates = np.broadcast_to(self.templates, (len(filtered), *self.templates.shape))
        return shrunk_covariances(np.concatenate([templates, filtered], axis=2))


def discriminant(features: Floats, targets: Integers) -> Floats:
    """Fit shrinkage LDA; where there are more features than trials, in the space they span.

    Parameters
    ----------
    features : ndarray, shape (n, d)
    targets : ndarray of int, shape (n,)
        Class indices.

    Returns
    -------
    weights : ndarray, shape (d + 1, classes)
        The intercepts in the last row.
    """
    from sklearn.discriminant_analysis import LinearDiscriminantAnalysis

    basis = row_space(features) if features.shape[1] > len(features) else None
    lda = LinearDiscriminantAnalysis(solver="lsqr", shrinkage="auto")
    lda.fit(features if basis is None else features @ basis, targets)
    slopes = lda.coef_ if basis is None else lda.coef_ @ basis.T
    return _two_sided(slopes, lda.intercept_)


def _two_sided(slopes: Floats, intercepts: Floats) -> Floats:
    """Return linear weights with one column a class; scikit-learn has one for two classes."""
    weights: Floats = np.vstack([slopes.T, intercepts[np.newaxis]])
    if weights.shape[1] == 1:
        weights = np.hstack([np.zeros_like(weights), weights])
    return weights
