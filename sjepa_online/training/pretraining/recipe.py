"""Recipes: every choice of a pretraining as a named field of a TOML file in ``models/``."""

from __future__ import annotations

import hashlib
import re
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, PositiveFloat, PositiveInt, model_validator

from sjepa_online.model import ModelConfig
from sjepa_online.protocol import MODEL_SFREQ, parse_toml
from sjepa_online.resources import find_resource
from sjepa_online.signal.preprocessor import PreprocessorConfig

#: Samples beyond whole seconds that the first token needs (152 = 128 + 24).
_FIRST_TOKEN_EXCESS = 24


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Split(_Part):
    """Which subjects train, validate, and are never touched.

    Either the three lists name subjects (``"7"`` or a range ``"1-40"``), or
    ``validation_share`` sets aside that share of the subjects; of the recordings, where they
    are all of one subject.
    """

    train: tuple[str, ...] = ()
    validation: tuple[str, ...] = ()
    untouched: tuple[str, ...] = ()
    validation_share: float | None = Field(default=None, gt=0.0, lt=1.0)

    @model_validator(mode="after")
    def _parts_are_disjoint(self) -> Split:
        if (self.validation_share is None) != bool(self.train and self.validation):
            raise ValueError(
                "give either the subjects of 'train' and 'validation', or 'validation_share'"
            )
        parts = {
            name: expand_subjects(getattr(self, name))
            for name in ("train", "validation", "untouched")
        }
        for first, second in (
            ("validation", "train"),
            ("untouched", "train"),
            ("untouched", "validation"),
        ):
            both = parts[first] & parts[second]
            if both:
                raise ValueError(f"subjects of '{first}' overlap '{second}': {_listed(both)}")
        return self


class Examples(_Part):
    """How examples are cut out of recordings."""

    window_seconds: PositiveInt
    spacing_seconds: PositiveFloat = 16.9
    random_start: bool = False

    @property
    def n_times(self) -> int:
        """Samples of a window at 128 Hz: 152, 536 and 2072 for 1, 4 and 16 s."""
        return self.window_seconds * MODEL_SFREQ + _FIRST_TOKEN_EXCESS

    @property
    def spacing(self) -> int:
        """Samples from one example to the next."""
        return round(self.spacing_seconds * MODEL_SFREQ)


class Network(_Part):
    """The network's size, by default the paper's, and what its first convolution starts from."""

    n_encoder_layers: PositiveInt = 8
    n_decoder_layers: PositiveInt = 4
    d_feed_forward: PositiveInt = 2048
    dropout: float = Field(default=0.1, ge=0.0, lt=1.0)
    first_convolution: Literal["gabor", "random"] = "gabor"

    def config(self, ch_names: tuple[str, ...]) -> ModelConfig:
        """Describe the network for a corpus.

        Parameters
        ----------
        ch_names : tuple of str
            The corpus' electrodes.

        Returns
        -------
        ModelConfig
        """
        return ModelConfig.for_channels(ch_names, **self.model_dump(exclude={"first_convolution"}))


class Objective(_Part):
    """The mask, and the prediction of the masked channels."""

    mask_diameter_percent: float = Field(gt=0.0, lt=200.0)
    target_layers: PositiveInt = 4
    ema_start: float = Field(default=0.996, ge=0.0, le=1.0)
    ema_end: float = Field(default=1.0, ge=0.0, le=1.0)

    @property
    def mask_radius(self) -> float:
        """Radius in head radii: a block of 40 % of the head's diameter has 0.4."""
        return self.mask_diameter_percent / 100


class Optimisation(_Part):
    """Optimiser, schedule and when to stop."""

    batch_size: PositiveInt = 32
    slices: PositiveInt = 2
    learning_rate: PositiveFloat = 5e-4
    weight_decay: float = Field(default=0.05, ge=0.0)
    warmup_epochs: float = Field(default=2.0, ge=0.0)
    max_epochs: PositiveInt = 100
    patience_epochs: PositiveInt = 10
    keep: Literal["best", "last"] = "best"
    gradient_clip: PositiveFloat = 1.0
    precision: Literal["auto", "float32", "bfloat16"] = "auto"
    seed: int = Field(default=0, ge=0)

    @model_validator(mode="after")
    def _slices_are_equal(self) -> Optimisation:
        if self.batch_size % self.slices:
            raise ValueError("'batch_size' is no multiple of 'slices'")
        return self


class Storage(_Part):
    """How preprocessed recordings are kept on the disk."""

    dtype: Literal["float16", "float32", "packed"] = "float16"
    preprocessing: PreprocessorConfig = PreprocessorConfig(reference="average")


class Probe(_Part):
    """Labelled recordings on which frozen tokens are tested during training."""

    sources: tuple[str, ...] = Field(min_length=1)
    protocol: str
    every_epochs: PositiveInt = 5


class Recipe(_Part):
    """A pretraining, from the sources to the last field of the optimiser."""

    name: str = Field(min_length=1, pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]*$")
    description: str = ""
    sources: tuple[str, ...] = ()
    split: Split
    examples: Examples
    network: Network = Network()
    objective: Objective
    optimisation: Optimisation = Optimisation()
    storage: Storage = Storage()
    probe: Probe | None = None

    @model_validator(mode="after")
    def _targets_exist(self) -> Recipe:
        if self.objective.target_layers > self.network.n_encoder_layers:
            raise ValueError("'target_layers' is larger than 'n_encoder_layers'")
        return self

    @property
    def digest(self) -> str:
        """A checksum of every choice, by which a resumed training knows its own."""
        return hashlib.sha256(self.model_dump_json().encode()).hexdigest()


def load_recipe(name_or_path: str | Path) -> Recipe:
    """Read a recipe.

    Parameters
    ----------
    name_or_path : str or Path
        The name of a shipped or own recipe, or a path.

    Returns
    -------
    Recipe

    Raises
    ------
    InputError
        There is no such file, it is not TOML, or a field is unknown or wrong.
    """
    return parse_toml(find_resource("models", name_or_path, ".toml"), Recipe)


def expand_subjects(entries: tuple[str, ...]) -> set[str]:
    """Expand ranges of subjects: ``("1-3", "S7")`` gives 1, 2, 3 and S7.

    Parameters
    ----------
    entries : tuple of str
        Subjects, and ranges of numbers.

    Returns
    -------
    set of str
    """
    subjects: set[str] = set()
    for entry in entries:
        bounds = re.fullmatch(r"(\d+)-(\d+)", entry)
        if bounds:
            subjects.update(str(i) for i in range(int(bounds[1]), int(bounds[2]) + 1))
        else:
            subjects.add(canonical_subject(entry))
    return subjects


def canonical_subject(subject: str) -> str:
    """Write a subject's number without leading zeros, so that 07 is 7.

    Parameters
    ----------
    subject : str
        A number, or any other name, which stays as it is.

    Returns
    -------
    str
    """
    return str(int(subject)) if subject.isdecimal() else subject


def _listed(subjects: set[str]) -> str:
    return ", ".join(sorted(subjects, key=lambda name: (len(name), name)))
