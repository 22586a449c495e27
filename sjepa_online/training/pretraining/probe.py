"""A probe: how well a linear classifier decodes frozen tokens of labelled recordings."""

from __future__ import annotations

from collections.abc import Sequence

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
from sjepa_online.model import SignalJEPA
from sjepa_online.protocol import load_protocol
from sjepa_online.signal.preprocessor import PreprocessorConfig

_BATCH = 16
_N_FOLDS = 5
#: Share of the variance of the training trials that the classifier sees.
_N_COMPONENTS = 0.999


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


def token_features(network: SignalJEPA, X: NDArray[np.float32]) -> NDArray[np.float64]:
    """Return the contextual tokens of each trial in one row.

    Parameters
    ----------
    network : SignalJEPA
        Bound to the channels of ``X``.
    X : array, shape (n, channels, samples)
        µV at 128 Hz.

    Returns
    -------
    array, shape (n, channels * time * d_model)
    """
    was_training = network.training
    network.eval()
    device = network.channel_embedding.table.device
    with torch.no_grad():
        batches = torch.split(torch.from_numpy(X).to(device), _BATCH)
        tokens = torch.cat([network(batch).cpu() for batch in batches])
    network.train(was_training)
    return tokens.double().flatten(1).numpy()


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


def probe_accuracy(network: SignalJEPA, trials: Trials) -> float:
    """Cross-validate a shrinkage LDA on frozen tokens.

    A recording is left out at a time; of a single one, blocks of trials.

    Parameters
    ----------
    network : SignalJEPA
    trials : Trials

    Returns
    -------
    float
        Mean over classes of the share of trials that are recognised, so that chance is one
        over the number of classes.
    """
    features = token_features(network.with_channels(trials.ch_names), trials.X)
    several = len(np.unique(trials.recording)) > 1
    folds = LeaveOneGroupOut() if several else StratifiedKFold(_N_FOLDS)
    predicted = cross_val_predict(
        linear_probe(), features, trials.y, groups=trials.recording, cv=folds
    )
    recalls = [np.mean(predicted[trials.y == name] == name) for name in np.unique(trials.y)]
    return float(np.mean(recalls))
