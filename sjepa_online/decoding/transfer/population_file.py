"""Files of populations: found by name, read, validated, listed; and what no population may lack."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePath
from typing import Generic, TypeVar

from pydantic import BaseModel, ValidationError

from sjepa_online.decoding.transfer.fingerprint import KnownTrials
from sjepa_online.decoding.transfer.montage_match import match_montage
from sjepa_online.errors import InputError
from sjepa_online.resources import find_resource, list_resources
from sjepa_online.tensor_file import Arrays, open_safetensors, read_tensor_file, write_tensor_file
from sjepa_online.typing import FloatArray

#: A montage needs to serve for this share of a population's electrodes.
MIN_SHARE = 0.5

ConfigT = TypeVar("ConfigT", bound=BaseModel)
PopulationT = TypeVar("PopulationT")


@dataclass(frozen=True)
class PopulationFile(Generic[ConfigT, PopulationT]):
    """A kind of population file.

    Attributes
    ----------
    name, version : str, int
        Of the format.
    config_type : type
        What the configuration is validated by.
    build : callable
        Makes the population of its configuration and arrays; a ``KeyError`` says what is missing.
    """

    name: str
    version: int
    config_type: type[ConfigT]
    build: Callable[[ConfigT, Arrays], PopulationT]

    def write(self, path: Path, config: ConfigT, arrays: Arrays) -> None:
        """Write a population as one safetensors file, atomically.

        Parameters
        ----------
        path : Path
            The file; one that exists is replaced.
        config : BaseModel
        arrays : dict of str to ndarray
        """
        write_tensor_file(path, self.name, self.version, config.model_dump(mode="json"), arrays)

    def load(self, name_or_path: str | Path) -> PopulationT:
        """Read a population by name or path.

        Parameters
        ----------
        name_or_path : str or Path
            The name of a file in the folders of models, or a path.

        Returns
        -------
        population

        Raises
        ------
        InputError
            There is no such file, or it is damaged or of another kind.
        """
        path = find_resource("models", name_or_path)
        content, arrays = read_tensor_file(path, self.name, self.version)
        try:
            return self.build(self.config_type.model_validate(content), arrays)
        except (ValidationError, KeyError) as error:
            raise InputError(
                "The configuration or an array of this population file is missing or invalid",
                value=f"{path} ({error})",
                remedy="The file was changed or damaged: get it or make it again.",
            ) from error

    def configs(self, read: Callable[[Path], ConfigT]) -> dict[str, ConfigT]:
        """Describe all populations of this kind that are known by name.

        Parameters
        ----------
        read : callable
            Returns the configuration of a file.

        Returns
        -------
        configs : dict of str to BaseModel
            By name; files of other kinds are passed over.

        Raises
        ------
        InputError
            A file is damaged.
        """
        return {
            name: read(path)
            for name, path in list_resources("models", ".safetensors").items()
            if open_safetensors(path)[0].get("format") == self.name
        }


def too_few_electrodes(electrodes: Sequence[str], ch_names: Sequence[str]) -> str:
    """Say that a montage serves for less than half of a population's electrodes.

    Parameters
    ----------
    electrodes : sequence of str
        Of the population.
    ch_names : sequence of str
        The montage.

    Returns
    -------
    problem : str
        Empty where it serves for enough.
    """
    served = match_montage(electrodes, ch_names).served
    if len(served) >= MIN_SHARE * len(electrodes):
        return ""
    return (
        f"the montage has less than half of its electrodes ({', '.join(electrodes)}): "
        f"{', '.join(served) or 'none'}"
    )


def same_recordings(sources: Sequence[str], recordings: Sequence[str]) -> str:
    """Say which recordings a population was made from that are in use.

    Parameters
    ----------
    sources : sequence of str
        Names of the population's recordings.
    recordings : sequence of str
        Names of those in use.

    Returns
    -------
    problem : str
        Empty where there is none.
    """
    own = {PurePath(source).stem for source in sources}
    shared = sorted({PurePath(recording).stem for recording in recordings} & own)
    return f"it was made from these recordings too: {', '.join(shared)}" if shared else ""


def same_trials(
    known: KnownTrials,
    sources: Sequence[str],
    epochs: Sequence[FloatArray],
    ch_names: Sequence[str],
) -> str:
    """Say which recordings a population was made from whose trials are in use.

    Parameters
    ----------
    known : KnownTrials
        Of the population.
    sources : sequence of str
        Names of the population's recordings.
    epochs : sequence of ndarray, shape (n, channels, samples)
        Trials in use, in µV at 128 Hz.
    ch_names : sequence of str
        Their channels.

    Returns
    -------
    problem : str
        Empty where there is none.
    """
    found = {index for X in epochs for index in known.among(X, ch_names)}
    named = ", ".join(sources[index] for index in sorted(found))
    return f"it was made from these very trials: those of {named}" if found else ""
