"""Atomic writes: a reader sees the old file or the whole new one, never a part."""

from __future__ import annotations

import os
import platform
import re
import tempfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import psutil

from sjepa_online.errors import InputError, OperationError

# temporary files tell whose they are: other machines may write to the same folder
_HOST = f"{zlib.crc32(platform.node().encode()):08x}"
_TEMPORARY = re.compile(rf"\..*-{_HOST}-(\d+)-[a-z0-9_]{{8}}(\.[^.]*)?\.tmp")
# of the name of the file; the whole name must not become too long
_STEM_LENGTH = 40


class WriteError(OperationError, OSError):
    """An output file could not be written; an :class:`OSError` too, as its cause is one."""


def user_path(text: str | Path) -> Path:
    """Return a path that the user gave, with ``~`` expanded.

    Parameters
    ----------
    text : str
        Path as the user wrote it.

    Returns
    -------
    Path

    Raises
    ------
    InputError
        The user after ``~`` is unknown.
    """
    try:
        return Path(text).expanduser()
    except RuntimeError as error:
        raise path_error(text, error) from error


def is_file(path: Path) -> bool:
    """Tell whether a file is there.

    Parameters
    ----------
    path : Path
        The file.

    Returns
    -------
    bool

    Raises
    ------
    InputError
        The system refuses to look: the name is too long, or a folder may not be entered.
    """
    try:
        return path.is_file()
    except OSError as error:
        raise path_error(path, error) from error


def path_error(path: str | Path, error: OSError | RuntimeError) -> InputError:
    """Return the error of a path that the system refuses.

    Parameters
    ----------
    path : Path
        The file.
    error : OSError
        Error of the system.

    Returns
    -------
    InputError
    """
    return InputError(
        "The path cannot be reached or read",
        value=f"{path} ({getattr(error, 'strerror', None) or error})",
        remedy="Correct the path, or ask its owner for the right to read it.",
    )


@contextmanager
def atomic_path(path: Path) -> Iterator[Path]:
    """Yield a temporary path in the same folder; it replaces ``path`` on success.

    The temporary file is flushed to the disk before it is renamed. When the body raises,
    it is deleted and ``path`` stays as it was. What killed processes left in the folder is deleted
    first; see :func:`remove_abandoned`.

    Parameters
    ----------
    path : Path
        The file to write.

    Returns
    -------
    Path
        Temporary path.

    Raises
    ------
    InputError
        The folder of ``path`` does not exist or cannot be written, or ``path`` is a folder.
    WriteError
        The disk is full, or the file that is there is held by another program.
    """
    if path.is_dir():
        raise InputError(
            "The output file is an existing folder",
            value=str(path),
            remedy="Add a file name to the path.",
        )
    remove_abandoned(path.parent)
    prefix = f".{path.stem[:_STEM_LENGTH]}-{_HOST}-{os.getpid()}-"
    try:
        handle, name = tempfile.mkstemp(dir=path.parent, prefix=prefix, suffix=f"{path.suffix}.tmp")
    except OSError as error:
        raise InputError(
            "The output file cannot be written: its folder is missing or write-protected",
            value=f"{path} ({error.strerror})",
            remedy="Create the folder or choose another path.",
        ) from error
    os.close(handle)
    temporary = Path(name)
    try:
        yield temporary
        with temporary.open("rb+") as file:
            os.fsync(file.fileno())
        temporary.chmod(0o666 & ~_umask())
        temporary.replace(path)
    except OSError as error:
        raise WriteError(
            f"{path} could not be written: {error.strerror or error}. Make room on the disk, or "
            "close the program that has the file open, and try again."
        ) from error
    finally:
        temporary.unlink(missing_ok=True)


def remove_abandoned(folder: Path) -> None:
    """Delete the temporary files of :func:`atomic_path` whose process was killed.

    Files of processes that run, of other machines and of other programs stay.

    Parameters
    ----------
    folder : Path
        Where to look; nothing is done when it does not exist or may not be read.
    """
    with suppress(OSError):
        for entry in os.scandir(folder):
            found = _TEMPORARY.fullmatch(entry.name)
            if found and not psutil.pid_exists(int(found.group(1))):
                Path(entry.path).unlink(missing_ok=True)


def atomic_write(path: Path, content: bytes) -> None:
    """Write ``content`` to ``path`` through :func:`atomic_path`.

    Parameters
    ----------
    path : Path
        The file.
    content : bytes
    """
    with atomic_path(path) as temporary:
        temporary.write_bytes(content)


def _umask() -> int:
    current = os.umask(0)
    os.umask(current)
    return current
