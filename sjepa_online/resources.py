"""Finds the files that people read, edit and exchange: protocols, recipes, weights, the sample."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

import platformdirs

from sjepa_online.errors import InputError
from sjepa_online.files import is_file, user_path

Kind = Literal["calibration", "models"]

#: What is found by name: the kind and the suffix of its files, and what to call it.
_TOLD: dict[tuple[Kind, str], str] = {
    ("calibration", ".toml"): "protocol",
    ("models", ".safetensors"): "file of weights or of a population",
    ("models", ".toml"): "recipe",
}
#: Folder of the profiles of amplifiers, within ``calibration``.
AMPLIFIERS = "amplifiers"
_PACKAGE = Path(__file__).resolve().parent


def user_folder(kind: Kind) -> Path:
    """Return the folder in which the user's own files of this kind are found by name.

    Parameters
    ----------
    kind : str
        Subfolder: ``models``, ``calibration``.

    Returns
    -------
    Path
    """
    return Path(platformdirs.user_data_dir("sjepa-online", appauthor=False)) / kind


def shipped_folder(kind: Kind) -> Path:
    """Return the folder that ships with the project, in a wheel or in a checkout.

    Parameters
    ----------
    kind : str
        Subfolder: ``models``, ``calibration``.

    Returns
    -------
    Path
    """
    in_wheel = _PACKAGE / "_shipped" / kind
    return in_wheel if in_wheel.is_dir() else _PACKAGE.parent / kind


def list_resources(kind: Kind, suffix: str) -> dict[str, Path]:
    """Return name -> path of every file of this kind; the user's hide the shipped ones.

    Parameters
    ----------
    kind : str
        Subfolder: ``models``, ``calibration``.
    suffix : str
        Suffix of the files, ``.toml`` for instance.

    Returns
    -------
    dict of str to Path
    """
    found: dict[str, Path] = {}
    for folder in (shipped_folder(kind), user_folder(kind)):
        for path in sorted(folder.glob(f"**/*{suffix}")):
            # profiles of amplifiers stand beside the protocols, and are found by their own room
            if AMPLIFIERS not in path.relative_to(folder).parts:
                found[path.stem] = path
    return found


def find_resource(kind: Kind, name_or_path: str | Path, suffix: str | None = None) -> Path:
    """Find a file: a path that the user gives, the user's data folder, then the shipped ones.

    Parameters
    ----------
    kind : {"calibration", "models"}
        What is looked for.
    name_or_path : str or Path
        A path, or the name of a file without its suffix.
    suffix : str, optional
        Of the files that are known by name: of protocols ``.toml``; of models ``.safetensors``
        by default, ``.toml`` for recipes.

    Returns
    -------
    Path

    Raises
    ------
    InputError
        Nothing of that name is there (the message lists what is), or the path cannot be reached.
    """
    path = user_path(name_or_path)
    if is_file(path):
        return path
    suffix = suffix or (".toml" if kind == "calibration" else ".safetensors")
    resources = list_resources(kind, suffix)
    if str(name_or_path) not in resources:
        raise InputError(
            f"No {_TOLD[kind, suffix]} has this name or path",
            value=str(name_or_path),
            remedy=f"Known names: {', '.join(sorted(resources)) or 'none'}; "
            "or give the path of a file.",
        )
    return resources[str(name_or_path)]
