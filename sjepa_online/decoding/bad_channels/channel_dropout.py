"""Channel dropout: classifiers are fitted on augmented trials, too, that lack random channels."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from sjepa_online.decoding.bad_channels.interpolation import DynamicSpatialFilter
from sjepa_online.decoding.features.tangent_space import filter_covariances
from sjepa_online.typing import BoolMask, Floats, Indices

#: Augmented trials that are made of every training trial.
N_AUGMENTED = 4
#: With fewer channels each holds what no other knows, and dropping one teaches nothing.
LEAST_CHANNELS = 6
#: Masks that the trials of one pass share among them.
MASKS_PER_PASS = 4
#: From this share of bad channels on, the weights fitted on augmented trials decide alone.
MANY_BAD = 0.25


@dataclass(frozen=True)
class AugmentedTrials:
    """Trials as they look while random channels are bad.

    Attributes
    ----------
    matrices : ndarray, shape (augmented, blocks, virtual, virtual)
    source : ndarray of int, shape (augmented,)
        The trial that each was made of.
    weight : float
        Of an augmented trial: those of one source together count as half a trial.
    """

    matrices: Floats
    source: Indices
    weight: float

    @property
    def trial_weight(self) -> float:
        """Weight of the source itself, which makes the sum one."""
        return 0.5 if len(self.source) else 1.0


def drop_channels(spatial_filter: DynamicSpatialFilter, matrices: Floats) -> AugmentedTrials:
    """Make augmented trials without random channels, up to half of them.

    A classifier that sees them in training relies neither on single channels nor on one
    region: in every other pass the dropped channels are a spatial block, a channel and those that
    correlate most with it. The masks are drawn with a fixed seed: what is fitted stays
    deterministic. Of fewer than 6 channels none is dropped.

    Parameters
    ----------
    spatial_filter : DynamicSpatialFilter
    matrices : ndarray, shape (n, blocks, channels, channels)
        Quadratic in the channels.

    Returns
    -------
    AugmentedTrials
    """
    n_trials, _, n_channels, _ = matrices.shape
    rng = np.random.default_rng(0)
    correlations = spatial_filter.correlations()
    parts = []
    sources = []
    for step in range(N_AUGMENTED if n_channels >= LEAST_CHANNELS else 0):
        for trials in np.array_split(rng.permutation(n_trials), MASKS_PER_PASS):
            bad = draw_mask(rng, correlations if step % 2 else None, n_channels)
            spatial, residual = spatial_filter.without(bad)
            parts.append(filter_covariances(spatial, matrices[trials]) + residual)
            sources.append(trials)
    if not parts:
        n_virtual = len(spatial_filter.spatial)
        empty = np.empty((0, matrices.shape[1], n_virtual, n_virtual))
        return AugmentedTrials(empty, np.empty(0, dtype=np.intp), 0.0)
    return AugmentedTrials(np.concatenate(parts), np.concatenate(sources), 0.5 / N_AUGMENTED)


def blend_weights(weights: Floats, augmented: Floats, bad: BoolMask | None) -> Floats:
    """Return the weights that decide while channels are bad.

    With one channel of many bad a trial is nearly whole; with a quarter bad it looks like the
    trials of :func:`drop_channels`. In between the weights are mixed.

    Parameters
    ----------
    weights, augmented : ndarray, shape (d + 1, classes)
        Fitted on whole trials, and on augmented ones as well.
    bad : ndarray of bool, shape (channels,), or None
        Channels to do without; None for none.

    Returns
    -------
    weights : ndarray, shape (d + 1, classes)
    """
    if bad is None:
        return weights
    share = min(1.0, float(bad.mean()) / MANY_BAD)
    return (1 - share) * weights + share * augmented


def draw_mask(rng: np.random.Generator, correlations: Floats | None, n_channels: int) -> BoolMask:
    """Draw up to half of the channels.

    Parameters
    ----------
    rng : numpy.random.Generator
    correlations : ndarray, shape (channels, channels), or None
        With them a block is drawn: a channel and those that correlate most with it. None for
        channels that are drawn one by one.
    n_channels : int

    Returns
    -------
    bad : ndarray of bool, shape (channels,)
    """
    n_bad = int(rng.integers(1, n_channels // 2 + 1))
    if correlations is None:
        order = rng.permutation(n_channels)
    else:
        order = np.argsort(-correlations[rng.integers(n_channels)], kind="stable")
    bad = np.zeros(n_channels, dtype=bool)
    bad[order[:n_bad]] = True
    return bad
