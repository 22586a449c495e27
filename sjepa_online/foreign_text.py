"""Text from files, networks and other programs, made safe to show, to store and to name files by.

Names of streams, channels and classes are chosen by strangers. Shown as they are, they can move
a terminal's cursor, break an SVG, run as a formula in a spreadsheet or leave a folder.
"""

from __future__ import annotations

import re
import unicodedata

# terminal sequences: ESC [ parameters letter, ESC ] text BEL, and other two-character ones
_ESCAPES = re.compile(r"\x1b(?:\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b]*(?:\x07|\x1b\\)?|[@-Z\\-_])")
_KEPT = "\n\t"
_FORMULA = ("=", "+", "-", "@")
#: Names that Windows keeps for devices, with any suffix.
_DEVICES = re.compile(r"(?i)(con|prn|aux|nul|com\d|lpt\d)(\..*)?")
_LONGEST_NAME = 80


def clean_text(text: str, length: int = 200) -> str:
    """Return one line without control characters, cut to ``length`` characters.

    Terminal sequences are removed. Control and formatting characters (such as changes of
    writing direction) and line breaks become single spaces. Displays that interpret markup
    must still escape it.

    Parameters
    ----------
    text : str
    length : int
        Characters.

    Returns
    -------
    line : str
    """
    return " ".join(_without_controls(text, kept="").split())[:length]


def clean_lines(text: str) -> str:
    """Return text without terminal sequences and control characters; lines and tabs stay.

    Parameters
    ----------
    text : str

    Returns
    -------
    text : str
    """
    return _without_controls(text, kept=_KEPT)


def csv_cell(value: object) -> object:
    """Return a cell of a CSV table; text that a spreadsheet would run as a formula gets a quote.

    Numbers stay as they are, also in text form. The quote before ``=``, ``+``, ``-`` and ``@``
    is the spreadsheets' own sign for text.

    Parameters
    ----------
    value : object

    Returns
    -------
    cell : object
    """
    if not isinstance(value, str):
        return value
    text = clean_text(value, 10_000)
    return f"'{text}" if text.startswith(_FORMULA) and not _is_number(text) else text


def safe_name(text: str) -> str:
    """Return a name for a file or folder: one path component, on every operating system.

    Everything but letters, digits, ``.``, ``-`` and ``_`` becomes ``_``. The result never is
    empty, never begins with a dot and has at most 80 characters.

    Parameters
    ----------
    text : str

    Returns
    -------
    name : str
    """
    name = re.sub(r"[^\w.-]+", "_", clean_text(text)).lstrip(".")[:_LONGEST_NAME].rstrip(".")
    if not name or _DEVICES.fullmatch(name):
        return f"_{name}"
    return name


def _without_controls(text: str, kept: str) -> str:
    return "".join(
        " " if letter not in kept and _is_control(letter) else letter
        for letter in _ESCAPES.sub("", text)
    )


def _is_control(letter: str) -> bool:
    category = unicodedata.category(letter)
    # a usual space is of category Zs, and becomes itself
    return category[0] in "CZ"


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True
