"""A population of imagery: networks that other people's left and right imagery trained.

The file holds the networks, the mean covariance of the people, and fingerprints of their trials
by which they are recognised; no recording.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field

from sjepa_online.decoding.classifiers.imagery import find_mirror
from sjepa_online.decoding.transfer.fingerprint import KnownTrials
from sjepa_online.decoding.transfer.imagery.aligned_networks import AlignedNetworks
from sjepa_online.decoding.transfer.imagery.completion import Estimate
from sjepa_online.decoding.transfer.imagery.power_network import PowerNetwork
from sjepa_online.decoding.transfer.imagery.rhythm_covariances import (
    STRIDE,
    n_samples,
    n_windows,
    seconds_of,
)
from sjepa_online.decoding.transfer.imagery.spatiotemporal_network import SpatioTemporalNetwork
from sjepa_online.decoding.transfer.montage_match import MontageMatch, match_montage
from sjepa_online.decoding.transfer.population_file import PopulationFile
from sjepa_online.errors import InputError
from sjepa_online.protocol import MODEL_SFREQ
from sjepa_online.signal.cortex import LEAST_ELECTRODES, is_over_cortex
from sjepa_online.tensor_file import Arrays

Floats = NDArray[np.float64]
Floats32 = NDArray[np.float32]

FORMAT_NAME = "sjepa-online imagery population"
FORMAT_VERSION = 2
#: Share of the electrodes that a person needs for filters over electrodes and time.
LEAST_SERVED = 1 / 3
_NUMBER = re.compile(r"(\d+)h?$")
_LEFT, _RIGHT = (re.compile(f"(?<![a-z]){side}(?![a-z])", re.I) for side in ("left", "right"))


class HeldOutScore(BaseModel):
    """How networks decode people whom they were not trained on, without a label of theirs."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    accuracy: float = Field(ge=0, le=1, description="mean over people")
    interval: tuple[float, float] = Field(description="95 %, bootstrap over people")
    share_above_070: float = Field(ge=0, le=1, description="people at 0.70 or more")


class ImageryPopulationConfig(BaseModel):
    """The part of a population file that is not arrays."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    paradigm: str = "mi"
    protocol: str
    window_start: float = Field(description="s after the cue")
    block: int = Field(
        default=64,
        ge=STRIDE,
        multiple_of=STRIDE,
        description="samples of half a window of the power network",
    )
    ch_names: tuple[str, ...] = Field(min_length=LEAST_ELECTRODES)
    people: tuple[str, ...] = Field(min_length=2)
    n_trials: int = Field(ge=1)
    simulated: bool
    temperature: float = Field(gt=0, description="divides logits into calibrated ones")
    power_alone: float = Field(
        default=1.0,
        gt=0,
        description="multiplies logits of the power network where it decides alone",
    )
    doubt_below: float = Field(
        ge=0, description="spread of a person's logits below which a person resembles nobody"
    )
    held_out: HeldOutScore
    software_version: str
    weights: str | None = Field(
        default=None, description="pretrained weights of the first convolution; none: cosines"
    )


@dataclass(frozen=True, eq=False)
class ImageryPopulation:
    """Networks for imagery of the left and the right hand, and whom they are from.

    Attributes
    ----------
    config : ImageryPopulationConfig
    network : PowerNetwork
    kernels : ndarray, shape (kernels, taps)
        The first convolution.
    covariances : ndarray, shape (kernels, channels, channels)
        Mean covariance of the people behind each kernel; its mean has a mean variance of 1.
    known : KnownTrials
        Fingerprints of all trials; people are indices among ``config.people``.
    spatiotemporal : SpatioTemporalNetwork or None
        Adds its logits to those of ``network``; files of earlier versions have none.
    """

    config: ImageryPopulationConfig
    network: PowerNetwork
    kernels: Floats32
    covariances: Floats32
    known: KnownTrials
    spatiotemporal: SpatioTemporalNetwork | None = None

    def match(self, ch_names: Sequence[str], *, by_position: bool = True) -> MontageMatch:
        """Return which electrodes of a montage serve for those of the population.

        Parameters
        ----------
        ch_names : sequence of str
            10-05 names of the montage, in the order of its channels.
        by_position : bool
            Whether electrodes beside those that the montage lacks serve for them.

        Returns
        -------
        match : MontageMatch

        Raises
        ------
        InputError
            There are fewer than 3, or none on the left, or none on the right.
        """
        found = match_montage(self.config.ch_names, ch_names, by_position=by_position)
        shared = found.names
        sides = {int(number[1]) % 2 for name in shared if (number := _NUMBER.search(name))}
        if min(len(shared), len(found.served)) < LEAST_ELECTRODES or len(sides) < 2:
            raise InputError(
                f"The montage has fewer than {LEAST_ELECTRODES} electrodes over the sensorimotor "
                "cortex that the population knows, or none on one side",
                value=f"in common: {', '.join(shared) or 'none'}",
                remedy=f"The population reads {', '.join(self.config.ch_names)}, and electrodes "
                "beside them; C3, Cz and C4 suffice.",
            )
        return found

    def for_window(self, start: float, n_times: int) -> ImageryPopulation:
        """Return the population for epochs of another window.

        Parameters
        ----------
        start : float
            Seconds from the cue to the epochs' first sample.
        n_times : int
            Samples of the epochs at 128 Hz.

        Returns
        -------
        ImageryPopulation
            A copy whose networks have only the windows that lie within the epochs.

        Raises
        ------
        InputError
            The population reads nothing of this window.
        """
        block, n_taps = self.config.block, self.kernels.shape[1]
        first = round((start - self.config.window_start) * MODEL_SFREQ / block)
        stop = min(first + n_windows(n_times, n_taps, block), self.network.n_windows)
        if first < 0 or stop <= first:
            raise InputError(
                "The window of the protocol lies outside of what the population reads",
                value=f"{n_times / MODEL_SFREQ:.2f} s from {start:g} s after the cue on",
                remedy=f"Begin it at {self.config.window_start:g} s after the cue or later, and "
                f"let it last at least {seconds_of(self.shortest_prefix):.2f} s.",
            )
        others = self.spatiotemporal
        return replace(
            self,
            network=self.network.part(first, stop),
            spatiotemporal=None if others is None else others.part(first * block, n_times),
        )

    def for_montage(self, match: MontageMatch) -> ImageryPopulation:
        """Return the population for a person's electrodes.

        Parameters
        ----------
        match : MontageMatch

        Returns
        -------
        ImageryPopulation
            Without the filters over electrodes and time where most electrodes are estimates of
            few, which show no rhythm that travels.
        """
        served = len(match.served) / len(self.config.ch_names)
        if self.spatiotemporal is None or served >= LEAST_SERVED:
            return self
        network = self.network
        weights = network.weights * np.float32(self.config.power_alone)
        alone = PowerNetwork(network.spatial, network.scale, weights)
        return replace(self, network=alone, spatiotemporal=None)

    @property
    def shortest_window(self) -> int:
        """Samples of the shortest epochs that hold every window."""
        own = self._n_samples(self.network.n_windows)
        return own if self.spatiotemporal is None else max(own, self.spatiotemporal.n_samples)

    @property
    def shortest_prefix(self) -> int:
        """Samples of the shortest epochs that hold a window of every network."""
        return self._n_samples(1)

    @property
    def flat_weights(self) -> Floats32:
        """Weights ``(features,)`` of what the networks read, for the class right."""
        kinds = (self.network, self.spatiotemporal)
        weights = np.concatenate([kind.flat_weights for kind in kinds if kind is not None])
        return np.asarray(weights / self.config.temperature, dtype=np.float32)

    def aligned(self, whitening: Floats, estimate: Estimate) -> AlignedNetworks:
        """Return the networks for one person.

        Parameters
        ----------
        whitening : ndarray, shape (channels, channels)
            The person's alignment.
        estimate : Estimate
            How all electrodes follow from those that are there.

        Returns
        -------
        networks : AlignedNetworks
        """
        return AlignedNetworks(self.network, self.spatiotemporal, whitening, self._mirror, estimate)

    def _n_samples(self, n_windows: int) -> int:
        return n_samples(n_windows, self.kernels.shape[1], self.config.block)

    @cached_property
    def _mirror(self) -> NDArray[np.intp]:
        return mirror_of(self.config.ch_names)

    def people_among(self, X: NDArray[np.floating], ch_names: Sequence[str]) -> tuple[str, ...]:
        """Return the people of the population whose trials are among these epochs.

        Parameters
        ----------
        X : ndarray, shape (n, channels, samples)
            Epochs in µV at 128 Hz.
        ch_names : sequence of str

        Returns
        -------
        tuple of str
            Empty where all epochs are of other people.
        """
        found = self.known.among(X, ch_names)
        return tuple(self.config.people[index] for index in found)

    def save(self, path: Path) -> None:
        """Write the population as one safetensors file, atomically.

        Parameters
        ----------
        path : Path
            The file; one that exists is replaced.
        """
        arrays: dict[str, NDArray[Any]] = {
            "spatial": self.network.spatial,
            "scale": self.network.scale,
            "weights": self.network.weights,
            "kernels": self.kernels,
            "covariances": self.covariances,
            **self.known.arrays,
        }
        if self.spatiotemporal is not None:
            arrays |= self.spatiotemporal.arrays
        _FILE.write(path, self.config, arrays)


def load_imagery_population(name_or_path: str | Path) -> ImageryPopulation:
    """Read a population of imagery by name or path; see :meth:`PopulationFile.load`.

    Parameters
    ----------
    name_or_path : str or Path

    Returns
    -------
    ImageryPopulation
    """
    return _FILE.load(name_or_path)


def list_imagery_populations() -> dict[str, ImageryPopulationConfig]:
    """Describe all populations of imagery that are known by name.

    Returns
    -------
    dict of str to ImageryPopulationConfig
        By name; files of other kinds are passed over.

    Raises
    ------
    InputError
        A file is damaged.
    """
    return _FILE.configs(lambda path: load_imagery_population(path).config)


def _build(config: ImageryPopulationConfig, arrays: Arrays) -> ImageryPopulation:
    known = KnownTrials(arrays["prints"], arrays["person"], config.ch_names)
    return ImageryPopulation(
        config,
        PowerNetwork(arrays["spatial"], arrays["scale"], arrays["weights"]),
        arrays["kernels"],
        arrays["covariances"],
        known,
        SpatioTemporalNetwork.read(arrays),
    )


_FILE = PopulationFile(FORMAT_NAME, FORMAT_VERSION, ImageryPopulationConfig, _build)


def cortex_electrodes(ch_names: Sequence[str]) -> tuple[str, ...]:
    """Return the electrodes of the rows FC to CP: those over the sensorimotor cortex.

    Parameters
    ----------
    ch_names : sequence of str
        10-05 names.

    Returns
    -------
    tuple of str
        In the given order; empty where none lies there.
    """
    return tuple(name for name in ch_names if is_over_cortex(name))


def mirror_of(ch_names: Sequence[str]) -> NDArray[np.intp]:
    """Return the index of each electrode's counterpart on the other side.

    Parameters
    ----------
    ch_names : sequence of str
        10-05 names.

    Returns
    -------
    ndarray of int, shape (channels,)
        An electrode on the midline is its own counterpart.

    Raises
    ------
    InputError
        An electrode has no counterpart, or all lie on the midline.
    """
    mirror = find_mirror(ch_names, ("left", "right"))
    if mirror is None or mirror.unknown.any():
        raise InputError(
            "The electrodes of the population have no mirror images",
            value=", ".join(ch_names),
            remedy="Record the same electrodes on both sides: C3 and C4 at least.",
        )
    return mirror.channels


def right_class(classes: Sequence[str]) -> int:
    """Return which of two classes is the right hand.

    Parameters
    ----------
    classes : sequence of str, length 2
        Such as ``left_hand`` and ``right_hand``.

    Returns
    -------
    {0, 1}
        Its index.

    Raises
    ------
    InputError
        The classes are not left and right.
    """
    if len(classes) == 2:
        for right, name in enumerate(classes):
            if _RIGHT.search(name.replace("_", " ")) and _LEFT.search(
                classes[1 - right].replace("_", " ")
            ):
                return right
    raise InputError(
        "The classes are not imagery of the left and of the right",
        value=", ".join(classes),
        remedy="A population knows left and right only: calibrate with `--population none`.",
    )
