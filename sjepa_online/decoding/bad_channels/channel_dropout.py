"""Spatial filters that go on without some of the channels, in the mean as if all were there.

With W the trained filter, B the bad and G the good channels, the filter in force is
W_G + W_B A with A = C_BG (C_GG + λI)^-1 (the dynamic spatial filter). What A cannot predict of the
bad channels is missing from the power of the filtered signal, and a matrix without it is
singular: to second-order features the expected rest is added, the conditional covariance of B
given G (the completion step of the EM algorithm for Gaussian data, Dempster et al. 1977).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from sjepa_online.decoding.bad_channels.interpolation import REGULARISATION
from sjepa_online.decoding.features.tangent_space import filter_covariances
from sjepa_online.model import compensation

Floats = NDArray[np.float64]
Mask = NDArray[np.bool_]

#: Copies of every training trial with random channels missing.
N_COPIES = 4
#: With fewer channels each holds what no other knows, and copies without it teach nothing.
LEAST_CHANNELS = 6
#: Masks that the trials of a copy share among them.
MASKS_PER_COPY = 4
#: From this share of missing channels on, the weights fitted on such copies decide alone.
MANY_MISSING = 0.25


class FilterWithoutChannels:
    """A spatial filter, and what replaces it while channels are bad.

    Parameters
    ----------
    spatial : ndarray, shape (virtual, channels)
        The trained filter W.
    covariances : ndarray, shape (blocks, channels, channels)
        Mean covariance of the channels in the calibration, for each second-order feature.
    """

    def __init__(self, spatial: Floats, covariances: Floats) -> None:
        self.spatial = spatial
        self.covariances = covariances
        scale = np.trace(covariances, axis1=-2, axis2=-1)[:, np.newaxis, np.newaxis]
        scaled = covariances / np.maximum(scale, np.finfo(float).tiny)
        self._kernel: Floats = scaled.mean(axis=0) if len(scaled) else np.empty((0, 0))
        self._mask: Mask | None = None
        self._in_force = (spatial, np.zeros((len(covariances), len(spatial), len(spatial))))

    def without(self, bad: Mask | None) -> tuple[Floats, Floats]:
        """Return the filter in force and the expected rest.

        Parameters
        ----------
        bad : ndarray of bool, shape (channels,), or None
            Channels to do without; None for none.

        Returns
        -------
        spatial : ndarray, shape (virtual, channels)
            Zero in the columns of bad channels.
        rest : ndarray, shape (blocks, virtual, virtual)
            What to add to covariances of the filtered signal; zero while all are good.
        """
        if bad is None:
            return self.spatial, np.zeros_like(self._in_force[1])
        if self._mask is None or not np.array_equal(bad, self._mask):
            self._in_force = self._complete(bad)
            self._mask = bad.copy()
        return self._in_force

    def neighbourhood(self) -> Floats:
        """Return how much channels resemble each other: their correlations, -1 to 1."""
        amplitude = np.sqrt(np.maximum(np.diag(self._kernel), np.finfo(float).tiny))
        resemblance: Floats = self._kernel / np.outer(amplitude, amplitude)
        return resemblance

    def _complete(self, bad: Mask) -> tuple[Floats, Floats]:
        in_force = np.zeros_like(self.spatial)
        in_force[:, ~bad] = self.spatial @ compensation(self._kernel, bad, REGULARISATION)
        # W - W_G - W_B A reads the residual of B
        return in_force, filter_covariances(self.spatial - in_force, self.covariances)


def weights_without(weights: Floats, thinned: Floats, bad: Mask | None) -> Floats:
    """Return the weights that decide while channels are bad.

    With one channel of many missing a trial is nearly whole; with a quarter missing it looks
    like the copies of :func:`thin`. In between the weights are mixed.

    Parameters
    ----------
    weights, thinned : ndarray, shape (d + 1, classes)
        Fitted on whole trials, and on copies without channels as well.
    bad : ndarray of bool, shape (channels,), or None
        Channels to do without; None for none.
    """
    if bad is None:
        return weights
    share = min(1.0, float(bad.mean()) / MANY_MISSING)
    return (1 - share) * weights + share * thinned


def draw_mask(rng: np.random.Generator, neighbourhood: Floats | None, n_channels: int) -> Mask:
    """Draw channels to do without: single ones, or a block where a neighbourhood is given."""
    n_bad = int(rng.integers(1, n_channels // 2 + 1))
    if neighbourhood is None:
        order = rng.permutation(n_channels)
    else:
        order = np.argsort(-neighbourhood[rng.integers(n_channels)], kind="stable")
    bad = np.zeros(n_channels, dtype=bool)
    bad[order[:n_bad]] = True
    return bad


@dataclass(frozen=True)
class ThinnedTrials:
    """Copies of trials as they look while random channels are bad.

    Attributes
    ----------
    matrices : ndarray, shape (copies, blocks, virtual, virtual)
    source : ndarray of int, shape (copies,)
        Which trial each is a copy of.
    weight : float
        Of a copy: all copies of a trial together count as half a trial.
    """

    matrices: Floats
    source: NDArray[np.intp]
    weight: float

    @property
    def trial_weight(self) -> float:
        """Weight of the trial itself, which makes the sum one."""
        return 0.5 if len(self.source) else 1.0


def thin(spatial_filter: FilterWithoutChannels, matrices: Floats) -> ThinnedTrials:
    """Leave random channels out of trials, up to half of them.

    A classifier that sees such copies in training relies neither on single channels nor on one
    region: in every other copy they are a spatial block, a channel and those that resemble it
    most. The masks are drawn with a fixed seed: what is fitted stays deterministic. Of fewer
    than 6 channels none is left out.

    Parameters
    ----------
    spatial_filter : FilterWithoutChannels
    matrices : ndarray, shape (n, blocks, channels, channels)
        Quadratic in the channels.
    """
    n_trials, _, n_channels, _ = matrices.shape
    rng = np.random.default_rng(0)
    neighbourhood = spatial_filter.neighbourhood()
    parts = []
    sources = []
    for copy in range(N_COPIES if n_channels >= LEAST_CHANNELS else 0):
        for trials in np.array_split(rng.permutation(n_trials), MASKS_PER_COPY):
            bad = draw_mask(rng, neighbourhood if copy % 2 else None, n_channels)
            spatial, rest = spatial_filter.without(bad)
            parts.append(filter_covariances(spatial, matrices[trials]) + rest)
            sources.append(trials)
    if not parts:
        n_virtual = len(spatial_filter.spatial)
        empty = np.empty((0, matrices.shape[1], n_virtual, n_virtual))
        return ThinnedTrials(empty, np.empty(0, dtype=np.intp), 0.0)
    return ThinnedTrials(np.concatenate(parts), np.concatenate(sources), 0.5 / N_COPIES)
