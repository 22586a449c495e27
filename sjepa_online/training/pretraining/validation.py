"""Measures on validation examples after each epoch."""

from __future__ import annotations

from collections import Counter

import numpy as np
import torch

from sjepa_online.model import SignalJEPA
from sjepa_online.training.pretraining.corpus import Corpus
from sjepa_online.training.pretraining.devices import Devices
from sjepa_online.training.pretraining.monitor import embedding_spread
from sjepa_online.training.pretraining.objective import Objective
from sjepa_online.training.pretraining.recipe import Recipe

#: In the place of the epoch's number: validation masks are the same in every epoch.
_VALIDATION = 2**32 - 1
_SPREAD_EXAMPLES = 32
_SPREAD_BATCH = 4


@torch.no_grad()
def validate(objective: Objective, recipe: Recipe, corpus: Corpus, devices: Devices) -> float:
    """Compute the loss on all validation examples, which the devices share.

    Parameters
    ----------
    objective : Objective
    recipe : Recipe
    corpus : Corpus
    devices : Devices

    Returns
    -------
    float
    """
    objective.network.eval()
    fabric = devices.fabric
    batch_size = recipe.optimisation.batch_size
    sums = torch.zeros(2, dtype=torch.float64)
    for start in range(0, len(corpus.validation), batch_size):
        batch = corpus.batch(
            recipe,
            corpus.validation[start : start + batch_size],
            (recipe.optimisation.seed, _VALIDATION, start),
            devices.pass_tokens,
            (fabric.global_rank, fabric.world_size),
        )
        for part in (part for passes in batch.slices.values() for part in passes):
            with fabric.autocast():
                error = objective(part)
            sums += torch.tensor([float(error), float(part.hidden.sum())])
    if fabric.world_size > 1:
        sums = fabric.all_reduce(sums.to(fabric.device), reduce_op="sum")
    return float(sums[0] / sums[1])


@torch.no_grad()
def validation_spread(network: SignalJEPA, recipe: Recipe, corpus: Corpus) -> tuple[float, float]:
    """Measure the spread of the embeddings of examples of the most frequent montage.

    Parameters
    ----------
    network : SignalJEPA
    recipe : Recipe
    corpus : Corpus

    Returns
    -------
    std, effective_rank : float
        See :func:`sjepa_online.training.pretraining.monitor.embedding_spread`.
    """
    network.eval()
    montages = [corpus.shards[example.shard].ch_names for example in corpus.validation]
    ch_names = Counter(montages).most_common(1)[0][0]
    of_montage = [
        example
        for example, names in zip(corpus.validation, montages, strict=True)
        if names == ch_names
    ]
    chosen = np.unique(np.linspace(0, len(of_montage) - 1, _SPREAD_EXAMPLES).astype(int))
    signal = torch.stack([corpus.window(recipe.examples, of_montage[i]) for i in chosen])
    bound = network.with_channels(ch_names)
    device = network.channel_embedding.table.device
    batches = torch.split(signal.to(device), _SPREAD_BATCH)
    tokens = torch.cat([bound(batch) for batch in batches])
    return embedding_spread(tokens)
