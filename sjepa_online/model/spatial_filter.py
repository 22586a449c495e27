"""Dynamic spatial filtering: a filter over channels that goes on when some of them are bad.

With W the trained filter, B the bad and G the good channels, the filter in force is
W_G + W_B A with A = K_BG (K_GG + λI)^-1. With the covariance of the signal as kernel K, A is
the Wiener estimate of the bad channels (least squares); with a kernel over electrode
positions or embeddings it is a smooth interpolation.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import cho_factor, cho_solve
from scipy.spatial.distance import pdist, squareform

from sjepa_online.errors import InputError
from sjepa_online.model.channel_embedding import slow_dimensions

Floats = NDArray[np.floating]


def covariance_kernel(X: Floats) -> NDArray[np.float64]:
    """Return the covariance of channels.

    Parameters
    ----------
    X : array, shape (n, channels, samples)
        Epochs in µV, of zero mean over time up to a drift that the mean of each removes.

    Returns
    -------
    array, shape (channels, channels)
        In µV².
    """
    centred = X.astype(np.float64) - X.mean(axis=-1, keepdims=True, dtype=np.float64)
    n_samples = X.shape[0] * X.shape[2]
    covariance: NDArray[np.float64] = (
        np.tensordot(centred, centred, axes=([0, 2], [0, 2])) / n_samples
    )
    return covariance


def embedding_kernel(embeddings: Floats) -> NDArray[np.float64]:
    """Return a Gaussian kernel over the slow dimensions of the embeddings of channels.

    Its width is the median distance between two channels.

    Parameters
    ----------
    embeddings : array, shape (channels, d_spatial)
        What :class:`ChannelEmbedding` gives.

    Returns
    -------
    array, shape (channels, channels)
        One on the diagonal.
    """
    slow = np.asarray(embeddings, dtype=np.float64)[:, slow_dimensions(embeddings.shape[1])]
    distances = pdist(slow)
    kernel: NDArray[np.float64] = np.exp(-0.5 * (squareform(distances) / np.median(distances)) ** 2)
    return kernel


def blended_kernel(covariance: Floats, correlation: Floats, share: float) -> NDArray[np.float64]:
    """Blend the covariance seen in calibration with a kernel that knows positions.

    Parameters
    ----------
    covariance : array, shape (channels, channels)
        From :func:`covariance_kernel`.
    correlation : array, shape (channels, channels)
        A kernel with ones on its diagonal, such as :func:`embedding_kernel`; it takes the
        amplitudes of ``covariance``.
    share : float
        Share of ``correlation``, from 0 (covariance alone) to 1.

    Returns
    -------
    array, shape (channels, channels)

    Raises
    ------
    InputError
        The share is outside 0 to 1.
    """
    if not 0 <= share <= 1:
        raise InputError(
            "The share of the embedding kernel is not between 0 and 1",
            value=share,
            remedy="Choose a value in between.",
        )
    amplitude = np.sqrt(np.diag(covariance))
    scaled = amplitude[:, np.newaxis] * correlation * amplitude
    blended: NDArray[np.float64] = (1 - share) * covariance + share * scaled
    return blended


def interpolation_matrix(
    kernel: Floats, bad: NDArray[np.bool_], regularisation: float
) -> NDArray[np.float64]:
    """Return the map from the good channels to an estimate of all channels.

    The filter in force for the good channels is ``W @ interpolation_matrix(...)``.

    Parameters
    ----------
    kernel : array, shape (channels, channels)
        Symmetric and positive semidefinite.
    bad : array of bool, shape (channels,)
        Which channels are bad.
    regularisation : float
        λ as a share of the good channels' mean variance, above 0.

    Returns
    -------
    array, shape (channels, good channels)
        The identity in the rows of good channels, A in those of bad ones.

    Raises
    ------
    InputError
        No channel is good, or the regularisation is not positive.
    """
    good = np.flatnonzero(~bad)
    if good.size == 0 or regularisation <= 0:
        raise InputError(
            "Bad channels cannot be estimated without a good channel and a positive regularisation",
            value=f"{good.size} good channels, regularisation {regularisation}",
            remedy="Mend an electrode, or choose a regularisation such as 0.01.",
        )
    among_good = kernel[np.ix_(good, good)].astype(np.float64)
    among_good[np.diag_indices_from(among_good)] += regularisation * np.diag(among_good).mean()
    result = np.zeros((len(bad), good.size))
    result[good, np.arange(good.size)] = 1.0
    to_bad = kernel[np.ix_(good, np.flatnonzero(bad))]
    result[bad] = cho_solve(cho_factor(among_good), to_bad).T
    return result
