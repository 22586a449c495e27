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
#: Source ids of a decoder's decisions and of an operator's marks begin so: no stimulus is marked.
DECISION_SOURCE = "sjepa-online-decisions"
MARK_SOURCE = "sjepa-online-marks"
#: Source ids of replays begin so: a replay begins with its first consumer.
REPLAY_SOURCE = "sjepa-online-replay"
#: Formats of marker streams; whole numbers stand for their text.
MARKER_FORMATS = ("string", "int8", "int16", "int32", "int64")


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
