"""Spatial filters: from electrodes to virtual channels."""

from __future__ import annotations

import numpy as np
from scipy.linalg import eigh

from sjepa_online.decoding.features.tangent_space import shrink
from sjepa_online.typing import Floats, Integers

#: Virtual channels of second-order readouts, where there are more electrodes.
MAX_VIRTUAL = 24
#: The same for responses of known frequency, whose filters put the response first.
MAX_RESPONSE = 16
#: xDAWN filters for each class.
N_XDAWN = 4
#: Shrinkage of covariances towards a multiple of the identity.
SHRINKAGE = 0.02


def whitening(covariance: Floats, n_virtual: int = MAX_VIRTUAL) -> Floats:
    """Return a spatial filter that decorrelates the channels.

    The inverse square root of the covariance, which stays closest to the electrodes; or its
    leading principal components, where there are more electrodes than virtual channels.

    Parameters
    ----------
    covariance : ndarray, shape (channels, channels)
    n_virtual : int
        Most virtual channels.

    Returns
    -------
    filters : ndarray, shape (virtual, channels)
    """
    values, vectors = np.linalg.eigh(shrink(covariance, SHRINKAGE))
    if n_virtual >= len(values):
        return np.asarray((vectors / np.sqrt(values)) @ vectors.T)
    return np.asarray((vectors[:, -n_virtual:] / np.sqrt(values[-n_virtual:])).T)


def response_filters(covariance: Floats, response: Floats) -> Floats:
    """Return the filters of the largest share of a narrow-band response.

    Generalised eigenvectors of the covariance at the frequencies that matter against that of
    everything, without labels (Cohen and Gulbinaite 2017; de Cheveigné and Parra 2014). With
    few electrodes nothing is left out, so the plain whitening serves.

    Parameters
    ----------
    covariance : ndarray, shape (channels, channels)
        Of the broadband signal.
    response : ndarray, shape (channels, channels)
        Mean covariance at the frequencies that matter.

    Returns
    -------
    filters : ndarray, shape (virtual, channels)
    """
    if len(covariance) <= MAX_RESPONSE:
        return whitening(covariance)
    _, vectors = eigh(response, shrink(covariance, SHRINKAGE))
    return np.asarray(vectors[:, -MAX_RESPONSE:].T)


def xdawn(X: Floats, targets: Integers) -> Floats:
    """Return the xDAWN filters of every class (Rivet et al. 2009).

    Parameters
    ----------
    X : ndarray, shape (n, channels, samples)
    targets : ndarray of int, shape (n,)
        Class indices.

    Returns
    -------
    filters : ndarray, shape (virtual, channels)
        As many for each class, in the order of the classes.
    """
    from pyriemann.spatialfilters import Xdawn

    filters: Floats = Xdawn(min(N_XDAWN, X.shape[1]), estimator="lwf").fit(X, targets).filters_
    return filters
