"""A session without a display: the schedule, kept by the clock."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from typing import Literal

from sjepa_apps.session.presenter import UNMONITORED, PresentedTrial, TrialMonitor
from sjepa_online.markers import END, PAUSE
from sjepa_online.schedule import ScheduledTrial
from sjepa_online.stream import FrameOutlet, StimulusOutlet, local_clock

#: How often it is asked whether something has ended the trial (s).
LOOK = 0.02
#: A trial that is asked for within this time (s) after the last one follows it without a pause.
IN_A_ROW = 0.5


class HeadlessPresenter:
    """Present trials through streams alone, for a simulated participant.

    Each phase begins at its time on an absolute schedule, so nothing adds up over a session,
    and its marker bears exactly this time.

    Parameters
    ----------
    stimulus : StimulusOutlet
    frames : FrameOutlet
        Gets one frame a phase.
    tell : callable
        Takes messages and feedback.
    """

    def __init__(
        self, stimulus: StimulusOutlet, frames: FrameOutlet, tell: Callable[[str], None]
    ) -> None:
        self._stimulus = stimulus
        self._frames = frames
        self._tell = tell
        self._free = 0.0

    def present(self, trial: ScheduledTrial, monitor: TrialMonitor = UNMONITORED) -> PresentedTrial:
        """Keep the times of a trial and send its markers; see :class:`Presenter`."""
        now = local_clock()
        onset = self._free if now - self._free < IN_A_ROW else now
        onsets: list[float] = []
        ended = False
        for phase in trial.phases:
            if end := _wait_until(onset, monitor, deciding=bool(onsets)):
                return self._end_early(trial, onsets, end, ended)
            if phase.marker:
                self._stimulus.push(phase.marker, onset)
            ended = ended or phase.marker == END
            self._frames.push([onset], [0])
            onsets.append(onset)
            onset += phase.duration
        if end := _wait_until(onset, monitor, deciding=True):
            return self._end_early(trial, onsets, end, ended)
        self._free = onset
        return PresentedTrial(trial, tuple(onsets), n_frames=len(onsets))

    def _end_early(
        self,
        trial: ScheduledTrial,
        onsets: list[float],
        end: Literal["decided", "broken"],
        ended: bool,
    ) -> PresentedTrial:
        self._free = local_clock()
        if end == "broken" or not ended:
            self._stimulus.push(END if end == "decided" else PAUSE, self._free)
        return PresentedTrial(trial, tuple(onsets), end == "decided", n_frames=len(onsets))

    def show_message(self, text: str, *, wait: bool = False) -> None:
        """Report a message, without waiting."""
        self._tell(text)

    def show_feedback(self, selected: str, correct: bool | None) -> None:
        """Report the selected class or symbol."""
        verdict = {True: " (right)", False: " (wrong)", None: ""}[correct]
        self._tell(f"Selected: {selected}{verdict}")

    def show_text(self, text: str, keys: Mapping[str, str]) -> None:
        """Report the text so far."""
        if text:
            self._tell(f"Text: {text}")

    def check_stopped(self) -> None:
        """Return at once: only Ctrl-C ends a session without a display."""

    def close(self) -> None:
        """Nothing to let go of."""


def _wait_until(
    onset: float, monitor: TrialMonitor, *, deciding: bool
) -> Literal["", "decided", "broken"]:
    """Wait until a time (s, LSL clock), and return the reason of an earlier end of the trial."""
    while True:
        if monitor.broken():
            return "broken"
        if deciding and monitor.decided():
            return "decided"
        left = onset - local_clock()
        if left <= LOOK:
            time.sleep(max(0.0, left))
            return ""
        time.sleep(min(LOOK, left - LOOK / 2))
