"""The interface between a session and whatever shows its trials: a window or no display."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Protocol

from sjepa_online.schedule import ScheduledTrial


class SessionStopped(Exception):  # noqa: N818 - it is no error
    """The participant or the experimenter ends the session (Escape)."""


@dataclass(frozen=True, slots=True)
class PresentedTrial:
    """The outcome of a trial.

    Attributes
    ----------
    trial : ScheduledTrial
    onsets : tuple of float
        When each phase that was shown became visible (s, LSL clock); as many as there are
        phases when the trial is completed, fewer when a decision has ended it.
    completed : bool
        False after a pause within the trial, or when the signal has broken off: the session
        then presents it again.
    n_frames : int
        Frames shown; 0 without a display.
    late_frames : int
        Refreshes of the display that passed without the frame that was due.
    """

    trial: ScheduledTrial
    onsets: tuple[float, ...]
    completed: bool = True
    n_frames: int = 0
    late_frames: int = 0


@dataclass(frozen=True)
class TrialMonitor:
    """Questions that a presenter asks repeatedly during a trial.

    Each answers at once, and may be called from another thread.

    Attributes
    ----------
    decided : callable
        Whether a decoder has chosen. The trial is over then, and completed; the marker ``end``
        is sent, unless it has been.
    broken : callable
        Whether the signal has broken off. The marker ``pause`` is sent then, and the trial
        is over: it is not completed.
    probabilities : callable
        What a decoder makes of the trial so far: the probability of each class; empty where it
        tells none.
    """

    decided: Callable[[], bool] = lambda: False
    broken: Callable[[], bool] = lambda: False
    probabilities: Callable[[], Mapping[str, float]] = dict


#: Of a trial that nothing but the participant interrupts.
UNMONITORED = TrialMonitor()


class Presenter(Protocol):
    """Shows trials and messages. Its methods are called from one thread, one at a time.

    A window lives in the main thread and hands these calls over to it.
    """

    def present(self, trial: ScheduledTrial, monitor: TrialMonitor = UNMONITORED) -> PresentedTrial:
        """Show a trial and return when its last phase is over.

        Each phase's marker, where it has one, is sent through the
        :class:`~sjepa_online.stream.StimulusOutlet` with the time at which the phase became
        visible. When the participant pauses, the marker ``pause`` is sent, and the method
        returns, with ``completed`` False, when he or she goes on.

        Parameters
        ----------
        trial : ScheduledTrial
        monitor : TrialMonitor
            What may end the trial before its time.

        Raises
        ------
        SessionStopped
            The participant ends the session; ``pause`` is sent before.
        """

    def show_message(self, text: str, *, wait: bool = False) -> None:
        """Show a text until the next call.

        Parameters
        ----------
        text : str
            May hold line breaks.
        wait : bool
            Return only when the participant has pressed the key that goes on. Without a
            participant at a keyboard it returns at once.

        Raises
        ------
        SessionStopped
            The participant ends the session.
        """

    def show_feedback(self, selected: str, correct: bool | None) -> None:
        """Show which class or symbol a decoder has chosen, until the next call.

        Parameters
        ----------
        selected : str
            Class or symbol.
        correct : bool or None
            Whether it was the target; None where there is no target.
        """

    def show_text(self, text: str, keys: Mapping[str, str]) -> None:
        """Keep a freely spelled text in sight from now on.

        Parameters
        ----------
        text : str
        keys : mapping of str to str
            Symbols of the matrix that do something else than to write themselves, and what.
        """

    def check_stopped(self) -> None:
        """Return at once; a session calls this repeatedly while it waits.

        Raises
        ------
        SessionStopped
            The participant has ended the session.
        """

    def close(self) -> None:
        """Let go of the display; no other method is called afterwards."""
