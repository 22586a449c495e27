"""What the readers of all formats share."""

from __future__ import annotations

import contextlib
import re
from collections.abc import Iterator
from pathlib import Path

from sjepa_online.errors import InputError

#: What readers of foreign formats raise on a file that is damaged or is something else: any
#: error, as MNE raises bare ones, too.
UNREADABLE = (Exception,)

#: Files of the same name that hold a part of a recording: BrainVision's and EEGLAB's.
_PARTS = (".eeg", ".dat", ".vmrk", ".fdt")
_BIDS_TABLES = ("channels", "events")

#: What MNE calls a place where parts were joined.
BREAK = "BAD boundary"

#: The value of the BIDS entity ``acq`` in the names of recordings of no person.
SIMULATED = "simulated"


@contextlib.contextmanager
def naming(recording: str) -> Iterator[None]:
    """Put the recording's name into the message of an :class:`InputError`.

    Parameters
    ----------
    recording : str
        Name of the recording or path of its file.

    Yields
    ------
    None
        An error of the block is raised again with the name before its value.
    """
    try:
        yield
    except InputError as error:
        raise InputError(
            error.problem, value=f"{recording}: {error.value}", remedy=error.remedy
        ) from error


def bids_entity(file_name: str, key: str) -> str:
    """Return the value of a BIDS entity (``sub``, ``ses``, ``run``) in a file name, or ``""``.

    Parameters
    ----------
    file_name : str
        Without folders, such as ``sub-01_ses-2_task-mi_eeg.vhdr``.
    key : str
        Short name of the entity: ``sub``, ``ses``, ``run``, ...

    Returns
    -------
    str
        Without the key and its hyphen; empty where the name lacks the entity.
    """
    found = re.search(rf"(?:^|_){key}-([^_.]+)", file_name)
    return found.group(1) if found else ""


def bids_table(path: Path, suffix: str) -> Path | None:
    """Return the table of a recording named ``*_eeg.*``, such as its ``*_events.tsv``.

    Parameters
    ----------
    path : Path
        The recording.
    suffix : {"channels", "events"}

    Returns
    -------
    Path or None
        None where there is no such file.
    """
    table = path.with_name(f"{path.stem.removesuffix('_eeg')}_{suffix}.tsv")
    return table if path.stem.endswith("_eeg") and table.is_file() else None


def companions(path: Path) -> list[Path]:
    """Return the files beside a recording's own that are read with it.

    Parameters
    ----------
    path : Path
        The recording's own file.

    Returns
    -------
    list of Path
        Only files that exist: parts of the format first, then tables of BIDS.
    """
    parts = [one for suffix in _PARTS if (one := path.with_suffix(suffix)).is_file()]
    tables = (bids_table(path, suffix) for suffix in _BIDS_TABLES)
    return [*parts, *(table for table in tables if table is not None)]


def one_line(message: object) -> str:
    """Return an exception or a warning as one line, with its type.

    Parameters
    ----------
    message : Exception or Warning
        What a library raised or warned of.

    Returns
    -------
    str
        The name of its type, a colon, and its text without line breaks.
    """
    return " ".join(f"{type(message).__name__}: {message}".split())
