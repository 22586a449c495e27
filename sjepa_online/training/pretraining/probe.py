"""A probe: how well a linear classifier decodes frozen tokens of labelled recordings."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import numpy as np
import torch
from numpy.typing import NDArray
from sklearn.decomposition import PCA
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis
from sklearn.model_selection import LeaveOneGroupOut, StratifiedKFold, cross_val_predict
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import StandardScaler

from sjepa_online.data.source import load_sources
from sjepa_online.data.trials import Trials, make_trials
from sjepa_online.decoding.transfer.imagery.alignment import inverse_root
from sjepa_online.model import SignalJEPA
from sjepa_online.protocol import load_protocol
from sjepa_online.signal.preprocessor import PreprocessorConfig

_BATCH = 16
_N_FOLDS = 5
#: Share of the variance of the training trials that the classifier sees.
_N_COMPONENTS = 0.999
#: Samples from one dense token to the next.
_DENSE_STRIDE = 8
#: Shrinkage of each trial's covariance.
_SHRINKAGE = 0.05

#: What is read of a frozen network: its tokens in one row, or the covariances of the channels
#: over the time of tokens or, before its normalisation, of the first convolution's output.
Read = Literal[
    "contextual", "local", "contextual-covariance", "local-covariance", "first-covariance"
]


def load_probe_trials(
    sources: Sequence[str], protocol: str, preprocessing: PreprocessorConfig
) -> Trials:
    """Cut the labelled trials of a probe, preprocessed as the corpus is.

    Parameters
    ----------
    sources : sequence of str
        SOURCEs.
    protocol : str
        Name or path of the trials' protocol.
    preprocessing : PreprocessorConfig

    Returns
    -------
    Trials

    Raises
    ------
    InputError
        As for :func:`sjepa_online.data.trials.make_trials`.
    """
    return make_trials(load_sources(sources), load_protocol(protocol), preprocessing)


def token_features(
    network: SignalJEPA, X: NDArray[np.float32], read: Read = "contextual"
) -> NDArray[np.float64]:
    """Return what is read of each trial in one row.

    Parameters
    ----------
    network : SignalJEPA
        Bound to the channels of ``X``.
    X : array, shape (n, channels, samples)
        µV at 128 Hz.
    read : str
        One of :data:`Read`.

    Returns
    -------
    array, shape (n, features)
        Tokens: channels * time * d_model. Covariances: their logarithms, after whitening by
        their mean over the trials, one for each dimension (contextual tokens: one in all).
    """
    was_training = network.training
    network.eval()
    device = network.channel_embedding.table.device
    with torch.no_grad():
        batches = torch.split(torch.from_numpy(X).to(device), _BATCH)
        tokens = torch.cat([_read(network, batch, read).cpu() for batch in batches])
    network.train(was_training)
    if read in ("contextual", "local"):
        return tokens.double().flatten(1).numpy()
    return _log_covariances(tokens.double().numpy())


def _read(network: SignalJEPA, x: torch.Tensor, read: Read) -> torch.Tensor:
    """Return tokens, or covariances ``(n, dimensions, channels, channels)``."""
    encoder = network.local_encoder
    signal: torch.Tensor
    if read in ("contextual", "local"):
        signal = network(x) if read == "contextual" else encoder(x)
        return signal
    if read == "contextual-covariance":
        signal = network(x).reshape(*x.shape[:2], -1, network.config.d_model)
    elif read == "local-covariance":
        signal = encoder.dense_tokens(x, _DENSE_STRIDE)
    else:
        first = encoder.convolutions[0](x.flatten(0, 1).unsqueeze(1))
        signal = first.reshape(*x.shape[:2], *first.shape[1:]).transpose(2, 3)
    signal = signal - signal.mean(dim=2, keepdim=True)
    covariances = torch.einsum("nctd,nktd->ndck", signal, signal)
    # four contextual tokens of a channel give no covariance of one dimension
    if read == "contextual-covariance":
        return covariances.mean(dim=1, keepdim=True)
    return covariances


def _log_covariances(covariances: NDArray[np.float64]) -> NDArray[np.float64]:
    n_channels = covariances.shape[-1]
    scale = np.trace(covariances, axis1=2, axis2=3)[..., None, None] / n_channels
    identity = np.eye(n_channels) * np.maximum(scale, np.finfo(float).tiny)
    shrunk = (1 - _SHRINKAGE) * covariances + _SHRINKAGE * identity
    rows, columns = np.triu_indices(n_channels)
    features = []
    for of_dimension in shrunk.swapaxes(0, 1):
        whitening = inverse_root(of_dimension.mean(axis=0))
        values, vectors = np.linalg.eigh(whitening @ of_dimension @ whitening)
        logarithm = (vectors * np.log(values)[:, None]) @ vectors.swapaxes(1, 2)
        features.append(logarithm[:, rows, columns])
    return np.concatenate(features, axis=1)


def linear_probe() -> Pipeline:
    """Return a shrinkage LDA on the principal components, since there are few trials.

    Returns
    -------
    pipeline : Pipeline
    """
    return make_pipeline(
        StandardScaler(),
        PCA(_N_COMPONENTS, svd_solver="full"),
        LinearDiscriminantAnalysis(solver="lsqr", shrinkage="auto"),
    )


def probe_accuracy(network: SignalJEPA, trials: Trials, read: Read = "contextual") -> float:
    """Cross-validate a shrinkage LDA on what is read of a frozen network.

    A recording is left out at a time; of a single one, blocks of trials.

    Parameters
    ----------
    network : SignalJEPA
    trials : Trials
    read : str
        One of :data:`Read`.

    Returns
    -------
    float
        Mean over classes of the share of trials that are recognised, so that chance is one
        over the number of classes.
    """
    features = token_features(network.with_channels(trials.ch_names), trials.X, read)
    several = len(np.unique(trials.recording)) > 1
    folds = LeaveOneGroupOut() if several else StratifiedKFold(_N_FOLDS)
    predicted = cross_val_predict(
        linear_probe(), features, trials.y, groups=trials.recording, cv=folds
    )
    recalls = [np.mean(predicted[trials.y == name] == name) for name in np.unique(trials.y)]
    return float(np.mean(recalls))
