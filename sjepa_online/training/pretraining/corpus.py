"""Examples of a corpus, and which of them make up each step."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from sjepa_online.errors import InputError
from sjepa_online.model import spatial_block_masks
from sjepa_online.signal.montage import channel_positions
from sjepa_online.training.pretraining.recipe import (
    Examples,
    Recipe,
    Split,
    canonical_subject,
    expand_subjects,
)
from sjepa_online.training.pretraining.store import Shard, Store

#: How recordings count that do not say whose they are.
UNKNOWN_SUBJECT = "unknown"
#: PhysioNet's files carry the person in their name, ``S001R04.edf``, and nowhere else.
_PHYSIONET_NAME = re.compile(r"(?:^|[/\\])(S\d+)R\d+\.edf$")


class Example(NamedTuple):
    """A window: the number of its shard, its first sample, and how far that may move."""

    shard: int
    start: int
    room: int


class Pass(NamedTuple):
    """Examples of one montage that go through the network together.

    Attributes
    ----------
    ch_names : tuple of str
        The montage.
    signal : Tensor, shape (n, channels, samples)
        µV at 128 Hz, float32.
    hidden : Tensor of bool, shape (n, channels)
        True where a channel is masked.
    """

    ch_names: tuple[str, ...]
    signal: Tensor
    hidden: Tensor


class Batch(NamedTuple):
    """The part of a batch that one device computes.

    Attributes
    ----------
    n_hidden : int
        Masked channels of the whole batch.
    slices : dict of int to list of Pass
        The slices of this device by their number.
    """

    n_hidden: int
    slices: dict[int, list[Pass]]


@dataclass(frozen=True)
class Corpus:
    """The examples of a recipe's training and validation subjects.

    Attributes
    ----------
    ch_names : tuple of str
        Every electrode that a recording has, in the order of their first appearance.
    train, validation : tuple of Example
        The examples.
    broken : tuple of (str, str)
        Recordings that were left out, and why.
    notes : tuple of (str, str)
        Recordings of which parts were left out, and which.
    """

    shards: tuple[Shard, ...]
    data: tuple[NDArray[np.floating], ...]
    ch_names: tuple[str, ...]
    train: tuple[Example, ...]
    validation: tuple[Example, ...]
    broken: tuple[tuple[str, str], ...]
    notes: tuple[tuple[str, str], ...]

    @property
    def digest(self) -> str:
        """A checksum of the recordings and of how they are divided."""
        content = repr(([shard.sha256 for shard in self.shards], self.train, self.validation))
        return hashlib.sha256(content.encode()).hexdigest()

    def order(self, recipe: Recipe, epoch: int) -> list[Example]:
        """Shuffle the training examples of an epoch, the same way in every process.

        Parameters
        ----------
        recipe : Recipe
        epoch : int

        Returns
        -------
        list of Example
        """
        rng = np.random.default_rng([recipe.optimisation.seed, epoch])
        examples = [self.train[i] for i in rng.permutation(len(self.train))]
        if not recipe.examples.random_start:
            return examples
        moves = rng.integers(0, [example.room + 1 for example in examples])
        return [
            example._replace(start=example.start + int(move))
            for example, move in zip(examples, moves, strict=True)
        ]

    def batch(
        self,
        recipe: Recipe,
        examples: Sequence[Example],
        seed: Sequence[int],
        pass_tokens: int,
        device: tuple[int, int] = (0, 1),
    ) -> Batch:
        """Draw the masks of a batch, divide it into slices, and load those of one device.

        What a slice holds does not depend on the number of devices. Examples are sorted by
        montage and number of visible channels, so that passes need little padding.

        Parameters
        ----------
        recipe : Recipe
            Window length, mask and number of slices.
        examples : sequence of Example
            The batch.
        seed : sequence of int
            What the masks depend on.
        pass_tokens : int
            Most tokens of a pass, unless one example has more.
        device : tuple of int, int
            Number of this device and how many there are.

        Returns
        -------
        batch : Batch
        """
        hidden = self._masks(recipe, examples, seed)
        keys = [
            (self.shards[example.shard].ch_names, int(mask.sum()))
            for example, mask in zip(examples, hidden, strict=True)
        ]
        order = sorted(range(len(examples)), key=keys.__getitem__)
        n_slices = recipe.optimisation.slices
        slices = {}
        for number in range(device[0], n_slices, device[1]):
            passes: list[list[int]] = []
            for i in order[number::n_slices]:
                ch_names = keys[i][0]
                largest = max(1, pass_tokens // (len(ch_names) * recipe.examples.window_seconds))
                same = passes and keys[passes[-1][0]][0] == ch_names
                if not same or len(passes[-1]) >= largest:
                    passes.append([])
                passes[-1].append(i)
            slices[number] = [
                self._load(recipe.examples, examples, hidden, part) for part in passes
            ]
        return Batch(sum(n_hidden for _, n_hidden in keys), slices)

    def window(self, cut: Examples, example: Example) -> Tensor:
        """Read an example.

        Parameters
        ----------
        cut : Examples
            Gives the length.
        example : Example

        Returns
        -------
        Tensor, shape (channels, samples)
            µV at 128 Hz, single precision.
        """
        part = self.data[example.shard][:, example.start : example.start + cut.n_times]
        return torch.from_numpy(part.astype(np.float32))

    def _masks(
        self, recipe: Recipe, examples: Sequence[Example], seed: Sequence[int]
    ) -> list[Tensor]:
        generator = torch.Generator().manual_seed(derived_seed(*seed))
        masks = []
        for example in examples:
            positions = _positions(self.shards[example.shard].ch_names)
            radius = recipe.objective.mask_radius
            masks.append(spatial_block_masks(positions, radius, 1, generator)[0])
        return masks

    def _load(
        self,
        cut: Examples,
        examples: Sequence[Example],
        hidden: Sequence[Tensor],
        members: Sequence[int],
    ) -> Pass:
        return Pass(
            ch_names=self.shards[examples[members[0]].shard].ch_names,
            signal=torch.stack([self.window(cut, examples[i]) for i in members]),
            hidden=torch.stack([hidden[i] for i in members]),
        )


def load_corpus(store: Store, texts: Sequence[str], recipe: Recipe) -> Corpus:
    """Cut the stored signal of the SOURCEs into examples.

    Parameters
    ----------
    store : Store
    texts : sequence of str
        SOURCEs; where there are none, all that the store holds.
    recipe : Recipe

    Returns
    -------
    Corpus

    Raises
    ------
    InputError
        A shard is damaged, or the training or the validation subjects have no example.
    """
    stored = store.contents(texts)
    shards = [shard for source in stored for shard in source.shards]
    broken = [problem for source in stored for problem in source.broken]
    train_subjects, validation_subjects = _split(recipe.split, shards)
    usable = []
    for shard in shards:
        if _cut(0, shard, recipe.examples):
            usable.append(shard)
        else:
            longest = max(last - first for first, last in shard.stretches)
            broken.append(
                (
                    shard.name,
                    f"Shorter than an example of {recipe.examples.n_times} samples: "
                    f"{longest} samples without a break.",
                )
            )
    parts: dict[str, list[Example]] = {"train": [], "validation": []}
    for number, shard in enumerate(usable):
        group = _group(shard, recipe.split, shards)
        if group in train_subjects:
            parts["train"] += _cut(number, shard, recipe.examples)
        elif group in validation_subjects:
            parts["validation"] += _cut(number, shard, recipe.examples)
    for part, examples in parts.items():
        if not examples:
            raise InputError(
                f"The {part} subjects have no usable example",
                value=f"subjects {', '.join(sorted({_subject(shard) for shard in usable}))}; "
                + "; ".join(f"{name}: {reason}" for name, reason in broken[:3]),
                remedy="Give more recordings, or change the field split of the recipe.",
            )
    return Corpus(
        shards=tuple(usable),
        data=tuple(store.read(shard) for shard in usable),
        ch_names=tuple(dict.fromkeys(name for shard in usable for name in shard.ch_names)),
        train=tuple(parts["train"]),
        validation=tuple(parts["validation"]),
        broken=tuple(broken),
        notes=tuple((shard.name, note) for shard in usable for note in shard.notes),
    )


def derived_seed(*parts: int) -> int:
    """Mix numbers into a seed for torch.

    Parameters
    ----------
    *parts : int

    Returns
    -------
    seed : int
    """
    return int(np.random.SeedSequence(parts).generate_state(1, np.uint64)[0] >> 1)


def _positions(ch_names: tuple[str, ...]) -> Tensor:
    if ch_names not in _POSITIONS:
        _POSITIONS[ch_names] = torch.from_numpy(channel_positions(ch_names)).float()
    return _POSITIONS[ch_names]


_POSITIONS: dict[tuple[str, ...], Tensor] = {}


def _cut(number: int, shard: Shard, cut: Examples) -> list[Example]:
    """Cut a recording into examples; the start of each can move to where the next begins."""
    examples = []
    for first, last in shard.stretches:
        latest = last - cut.n_times
        for start in range(first, latest + 1, cut.spacing):
            examples.append(Example(number, start, min(cut.spacing - 1, latest - start)))
    return examples


def _subject(shard: Shard) -> str:
    if shard.subject:
        return canonical_subject(shard.subject)
    found = _PHYSIONET_NAME.search(shard.name)
    return found[1] if found else UNKNOWN_SUBJECT


def _group(shard: Shard, split: Split, shards: Sequence[Shard]) -> str:
    """By what the corpus is split: the subject, or the recording where there is one subject."""
    of_one_subject = len({_subject(other) for other in shards}) == 1
    return shard.name if split.validation_share and of_one_subject else _subject(shard)


def _split(split: Split, shards: Sequence[Shard]) -> tuple[set[str], set[str]]:
    if split.validation_share is None:
        return expand_subjects(split.train), expand_subjects(split.validation)
    groups = sorted({_group(shard, split, shards) for shard in shards})
    if len(groups) < 2:
        raise InputError(
            "No recording is left for validation",
            value=f"{len(groups)} usable recordings",
            remedy="Give at least two recordings.",
        )
    n_validation = max(1, round(split.validation_share * len(groups)))
    shuffled = np.random.default_rng(0).permutation(len(groups))
    validation = {groups[i] for i in shuffled[:n_validation]}
    return set(groups) - validation, validation
