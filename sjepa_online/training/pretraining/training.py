"""The training loop of S-JEPA."""

from __future__ import annotations

import math
import signal
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from types import FrameType
from typing import Any, Protocol

import torch
from torch import Tensor

from sjepa_online.errors import InputError, OperationError
from sjepa_online.model import SignalJEPA, save_checkpoint
from sjepa_online.training.pretraining.arithmetic import training_operations
from sjepa_online.training.pretraining.corpus import Batch, Corpus, Example, derived_seed
from sjepa_online.training.pretraining.devices import Devices, measured_peak
from sjepa_online.training.pretraining.monitor import (
    EpochLog,
    log_from_state,
    plot_log,
    write_log,
)
from sjepa_online.training.pretraining.objective import Objective
from sjepa_online.training.pretraining.probe import load_probe_trials, probe_accuracy
from sjepa_online.training.pretraining.recipe import Recipe
from sjepa_online.training.pretraining.schedule import ema_decay, learning_rate
from sjepa_online.training.pretraining.training_state import read_state, write_state
from sjepa_online.training.pretraining.validation import validate, validation_spread

STATE_NAME = "state.pt"
WEIGHTS_NAME = "weights.safetensors"
LOG_NAME = "losses.csv"
PLOT_NAME = "losses.png"


class Observer(Protocol):
    """Observer of a training."""

    def on_step(
        self, epoch: int, step: int, n_steps: int, loss: float, examples_per_s: float, share: float
    ) -> None:
        """Take the report of a step.

        Parameters
        ----------
        epoch, step : int
        n_steps : int
            Of an epoch.
        loss : float
        examples_per_s : float
        share : float
            Reached share of the measured rate of matrix products.
        """

    def on_epoch(self, row: EpochLog) -> None:
        """Take the report of an epoch.

        Parameters
        ----------
        row : EpochLog
        """

    def on_warning(self, message: str) -> None:
        """Take a warning for the user.

        Parameters
        ----------
        message : str
        """


@dataclass(frozen=True)
class Outcome:
    """The result of a training; ``kept`` is the epoch of the weights."""

    kept: EpochLog
    n_epochs: int
    weights: Path


class Training:
    """A pretraining in a folder of its own.

    The folder receives ``losses.csv``, ``losses.png``, ``weights.safetensors`` (of the
    epoch that the recipe keeps) and ``state.pt`` (from which it can be resumed).

    Parameters
    ----------
    recipe : Recipe
        Every choice.
    corpus : Corpus
        The examples.
    folder : Path
        Can be written.
    devices : Devices
        Launched.
    observer : Observer
        Told of steps and epochs, in the first process only.
    resume : bool
        Go on from the state in ``folder``.

    Raises
    ------
    InputError
        There are fewer training examples than a batch holds, or the state in the folder cannot
        be resumed.
    """

    def __init__(
        self,
        recipe: Recipe,
        corpus: Corpus,
        folder: Path,
        devices: Devices,
        observer: Observer,
        resume: bool = False,
    ) -> None:
        self.recipe, self.corpus, self.folder = recipe, corpus, folder
        self.devices, self.fabric, self.observer = devices, devices.fabric, observer
        self.n_steps = len(corpus.train) // recipe.optimisation.batch_size
        if self.n_steps == 0:
            raise InputError(
                "The corpus does not fill one batch",
                value=f"{len(corpus.train)} training examples, batches of "
                f"{recipe.optimisation.batch_size}",
                remedy="Give more recordings, or shorten spacing_seconds in the recipe.",
            )
        # before the network is made: a broken probe must not cost a training
        self.probe_trials = (
            None
            if recipe.probe is None
            else load_probe_trials(
                recipe.probe.sources, recipe.probe.protocol, recipe.storage.preprocessing
            )
        )
        torch.manual_seed(derived_seed(recipe.optimisation.seed))
        network = SignalJEPA(recipe.network.config(corpus.ch_names))
        if recipe.network.first_convolution == "random":
            first = network.local_encoder.convolutions.get_parameter("0.weight")
            torch.nn.init.kaiming_normal_(first)
        self.objective = Objective(network, recipe.objective.target_layers, devices.compiled)
        self.objective.to(self.fabric.device)
        self.optimizer = _make_optimizer(network, recipe)
        self.epoch, self.step_in_epoch, self.loss_sum = 0, 0, 0.0
        self.rows: list[EpochLog] = []
        self.stop_asked = threading.Event()
        self.peak = measured_peak(self.fabric.device, devices.bfloat16) * self.fabric.world_size
        if resume:
            self._restore(read_state(folder / STATE_NAME, recipe.digest, corpus.digest))

    @property
    def network(self) -> SignalJEPA:
        """The network that is trained."""
        return self.objective.network

    def run(self) -> Outcome:
        """Train until the loss on validation examples no longer falls.

        Returns
        -------
        outcome : Outcome

        Raises
        ------
        OperationError
            The loss is not finite, or the process was asked to stop; the state is saved then.
        """
        plan = self.recipe.optimisation
        with _asked_to_stop(self.stop_asked):
            while (
                self.epoch < plan.max_epochs and self._epochs_without_gain() < plan.patience_epochs
            ):
                self._train_epoch()
        return Outcome(self._kept(), len(self.rows), self.folder / WEIGHTS_NAME)

    def _train_epoch(self) -> None:
        batch_size = self.recipe.optimisation.batch_size
        order = self.corpus.order(self.recipe, self.epoch)
        start, n_done, operations = time.perf_counter(), 0, 0.0
        for step in range(self.step_in_epoch, self.n_steps):
            batch = self._batch(order[step * batch_size : (step + 1) * batch_size], step)
            self.loss_sum += self._train_step(batch)
            self.step_in_epoch = step + 1
            n_done += batch_size
            operations += self._operations(batch) * self.fabric.world_size
            seconds = time.perf_counter() - start
            speed, share = n_done / seconds, operations / seconds / self.peak
            if self.fabric.is_global_zero:
                mean_loss = self.loss_sum / self.step_in_epoch
                self.observer.on_step(self.epoch, step + 1, self.n_steps, mean_loss, speed, share)
        self._finish_epoch(speed if n_done else 0.0, share if n_done else 0.0)

    def _batch(self, examples: Sequence[Example], step: int) -> Batch:
        seed = (self.recipe.optimisation.seed, self.epoch, step)
        device = (self.fabric.global_rank, self.fabric.world_size)
        return self.corpus.batch(self.recipe, examples, seed, self.devices.pass_tokens, device)

    def _train_step(self, batch: Batch) -> float:
        """Take one step on the gradient of the whole batch; return its loss."""
        done = self.epoch * self.n_steps + self.step_in_epoch
        rate = learning_rate(self.recipe, done, self.n_steps)
        for group in self.optimizer.param_groups:
            group["lr"] = rate
        self.objective.network.train()
        self.optimizer.zero_grad()
        total = torch.zeros((), device=self.fabric.device)
        for number, passes in batch.slices.items():
            # dropout depends on the slice, never on the device that computes it
            seed = (self.recipe.optimisation.seed, self.epoch, self.step_in_epoch, number)
            torch.manual_seed(derived_seed(*seed))
            for part in passes:
                with self.fabric.autocast():
                    error = self.objective(part)
                loss = error / batch.n_hidden
                loss.backward()
                total += loss.detach()
        loss_value, stop = self._reduce(total)
        if not math.isfinite(loss_value):
            raise OperationError(
                f"The loss of epoch {self.epoch} is {loss_value}. Lower 'learning_rate'; "
                f"{self.folder / WEIGHTS_NAME} holds what was kept so far."
            )
        torch.nn.utils.clip_grad_norm_(
            self.network.parameters(), self.recipe.optimisation.gradient_clip
        )
        self.optimizer.step()
        self.objective.update_target(ema_decay(self.recipe, done, self.n_steps))
        if stop:
            self.step_in_epoch += 1
            self.loss_sum += loss_value
            self._save()
            raise OperationError(
                f"Stopped as asked in epoch {self.epoch}; the state is saved. "
                "Run the same command with --resume to go on."
            )
        return loss_value

    def _reduce(self, loss: Tensor) -> tuple[float, bool]:
        """Sum gradients, loss and the wish to stop over devices, in one vector."""
        stop = torch.tensor(float(self.stop_asked.is_set()), device=loss.device)
        extra = torch.stack([loss, stop])
        if self.fabric.world_size > 1:
            gradients = [
                torch.zeros_like(p) if p.grad is None else p.grad for p in self.network.parameters()
            ]
            flat = torch.cat([extra, *(gradient.flatten() for gradient in gradients)])
            flat = self.fabric.all_reduce(flat, reduce_op="sum")
            extra = flat[:2]
            sizes = [gradient.numel() for gradient in gradients]
            parts = flat[2:].split(sizes)
            for parameter, part in zip(self.network.parameters(), parts, strict=True):
                parameter.grad = part.view_as(parameter)
        return float(extra[0]), bool(extra[1] > 0)

    def _finish_epoch(self, speed: float, share: float) -> None:
        validation_loss = validate(self.objective, self.recipe, self.corpus, self.devices)
        std, rank = validation_spread(self.network, self.recipe, self.corpus)
        done = (self.epoch + 1) * self.n_steps
        row = EpochLog(
            epoch=self.epoch,
            step=done,
            train_loss=self.loss_sum / self.n_steps,
            validation_loss=validation_loss,
            learning_rate=learning_rate(self.recipe, done, self.n_steps),
            ema_decay=ema_decay(self.recipe, done, self.n_steps),
            embedding_std=std,
            effective_rank=rank,
            examples_per_s=speed,
            arithmetic_share=share,
            probe=self._probe(),
        )
        self.rows.append(row)
        self.epoch, self.step_in_epoch, self.loss_sum = self.epoch + 1, 0, 0.0
        if not self.fabric.is_global_zero:
            return
        if self._kept() is row:
            save_checkpoint(self.network, self.folder / WEIGHTS_NAME, self._provenance(row))
        self._save()
        self.observer.on_epoch(row)
        if row.collapsed:
            self.observer.on_warning(
                f"COLLAPSE: in epoch {row.epoch} the embeddings hardly depend on the signal "
                f"(standard deviation {row.embedding_std:.3g}, effective rank "
                f"{row.effective_rank:.1f}). Lower 'learning_rate' or raise 'ema_start'; these "
                "weights are of no use."
            )

    def _probe(self) -> float | None:
        """Probe the network where the recipe asks for it; in the first process only."""
        plan = self.recipe.probe
        if self.probe_trials is None or plan is None or (self.epoch + 1) % plan.every_epochs:
            return None
        if not self.fabric.is_global_zero:
            return None
        return probe_accuracy(self.network, self.probe_trials)

    def _provenance(self, row: EpochLog) -> dict[str, Any]:
        """Say in the weights what they were trained on, how, and by what they were chosen."""
        used = {example.shard for example in (*self.corpus.train, *self.corpus.validation)}
        shards = [self.corpus.shards[number] for number in sorted(used)]
        return {
            "recipe": self.recipe.model_dump(mode="json"),
            "recordings": [Path(shard.name).name for shard in shards],
            "simulated": sorted(Path(shard.name).name for shard in shards if shard.simulated),
            "n_train": len(self.corpus.train),
            "n_validation": len(self.corpus.validation),
            "chosen_by": {
                "best": "lowest loss on the validation examples",
                "last": "the last epoch",
            }[self.recipe.optimisation.keep],
            "epoch": asdict(row),
        }

    def _operations(self, batch: Batch) -> float:
        """Count the operations of this device's slices, taking the mean number of channels."""
        config, n_times = self.network.config, self.recipe.examples.n_times
        total = 0.0
        for part in (part for passes in batch.slices.values() for part in passes):
            n, n_channels = part.hidden.shape
            n_visible = n_channels - round(int(part.hidden.sum()) / n)
            total += n * training_operations(config, n_times, n_channels, n_visible)
        return total

    def _best(self) -> EpochLog:
        return min(self.rows, key=lambda row: row.validation_loss)

    def _kept(self) -> EpochLog:
        return self.rows[-1] if self.recipe.optimisation.keep == "last" else self._best()

    def _epochs_without_gain(self) -> int:
        return self.rows[-1].epoch - self._best().epoch if self.rows else 0

    def _save(self) -> None:
        """Write the state, then what people read; all of them atomically."""
        if not self.fabric.is_global_zero:
            return
        state = {
            "recipe": self.recipe.digest,
            "corpus": self.corpus.digest,
            "epoch": self.epoch,
            "step_in_epoch": self.step_in_epoch,
            "loss_sum": self.loss_sum,
            "rows": [asdict(row) for row in self.rows],
            "objective": self.objective.state_dict(),
            "optimizer": self.optimizer.state_dict(),
        }
        write_state(self.folder / STATE_NAME, state)
        if self.rows:
            write_log(self.folder / LOG_NAME, self.rows)
            plot_log(self.folder / PLOT_NAME, self.rows, self.recipe.name)

    def _restore(self, state: dict[str, Any]) -> None:
        """Take up a state; random numbers need none, they follow from seed and step."""
        self.objective.load_state_dict(state["objective"])
        self.optimizer.load_state_dict(state["optimizer"])
        self.epoch, self.step_in_epoch = state["epoch"], state["step_in_epoch"]
        self.loss_sum = state["loss_sum"]
        self.rows = log_from_state(state["rows"])


def _make_optimizer(network: SignalJEPA, recipe: Recipe) -> torch.optim.AdamW:
    """Decay the weights of products only: not biases, norms and channel vectors."""
    table = network.channel_embedding.table
    decayed = [p for p in network.parameters() if p.dim() > 1 and p is not table]
    ids = {id(parameter) for parameter in decayed}
    rest = [p for p in network.parameters() if id(p) not in ids]
    return torch.optim.AdamW(
        [
            {"params": decayed, "weight_decay": recipe.optimisation.weight_decay},
            {"params": rest, "weight_decay": 0.0},
        ],
        lr=recipe.optimisation.learning_rate,
        fused=True,
    )


@contextmanager
def _asked_to_stop(event: threading.Event) -> Iterator[None]:
    """Set the event at SIGTERM, which batch systems send before they end a job."""

    def note(number: int, frame: FrameType | None) -> None:
        event.set()

    previous = signal.signal(signal.SIGTERM, note)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, previous)
