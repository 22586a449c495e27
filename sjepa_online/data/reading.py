"""What the readers of all formats share."""

from __future__ import annotations

import configparser
import contextlib
import re
import struct
import zlib
from collections.abc import Iterator

from scipy.io.matlab import MatReadError

from sjepa_online.errors import InputError

#: What readers of foreign formats raise on a file that is damaged or is something else.
UNREADABLE = (
    OSError,
    ValueError,
    RuntimeError,
    LookupError,
    TypeError,
    AttributeError,
    AssertionError,
    ArithmeticError,
    EOFError,
    SyntaxError,
    struct.error,
    zlib.error,
    MatReadError,
    configparser.Error,
)

#: The value of the BIDS entity ``acq`` in the names of recordings of no person.
SIMULATED = "simulated"


@contextlib.contextmanager
def naming(recording: str) -> Iterator[None]:
    """Put the recording's name into the message of an :class:`InputError`."""
    try:
        yield
    except InputError as error:
        raise InputError(
            error.rule, value=f"{recording}: {error.value}", remedy=error.remedy
        ) from error


def bids_entity(file_name: str, key: str) -> str:
    """Return the value of a BIDS entity (``sub``, ``ses``, ``run``) in a file name, or ``""``."""
    found = re.search(rf"(?:^|_){key}-([^_.]+)", file_name)
    return found.group(1) if found else ""


def one_line(message: object) -> str:
    """Return an exception or a warning as one line, with its type."""
    return " ".join(f"{type(message).__name__}: {message}".split())
