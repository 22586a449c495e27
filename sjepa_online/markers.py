"""The words of a stimulus marker: what a participant saw, as one line of text.

A marker is a word, and after a slash what it is about, as in MNE's hierarchical event names:

==================  ===================================================================
``12.0``            the stimulus of this class begins (SSVEP, MI: any class of the protocol)
``Target/ABC``      these symbols light up, the attended one among them
``NonTarget/DEF``   these symbols light up, the attended one not among them
``flash/ABC``       these symbols light up; which one is attended is not known
``trial``           the stimulus begins; which class is attended is not known
``cue/12.0``        the participant is asked to attend to this class or symbol
``end``             the stimulus ends
``selected/A``      a decoder has chosen this class or symbol
``pause``           nothing that follows belongs to the trial before
==================  ===================================================================

In practice trials every marker begins with ``practice/``, so that nobody learns from them.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

CUE = "cue"
END = "end"
FLASH = "flash"
#: A speller's classes: flashes with and without the attended symbol.
TARGET = "Target"
NON_TARGET = "NonTarget"
TRIAL = "trial"
SELECTED = "selected"
PAUSE = "pause"
PRACTICE = "practice"
#: Words of markers that are no class, and none that is missing.
WORDS = (CUE, END, FLASH, TRIAL, SELECTED, PAUSE)
#: Source ids of a decoder's decisions and of an operator's marks begin so: no stimulus is marked.
DECISION_SOURCE = "sjepa-online-decisions"
MARK_SOURCE = "sjepa-online-marks"
#: Source ids of replays begin so: a replay begins with its first consumer.
REPLAY_SOURCE = "sjepa-online-replay"
#: Formats of marker streams of any type; whole numbers stand for their text.
MARKER_FORMATS = ("string", "int8", "int16", "int32", "int64")
_MARKER_TYPE = re.compile(r"mark|event|stim|trig", re.IGNORECASE)
# BrainVision's remote access numbers its markers: `mk12=S  1`
_RUNNING_NUMBER = re.compile(r"^mk\d+=", re.IGNORECASE)
# how BrainVision writes a code of the trigger port
_PORT = re.compile(r"^[SR] ?(\d+)$")


@dataclass(frozen=True, slots=True)
class StimulusMarker:
    """A marker taken apart.

    Attributes
    ----------
    word : str
        A class of the protocol, or one of the words above.
    about : str
        The class, the symbol or the symbols that it is about; empty where there are none.
    practice : bool
        Whether it belongs to a practice trial.
    """

    word: str
    about: str = ""
    practice: bool = False

    def __str__(self) -> str:
        text = f"{self.word}/{self.about}" if self.about else self.word
        return f"{PRACTICE}/{text}" if self.practice else text


def parse_marker(text: str) -> StimulusMarker:
    """Take a marker's text apart; any text is a marker, known words or not.

    Parameters
    ----------
    text : str
        Text of a marker.

    Returns
    -------
    StimulusMarker
    """
    practice = text.startswith(f"{PRACTICE}/")
    word, _, about = text.removeprefix(f"{PRACTICE}/").partition("/")
    return StimulusMarker(word, about, practice)


def is_marker_stream(kind: str, form: str, sfreq: float, n_channels: int) -> bool:
    """Return whether a stream carries markers: text, codes, or numbers under a type of markers.

    Parameters
    ----------
    kind : str
        Type that the stream declares.
    form : str
        ``string``, ``float32``, ``double64`` or ``int8`` to ``int64``.
    sfreq : float
        Declared rate (Hz).
    n_channels : int

    Returns
    -------
    carries_markers : bool
    """
    if form == "string":
        return True
    if sfreq != 0:
        return False
    named = _MARKER_TYPE.search(kind) is not None
    return named or (form in MARKER_FORMATS and n_channels == 1 and kind.lower() != "eeg")


def marker_text(value: object) -> str:
    """Return the text of a marker, without white space around it or a running number before it.

    Parameters
    ----------
    value : object
        Text, or a number: ``769.0`` gives ``769``.

    Returns
    -------
    text : str
    """
    if isinstance(value, bytes):
        value = value.decode("utf-8", errors="replace")
    if not isinstance(value, str):
        number = float(value)  # type: ignore[arg-type]
        return str(int(number)) if number.is_integer() else str(number)
    return _RUNNING_NUMBER.sub("", value.strip()).strip()


def same_marker(code: str, label: str) -> bool:
    """Return whether a code names a marker.

    White space does not matter, nor how a number is written: ``S  1`` is ``S 1``, and ``1``
    where only numbers are given; ``769.0`` is ``769``.

    Parameters
    ----------
    code, label : str

    Returns
    -------
    is_same : bool
    """
    one, other = (" ".join(marker_text(text).split()) for text in (code, label))
    if one == other or one.replace(" ", "") == other.replace(" ", ""):
        return True
    try:
        port = _PORT.match(other)
        return float(one) == float(port.group(1) if port else other)
    except ValueError:
        return False
