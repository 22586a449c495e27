"""The response to a target in other people: a start for spellers that know nothing of a person.

Each session gives the mean difference between targets and others, divided by the amplitude of its
noise; their mean is the expected response of a new person. It counts as a few flashes of the
person's own, so that what the person shows soon outweighs it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path

import numpy as np
from pydantic import BaseModel, ConfigDict, Field

from sjepa_online.decoding.classifiers.mean_difference import Response, sum_letter
from sjepa_online.decoding.transfer.fingerprint import KnownTrials
from sjepa_online.decoding.transfer.population_file import (
    PopulationFile,
    same_recordings,
    same_trials,
    too_few_electrodes,
)
from sjepa_online.errors import InputError
from sjepa_online.markers import TARGET
from sjepa_online.protocol import Protocol
from sjepa_online.signal import channel_positions
from sjepa_online.tensor_file import Arrays
from sjepa_online.typing import FloatArray, Floats, Labels

FORMAT_NAME = "sjepa-online response population"
FORMAT_VERSION = 2
#: Distance (in radii of the head) over which a response is alike.
WIDTH = 0.4
#: Flashes of each recording by which it is recognised.
KEPT_FLASHES = 200
#: Samples (128 Hz) of the pieces of their fingerprints.
_PIECE = 4


class ResponsePopulationConfig(BaseModel):
    """The part of a response population that is not arrays."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    paradigm: str
    ch_names: tuple[str, ...] = Field(min_length=1)
    start: float
    n_times: int
    sources: tuple[str, ...]
    n_sessions: int
    n_trials: int
    simulated: bool
    software_version: str


@dataclass(frozen=True, eq=False)
class ResponsePopulation:
    """The mean response of other people.

    Attributes
    ----------
    config : ResponsePopulationConfig
    response : ndarray, shape (channels, samples)
        At 32 Hz, as multiples of the noise's amplitude.
    known : KnownTrials
        Fingerprints of some flashes; people are indices among ``config.sources``.
    """

    config: ResponsePopulationConfig
    response: Floats
    known: KnownTrials

    def prior(
        self,
        protocol: Protocol,
        ch_names: Sequence[str],
        recordings: Sequence[str] = (),
        epochs: Sequence[FloatArray] = (),
    ) -> Floats:
        """Return the response that a person's electrodes are expected to show.

        Electrodes that the population lacks show what its nearest ones do, the less the farther
        those are.

        Parameters
        ----------
        protocol : Protocol
        ch_names : sequence of str
            The montage.
        recordings : sequence of str
            Names of the recordings in use, of which the population must know none.
        epochs : sequence of ndarray, shape (n, channels, samples)
            Trials in use, in µV at 128 Hz, of which it must know none either.

        Returns
        -------
        prior : ndarray, shape (channels, samples)

        Raises
        ------
        InputError
            The window, the electrodes or the recordings do not suit.
        """
        problem = self._problem(protocol, ch_names, recordings, epochs)
        if problem:
            raise InputError(
                "The population does not suit this person's recordings",
                value=problem,
                remedy="Choose another population, or --population none.",
            )
        distance = np.linalg.norm(
            channel_positions(ch_names)[:, np.newaxis] - channel_positions(self.config.ch_names),
            axis=-1,
        )
        nearest = distance.min(axis=1, keepdims=True)
        weights = np.exp(-0.5 * ((distance - nearest) / WIDTH) ** 2)
        for row, name in enumerate(ch_names):
            if name in self.config.ch_names:
                weights[row] = np.array(self.config.ch_names) == name
        weights /= weights.sum(axis=1, keepdims=True)
        prior: Floats = np.exp(-0.5 * (nearest / WIDTH) ** 2) * (weights @ self.response)
        return prior

    def save(self, path: Path) -> None:
        """Write the population as one safetensors file, atomically.

        Parameters
        ----------
        path : Path
        """
        _FILE.write(path, self.config, {"response": self.response, **self.known.arrays})

    def _problem(
        self,
        protocol: Protocol,
        ch_names: Sequence[str],
        recordings: Sequence[str],
        epochs: Sequence[FloatArray],
    ) -> str:
        problem = too_few_electrodes(self.config.ch_names, ch_names)
        if problem:
            return problem
        window = protocol.window.start, protocol.n_times
        if window != (self.config.start, self.config.n_times):
            return f"its window is another one than that of {protocol.name}"
        sources = self.config.sources
        return same_recordings(sources, recordings) or same_trials(
            self.known, sources, epochs, ch_names
        )


def fit_response_population(
    sessions: Sequence[tuple[FloatArray, Labels]],
    protocol: Protocol,
    ch_names: Sequence[str],
    *,
    sources: Sequence[str],
    simulated: bool,
) -> ResponsePopulation:
    """Average the responses of people's labelled sessions.

    Parameters
    ----------
    sessions : sequence of (X, y)
        Epochs ``(n, channels, samples)`` in µV at 128 Hz, and their class names.
    protocol : Protocol
        With the class ``Target``.
    ch_names : sequence of str
        Channels of the epochs.
    sources : sequence of str
        Names of the recordings.
    simulated : bool
        Whether any of them is.

    Returns
    -------
    ResponsePopulation

    Raises
    ------
    InputError
        A session has no targets, or nothing else.
    """
    responses = []
    for source, (X, y) in zip(sources, sessions, strict=True):
        is_target = np.asarray(y == TARGET)[:, np.newaxis]
        if is_target.all() or not is_target.any():
            raise InputError(
                "A recording of a population lacks targets, or others to compare them with",
                value=f"{source}: {int(is_target.sum())} targets of {len(y)} flashes",
                remedy="Leave this recording out.",
            )
        letter, noise = sum_letter(X, is_target)
        learned = Response().with_letter(letter, 0)
        responses.append(learned.total / learned.n / noise.amplitude)
    config = ResponsePopulationConfig(
        paradigm=protocol.paradigm,
        ch_names=tuple(ch_names),
        start=protocol.window.start,
        n_times=protocol.n_times,
        sources=tuple(sources),
        n_sessions=len(sessions),
        n_trials=sum(len(y) for _, y in sessions),
        simulated=simulated,
        software_version=version("sjepa-online"),
    )
    known = KnownTrials.of([X for X, _ in sessions], ch_names, KEPT_FLASHES, _PIECE)
    return ResponsePopulation(config, np.mean(responses, axis=0), known)


def load_response_population(name_or_path: str | Path) -> ResponsePopulation:
    """Read a response population by name or path; see :meth:`PopulationFile.load`.

    Parameters
    ----------
    name_or_path : str or Path

    Returns
    -------
    ResponsePopulation
    """
    return _FILE.load(name_or_path)


def _build(config: ResponsePopulationConfig, arrays: Arrays) -> ResponsePopulation:
    known = KnownTrials.read(arrays, config.ch_names, _PIECE)
    return ResponsePopulation(config, arrays["response"], known)


_FILE = PopulationFile(FORMAT_NAME, FORMAT_VERSION, ResponsePopulationConfig, _build)
