"""Train both kinds of network of a population of imagery, and judge them on people left out."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from sjepa_online.decoding.transfer.imagery.completion import Completion
from sjepa_online.decoding.transfer.imagery.power_network import PowerNetwork
from sjepa_online.decoding.transfer.imagery.spatiotemporal_network import SpatioTemporalNetwork
from sjepa_online.training import population_network, spatiotemporal_network
from sjepa_online.training.held_out_people import HeldOut, judge_held_out
from sjepa_online.training.network_training import PersonTrials
from sjepa_online.training.population_network import merge, train_networks
from sjepa_online.training.spatiotemporal_network import merge_spatiotemporal, train_spatiotemporal

Floats = NDArray[np.float64]

#: Times that both kinds of network together see every trial.
N_EPOCHS = population_network.EPOCHS + spatiotemporal_network.EPOCHS
N_FOLDS = 5


@dataclass(frozen=True)
class Training:
    """How many networks of each kind are trained, and for how long.

    Attributes
    ----------
    n_power, n_spatiotemporal : int
        Networks of other seeds, which are averaged; 0 of the second does without that kind.
    power_epochs, spatiotemporal_epochs : int
        Times that each kind sees every trial.
    seed : int
    """

    n_power: int
    n_spatiotemporal: int
    power_epochs: int
    spatiotemporal_epochs: int
    seed: int

    @classmethod
    def of(cls, n_networks: tuple[int, int], epochs: int | None, seed: int) -> Training:
        """Return a training of both kinds.

        Parameters
        ----------
        n_networks : (int, int)
            Of each kind.
        epochs : int or None
            None for what each kind needs.
        seed : int

        Returns
        -------
        training : Training
        """
        of_power, of_others = population_network.EPOCHS, spatiotemporal_network.EPOCHS
        if epochs is not None:
            of_power = of_others = epochs
        return cls(*n_networks, of_power, of_others, seed)


@dataclass(frozen=True, eq=False)
class BothNetworks:
    """Networks of everybody, and what others like them reached on people left out.

    Attributes
    ----------
    network : PowerNetwork
    spatiotemporal : SpatioTemporalNetwork or None
    held_out : HeldOut
    """

    network: PowerNetwork
    spatiotemporal: SpatioTemporalNetwork | None
    held_out: HeldOut


def train_both(
    people: Sequence[PersonTrials],
    covariances: Floats,
    mirror: NDArray[np.intp],
    training: Training,
    *,
    digest: str = "",
    resume_from: Path | None = None,
    progress: Callable[[], None] = lambda: None,
) -> BothNetworks:
    """Train both kinds of network: seeds of everybody, and folds that judge people left out.

    Parameters
    ----------
    people : sequence of PersonTrials
    covariances : ndarray, shape (kernels, channels, channels)
        Their mean covariance behind each kernel.
    mirror : ndarray of int, shape (channels,)
        Each channel's counterpart on the other side.
    training : Training
    digest : str
        Name of the data and the settings; an interrupted training of another one is refused.
    resume_from : Path or None
        File for the state of an interrupted training; see :func:`forget_state`.
    progress : callable
        Called after each epoch of each kind.

    Returns
    -------
    trained : BothNetworks

    Raises
    ------
    InputError
        The state is of another training, or damaged.
    """
    folds = np.arange(len(people)) % min(N_FOLDS, len(people))
    judges = [folds != fold for fold in range(folds.max() + 1)]
    everybody = folds >= 0
    completion = Completion(covariances)
    second_state = _state_to_go_on(resume_from)
    n_power, n_others = training.n_power, training.n_spatiotemporal
    networks = train_networks(
        people,
        [everybody] * n_power + judges,
        mirror,
        completion,
        epochs=training.power_epochs,
        digest=digest,
        seed=training.seed,
        resume_from=resume_from,
        progress=progress,
    )
    others: list[SpatioTemporalNetwork] = []
    if n_others:
        others = train_spatiotemporal(
            people,
            [everybody] * n_others + judges,
            mirror,
            completion,
            epochs=training.spatiotemporal_epochs,
            digest=digest,
            seed=training.seed,
            resume_from=second_state,
            progress=progress,
        )
    held_out = judge_held_out(
        people,
        [networks[n_power + fold] for fold in folds],
        [others[n_others + fold] for fold in folds] if others else [],
        covariances,
        mirror,
    )
    merged = merge_spatiotemporal(others[:n_others], held_out.factor) if others else None
    return BothNetworks(merge(networks[:n_power]), merged, held_out)


def forget_state(resume_from: Path) -> None:
    """Delete the state of an interrupted training.

    Parameters
    ----------
    resume_from : Path
        As :func:`train_both` took it; the second kind of network has a file beside it.
    """
    for path in (resume_from, _second_state(resume_from)):
        path.unlink(missing_ok=True)


def _state_to_go_on(resume_from: Path | None) -> Path | None:
    """Return the second kind's file; one beside which there is no first state is forgotten."""
    if resume_from is None:
        return None
    if not resume_from.exists():
        forget_state(resume_from)
    return _second_state(resume_from)


def _second_state(resume_from: Path) -> Path:
    return resume_from.with_name(f"{resume_from.name}-signals")
