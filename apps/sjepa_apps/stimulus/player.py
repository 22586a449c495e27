"""A trial frame by frame: what the next frame shows, and what the display has shown."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sjepa_apps.stimulus.frames import missed_refreshes
from sjepa_online.schedule import Phase, ScheduledTrial

# share of a refresh by which a frame must be late before the flicker skips what was missed
_BEHIND = 0.75


@dataclass(frozen=True, slots=True)
class ShownFrame:
    """What a swap of the display's buffers has brought.

    Attributes
    ----------
    late : int
        Refreshes that passed without the frame that was due.
    marker : str
        Marker of the phase that begins with this frame; empty elsewhere.
    """

    late: int
    marker: str = ""


class TrialPlayer:
    """Walk through the frames of a trial at the pace of the display.

    Every phase is shown from its first frame on, whose swap is the phase's onset. Where a swap
    comes late, frames within the phase are skipped, so that a flicker keeps its phase and the
    phase its length.

    Parameters
    ----------
    trial : ScheduledTrial
    counts : sequence of int
        Frames of each phase, see :class:`~sjepa_apps.stimulus.frames.FramePlanner`.
    refresh_rate : float
        Of the display (Hz).

    Attributes
    ----------
    onsets : list of float
        When each phase that was shown became visible (s).
    index : int
        Number of the next frame within its phase.
    n_frames : int
        Frames shown.
    n_late : int
        Refreshes that passed without the frame that was due.
    """

    def __init__(self, trial: ScheduledTrial, counts: Sequence[int], refresh_rate: float) -> None:
        self.trial = trial
        self.onsets: list[float] = []
        self.index = 0
        self.n_frames = 0
        self.n_late = 0
        self._counts = tuple(counts)
        self._refresh_rate = refresh_rate
        self._phase = 0
        self._previous: float | None = None

    @property
    def finished(self) -> bool:
        """Whether the last frame of the last phase has been shown."""
        return self._phase == len(self._counts)

    @property
    def phase(self) -> Phase:
        """The phase of the next frame; the last phase when the trial is over."""
        return self.trial.phases[min(self._phase, len(self._counts) - 1)]

    def shown(self, time: float) -> ShownFrame:
        """Take note that the next frame has become visible at ``time`` (s) and go on."""
        interval = 0.0 if self._previous is None else time - self._previous
        late = missed_refreshes(interval, self._refresh_rate)
        self._previous = time
        self.n_frames += 1
        self.n_late += late
        marker = ""
        if self.index == 0:
            self.onsets.append(time)
            marker = self.phase.marker
        self._advance(time)
        return ShownFrame(late, marker)

    def _advance(self, time: float) -> None:
        behind = (time - self.onsets[-1]) * self._refresh_rate - self.index
        self.index += 1 + (round(behind) if behind > _BEHIND else 0)
        if self.index >= self._counts[self._phase]:
            self._phase += 1
            self.index = 0
