"""From labelled trials to a trained ensemble: whiten, start, train, fold everything back."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from sjepa_online.decoding.bad_channels.channel_dropout import LEAST_CHANNELS, draw_mask
from sjepa_online.decoding.bad_channels.interpolation import DynamicSpatialFilter
from sjepa_online.decoding.classifiers.fine_tuning import Strategy
from sjepa_online.decoding.classifiers.imagery import Mirror
from sjepa_online.decoding.classifiers.pre_local.ensemble import Ensemble, batches
from sjepa_online.decoding.classifiers.pre_local.networks import (
    ENCODER,
    SPATIAL,
    Layout,
    Weights,
    channel_powers,
    encode,
    encoder_weights,
    virtual_channels,
)
from sjepa_online.decoding.classifiers.pre_local.start import readout_start, spatial_start
from sjepa_online.decoding.classifiers.pre_local.training import (
    SMALLEST_VARIANCE,
    Folds,
    Schedule,
    Trials,
    Views,
    train,
)
from sjepa_online.decoding.features.spatial_filters import whitening
from sjepa_online.decoding.features.tangent_space import channel_covariances, filter_covariances
from sjepa_online.model.local_encoder import LocalEncoder
from sjepa_online.protocol import Paradigm
from sjepa_online.typing import Floats, Integers

#: Sets of missing channels that training meets.
N_MASKS = 16
#: Epochs whose features are computed at once.
BATCH_SIZE = 64


@dataclass(frozen=True)
class Recipe:
    """How an ensemble is made.

    Attributes
    ----------
    layout : Layout
    encoder : LocalEncoder
        Where the members' encoders begin.
    paradigm : {"ssvep", "erp", "mi"} or None
        Which spatial filters training begins with.
    n_stimuli : int
        Number of stimulus frequencies.
    strategy : {"new", "full"}
        Train the spatial filters and the readouts only, or the encoder too.
    schedule : Schedule
    mirror : Mirror or None
        Left and right exchanged, where classes have such an image.
    electrodes : sequence of int
        Channels over the sensorimotor cortex.
    seed : int
    device : str
        Where to train.
    """

    layout: Layout
    encoder: LocalEncoder
    paradigm: Paradigm | None
    n_stimuli: int
    strategy: Strategy
    schedule: Schedule
    mirror: Mirror | None
    electrodes: Sequence[int]
    seed: int
    device: str


def fit_ensemble(
    recipe: Recipe, X: Floats, powers: Floats, targets: Integers, folds: Folds
) -> Ensemble:
    """Train one network for each set of trials.

    Parameters
    ----------
    recipe : Recipe
    X : ndarray, shape (n, channels, samples)
        Epochs in µV at 128 Hz.
    powers : ndarray, shape (n, blocks, channels, channels)
        Their :func:`channel_powers`.
    targets : ndarray of int, shape (n,)
        Class indices.
    folds : sequence of ndarray of int
        The trials of each member.

    Returns
    -------
    ensemble : Ensemble
    """
    layout = recipe.layout
    covariance = channel_covariances(X).mean(axis=0)
    white = whitening(covariance, len(covariance))
    Z, white_powers = white @ X, filter_covariances(white, powers)
    views = make_views(white, covariance, recipe.mirror, int(targets.max()) + 1)
    labels = torch.from_numpy(targets.astype(np.int64))
    trials = Trials(_tensor(Z), labels, folds, _tensor(white_powers.mean(axis=0)), views)
    starts = [
        _start_spatial(recipe, Z[fold], white_powers[fold], targets[fold], views) for fold in folds
    ]
    weights = encoder_weights(recipe.encoder, len(folds)) | {SPATIAL: _tensor(np.stack(starts))}
    weights |= _start_readouts(layout, weights, trials, recipe.schedule)
    weights = {name: one.to(recipe.device) for name, one in weights.items()}
    on_device = trials.to(recipe.device)
    train(layout, weights, on_device, recipe.strategy, recipe.schedule, recipe.seed)
    weights = {name: one.cpu() for name, one in weights.items()}
    _settle_readouts(layout, weights, trials)
    if recipe.mirror is not None:
        weights = _with_images(weights, views)
    weights[SPATIAL] = weights[SPATIAL] @ _tensor(white)
    behind = _mean_powers(layout, weights, X)
    return Ensemble(layout, weights, np.concatenate([covariance[np.newaxis], behind]), X.shape[2])


def make_views(white: Floats, covariance: Floats, mirror: Mirror | None, n_classes: int) -> Views:
    """Return the views of whitened epochs that training meets; without masks of few channels.

    Parameters
    ----------
    white : ndarray, shape (channels, channels)
        What whitens the epochs.
    covariance : ndarray, shape (channels, channels)
        Of the channels before that.
    mirror : Mirror or None
    n_classes : int

    Returns
    -------
    views : Views
    """
    n_channels = len(white)
    rng = np.random.default_rng(0)
    colour = np.linalg.inv(white)
    everything = DynamicSpatialFilter(np.eye(n_channels), covariance[np.newaxis])
    maps = np.empty((0, n_channels, n_channels))
    if n_channels >= LEAST_CHANNELS:
        near = everything.correlations()
        masks = [
            draw_mask(rng, near if index % 2 else None, n_channels) for index in range(N_MASKS)
        ]
        maps = np.stack([everything.without(mask)[0] for mask in masks])
    image, classes = None, np.arange(n_classes)
    if mirror is not None:
        estimate, _ = everything.without(mirror.unknown)
        image = _tensor(white @ (estimate @ np.eye(n_channels)[mirror.channels]) @ colour)
        classes = mirror.classes
    return Views(_tensor(white @ maps @ colour), image, torch.from_numpy(classes.astype(np.int64)))


def _start_spatial(
    recipe: Recipe, Z: Floats, powers: Floats, targets: Integers, views: Views
) -> Floats:
    """Return the spatial filters of one member, from its trials and their images."""
    if views.mirror is not None:
        image = views.mirror.double().numpy()
        Z = np.concatenate([Z, image @ Z])
        powers = np.concatenate([powers, filter_covariances(image, powers)])
        targets = np.concatenate([targets, views.mirrored_classes.numpy()[targets]])
    return spatial_start(recipe.paradigm, Z, powers, targets, recipe.n_stimuli, recipe.electrodes)


def _start_readouts(
    layout: Layout, weights: Weights, trials: Trials, schedule: Schedule
) -> Weights:
    """Return the readouts' weights for standardised features."""
    n_classes = len(trials.views.mirrored_classes)
    if not schedule.analytic:
        return {
            name: one.new_zeros(len(one), one.shape[2] + 1, n_classes)
            for name, one in _features(layout, weights, trials.X[:1]).items()
        }
    features = _features(layout, weights, trials.X)
    targets, folds = trials.targets, [torch.from_numpy(fold) for fold in trials.folds]
    if trials.views.mirror is not None:
        images = weights | {SPATIAL: weights[SPATIAL] @ trials.views.mirror}
        seen = _features(layout, images, trials.X)
        features = {name: torch.cat([one, seen[name]], dim=1) for name, one in features.items()}
        folds = [torch.cat([fold, fold + len(targets)]) for fold in folds]
        targets = torch.cat([targets, trials.views.mirrored_classes[targets]])
    started: Weights = {}
    for name, one in features.items():
        members = []
        for values, fold in zip(one.double(), folds, strict=True):
            standard, _, _ = _standardised(values[fold])
            labels = targets[fold].numpy()
            members.append(readout_start(name, standard.numpy(), labels, n_classes))
        started[name] = _tensor(np.stack(members))
    return started


def _standardised(values: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Return features ``(n, d)`` of zero mean and unit variance, their mean and their scale."""
    mean = values.mean(dim=0)
    scale = torch.sqrt(values.var(dim=0, unbiased=False) + SMALLEST_VARIANCE)
    return (values - mean) / scale, mean, scale


def _settle_readouts(layout: Layout, weights: Weights, trials: Trials) -> None:
    """Make the readouts read raw features, with the classes as frequent as in the trials.

    Training standardises the features of each batch and weighs all classes the same.
    """
    features = _features(layout, weights, trials.X)
    n_classes = len(trials.views.mirrored_classes)
    for name, one in features.items():
        for member, fold in enumerate(trials.folds):
            values, weight = one[member, fold], weights[name][member]
            _, mean, scale = _standardised(values)
            weight[:-1] /= scale[:, None]
            weight[-1] -= mean @ weight[:-1]
            counts = torch.bincount(trials.targets[torch.from_numpy(fold)], minlength=n_classes)
            weight[-1] += (counts.clamp(min=1) / len(fold)).log()


def _with_images(weights: Weights, views: Views) -> Weights:
    """Add members that see every trial in the mirror, and name what they see by its image."""
    assert views.mirror is not None
    images = dict(weights) | {SPATIAL: weights[SPATIAL] @ views.mirror}
    for name in weights:
        if name != SPATIAL and not name.startswith(ENCODER):
            images[name] = weights[name][..., views.mirrored_classes]
    return {name: torch.cat([weights[name], images[name]]) for name in weights}


def _features(layout: Layout, weights: Weights, X: Tensor) -> dict[str, Tensor]:
    spatial = weights[SPATIAL]
    residual = spatial.new_zeros(*spatial.shape[:2], len(layout.rhythmic) + len(layout.frequencies))
    with torch.no_grad():
        parts = [
            encode(layout, weights, virtual_channels(spatial, batch), residual)
            for batch in torch.split(X, BATCH_SIZE)
        ]
    return {name: torch.cat([one[name] for one in parts], dim=1) for name in layout.readouts}


def _mean_powers(layout: Layout, weights: Weights, X: Floats) -> Floats:
    """Return the mean power behind the trained encoders ``(blocks, channels, channels)``."""
    mean = {"convolution0": weights["convolution0"].mean(dim=0, keepdim=True)}
    total = sum(channel_powers(layout, mean, batch).double().sum(dim=0) for batch in batches(X))
    assert isinstance(total, Tensor)
    return np.asarray(total / len(X))


def _tensor(array: Floats) -> Tensor:
    return torch.from_numpy(np.ascontiguousarray(array, dtype=np.float32))
