"""Checks of option values while the command line is read, so that mistakes end it at once.

Nothing here waits for torch or SciPy. Commands that run check the values again, in depth.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import typer

from sjepa_apps.session import STATE
from sjepa_online.errors import InputError
from sjepa_online.files import is_file


def check_paradigm(name: str | None) -> str | None:
    """Refuse a name or path of no protocol.

    Parameters
    ----------
    name : str or None

    Returns
    -------
    name : str or None
        The same.
    """
    from sjepa_online.protocol import load_protocol

    if name is not None:
        load_protocol(name)
    return name


def check_sources(texts: list[str] | None) -> list[str] | None:
    """Refuse a SOURCE without a recording.

    Parameters
    ----------
    texts : list of str or None

    Returns
    -------
    texts : list of str or None
        The same.
    """
    from sjepa_online.data import expand_sources

    expand_sources(texts or ())
    return texts


def check_decoder_name(name: str | None) -> str | None:
    """Refuse a name that no decoder has.

    Parameters
    ----------
    name : str or None

    Returns
    -------
    name : str or None
        The same.
    """
    check_decoder_names(None if name is None else [name])
    return name


def check_decoder_names(names: list[str] | None) -> list[str] | None:
    """Refuse names that no decoder has, and one that is given twice.

    Parameters
    ----------
    names : list of str or None

    Returns
    -------
    names : list of str or None
        The same.
    """
    from sjepa_online.decoding import catalog

    for name in names or ():
        catalog.check_decoder_name(name)
    twice = sorted({name for name in names or () if (names or []).count(name) > 1})
    if twice:
        raise InputError(
            "A decoder is given more than once",
            value=", ".join(twice),
            remedy="Give each decoder once.",
        )
    return names


def check_weights(name: str) -> str:
    """Refuse weights that are not there.

    Parameters
    ----------
    name : str

    Returns
    -------
    name : str
        The same.
    """
    return _check_model(name, ("random",))


def check_population(name: str) -> str:
    """Refuse a population that is not there.

    Parameters
    ----------
    name : str

    Returns
    -------
    name : str
        The same.
    """
    return _check_model(name, ("auto", "none"))


def check_recipe(name: str) -> str:
    """Refuse a recipe that is not there.

    Parameters
    ----------
    name : str

    Returns
    -------
    name : str
        The same.
    """
    from sjepa_online.resources import find_resource

    find_resource("models", name, ".toml")
    return name


def check_decoder_file(path: Path | None) -> Path | None:
    """Refuse a decoder file that is not there.

    Parameters
    ----------
    path : Path or None

    Returns
    -------
    path : Path or None
        The same.
    """
    from sjepa_online.tensor_file import require_file

    if path is not None:
        require_file(path)
    return path


def check_session_folder(path: Path | None) -> Path | None:
    """Refuse a folder that holds no session.

    Parameters
    ----------
    path : Path or None

    Returns
    -------
    path : Path or None
        The same.
    """
    if path is not None and not is_file(path / STATE):
        raise InputError(
            f"This folder holds no {STATE}, so it is no session"
            if path.exists()
            else "No such folder",
            value=path,
            remedy="Give the session folder that `calibrate` named; by default it is in sessions/.",
        )
    return path


def ends_in(suffix: str) -> Callable[[typer.CallbackParam, Path | None], Path | None]:
    """Return a check that refuses an output file of another suffix.

    Parameters
    ----------
    suffix : str
        With its point.

    Returns
    -------
    check : callable
    """

    def check(option: typer.CallbackParam, path: Path | None) -> Path | None:
        if path is not None and path.suffix.lower() != suffix:
            instead = path / f"NAME{suffix}" if path.is_dir() else path.with_suffix(suffix)
            raise InputError(
                f"The file name for {option.opts[0]} does not end in {suffix}",
                value=str(path),
                remedy=f"Write {option.opts[0]} {instead}.",
            )
        return path

    return check


def _check_model(name: str, words: tuple[str, ...]) -> str:
    from sjepa_online.resources import find_resource

    if name not in words:
        find_resource("models", name)
    return name
