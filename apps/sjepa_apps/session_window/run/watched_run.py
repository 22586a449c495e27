"""A run as the operator follows it: the page, the signal, and what has just happened."""

from __future__ import annotations

import time
from collections.abc import Sequence

from sjepa_apps.session_window.run.page import RunPage
from sjepa_apps.session_window.run.watched_signal import WatchedSignal
from sjepa_apps.stimulus.shown import ShownState
from sjepa_apps.stimulus.window import StimulusWindow
from sjepa_apps.ui.widgets import State
from sjepa_online.amplifier import AmplifierProfile
from sjepa_online.stream import StreamDescription

_PAUSED = "Paused. P here, or Space for the participant, goes on; Esc stops."
_ASKED = "Stop? Esc again stops; P here, or Enter for the participant, goes on."


class WatchedRun:
    """Keeps the operator's page up to date while trials are shown.

    Parameters
    ----------
    page : RunPage
    """

    def __init__(self, page: RunPage) -> None:
        self._page = page
        self._signal = WatchedSignal(page.traces)
        self._began = self._trial_began = 0.0
        self._where = ""
        self._durations: Sequence[float] = ()
        self._n_repeats = 0
        self._n_losses = 0
        self._lost = False

    def begin(self, stream: StreamDescription, amplifier: AmplifierProfile) -> None:
        """Watch a stream; the clock of the run begins."""
        self._began = time.monotonic()
        self._n_repeats = self._n_losses = 0
        self._durations = ()
        self._lost = False
        self._signal.begin(stream, amplifier)

    def show_trial(
        self, number: int, n_trials: int, where: str, durations: Sequence[float]
    ) -> None:
        """Show that a trial begins; ``durations`` are those of all trials from it on (s)."""
        self._trial_began = time.monotonic()
        self._where, self._durations = where, durations
        self._page.show_trial(number, n_trials, where, sum(durations))

    def look(self, stimulus: StimulusWindow | None) -> None:
        """Bring everything that changes by itself up to date."""
        now = time.monotonic()
        self._page.show_clock(now - self._began if self._signal.on else None)
        if stimulus is None or not self._signal.on:
            return
        shown = stimulus.shown
        self._page.copy.show_copy_of(None if stimulus.stopped else stimulus)
        self._page.show_frames(stimulus.report, stimulus.frames)
        self._page.show_shown(shown)
        self._look_at_signal()
        self._page.alarm(*self._news(shown))
        if self._durations and shown.activity == "trial":
            spent = min(now - self._trial_began, self._durations[0])
            self._page.show_left(self._where, sum(self._durations) - spent)

    def end(self) -> None:
        """Watch no more."""
        if self._signal.on:
            self._signal.end()
            self._page.show_nothing()

    def close(self) -> None:
        """Wait for all threads."""
        self.end()
        self._signal.close()

    def _look_at_signal(self) -> None:
        state = self._signal.look()
        self._page.show_signal(state)
        lost = state.lost
        if lost and not self._lost:
            self._n_losses += 1
            self._page.add(state.problem)
        elif self._lost and not lost:
            self._page.add("The signal is back")
        self._lost = lost

    def _news(self, shown: ShownState) -> tuple[str, State]:
        """Tell what matters the most, and how often something has happened."""
        if shown.n_repeats > self._n_repeats:
            self._page.add("The trial is shown again")
            self._n_repeats = shown.n_repeats
        counts = self._counts(shown)
        if self._lost:
            return f"The signal is lost: waiting for it. {counts}", "bad"
        if shown.activity == "pause":
            return f"{_PAUSED} {counts}", "warning"
        if shown.activity == "stop question":
            return f"{_ASKED} {counts}", "warning"
        if shown.activity == "waiting":
            return f"The participant goes on with Enter. {counts}", ""
        return counts, ""

    def _counts(self, shown: ShownState) -> str:
        counts = (
            (shown.n_pauses, "pause", "pauses"),
            (self._n_losses, "loss of the signal", "losses of the signal"),
            (shown.n_repeats, "trial shown again", "trials shown again"),
        )
        told = [f"{n} {one if n == 1 else many}" for n, one, many in counts if n]
        return f"So far: {', '.join(told)}." if told else ""
