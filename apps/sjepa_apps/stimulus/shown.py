"""What the participant sees, for the operator."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

#: ``waiting``: a message that Enter ends; ``message``: one that the session ends.
Activity = Literal["trial", "waiting", "message", "pause", "stop question"]


@dataclass(frozen=True, slots=True)
class ShownState:
    """What the stimulus window shows.

    Attributes
    ----------
    activity : {"trial", "waiting", "message", "pause", "stop question"}
    target : str
        Class or symbol of the trial that is on; empty between trials.
    phase : str
        Kind of its phase, see :class:`~sjepa_online.schedule.Phase`; empty between trials.
    message : str
        First line of what is told between trials.
    n_pauses, n_repeats : int
        Pauses so far, and trials that were begun again.
    """

    activity: Activity
    target: str
    phase: str
    message: str
    n_pauses: int
    n_repeats: int
