"""Where and how stimuli are shown."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Placement:
    """Where the stimulus window opens.

    Attributes
    ----------
    display : int or None
        Number of the display, from 1; None for the last one, as operators sit at the first.
    windowed : bool
        Open a window in the middle of the display, which does not fill it.
    photodiode : bool
        Show a patch in the lower left corner, white while a stimulus is on.
    """

    display: int | None = None
    windowed: bool = False
    photodiode: bool = False
