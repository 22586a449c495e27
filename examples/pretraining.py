"""Pretrain S-JEPA on unlabelled recordings and read the tokens of the network.

The recordings are those that ship with the project; name files of yours in their place. The
recipe "own-files" trains in full; copy it from models/ to change it.

    python examples/pretraining.py own-files --data sample:1 sample:2 --epochs 2
"""

import argparse
from pathlib import Path

import torch

from sjepa_online import load_weights
from sjepa_online.training.pretraining import EpochLog, load_recipe, pretrain

parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
parser.add_argument("recipe", help="name or file of a recipe")
parser.add_argument("--data", nargs="+", required=True, help="recordings")
parser.add_argument("--out", type=Path, default=Path("pretraining/example"))
parser.add_argument("--epochs", type=int, help="at most so many, in place of the recipe's")
arguments = parser.parse_args()


class Printer:
    """Prints a line after each epoch."""

    def on_step(
        self, epoch: int, step: int, n_steps: int, loss: float, examples_per_s: float, share: float
    ) -> None:
        """Take the loss after a step."""

    def on_epoch(self, row: EpochLog) -> None:
        """Take the losses of an epoch; an embedding without spread has collapsed."""
        print(
            f"epoch {row.epoch}: training {row.train_loss:.4f}, validation "
            f"{row.validation_loss:.4f}, embedding std {row.embedding_std:.3f}"
        )

    def on_warning(self, message: str) -> None:
        """Take a warning."""
        print(message)


recipe = load_recipe(arguments.recipe)
if arguments.epochs is not None:
    plan = recipe.optimisation.model_copy(update={"max_epochs": arguments.epochs})
    recipe = recipe.model_copy(update={"optimisation": plan})
outcome, corpus = pretrain(
    recipe,
    arguments.data,
    arguments.out,
    arguments.out / "store",
    Printer(),
    lambda name, number, n_sources: print(f"{number} of {n_sources}: {name}"),
)
print(f"{len(corpus.train)} examples of {len(corpus.ch_names)} electrodes")

network = load_weights(str(outcome.weights))
x = 10 * torch.randn(1, len(corpus.ch_names), 152)  # µV at 128 Hz, 1.1875 s
print("tokens (epochs, channels, time, features):", tuple(network.local_tokens(x).shape))
