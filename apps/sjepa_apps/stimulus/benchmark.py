"""How well a display keeps to the frames of a session."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from itertools import count
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sjepa_apps.session.presenter import PresentedTrial, SessionStopped
from sjepa_apps.stimulus.display import DisplayOptions, DisplayReport
from sjepa_apps.stimulus.frames import LATE_INTERVAL
from sjepa_apps.stimulus.presenter import QtPresenter
from sjepa_apps.stimulus.window import StimulusWindow
from sjepa_apps.ui.application import make_application, run_application
from sjepa_online.errors import OperationError
from sjepa_online.protocol import Protocol
from sjepa_online.schedule import ScheduledTrial, make_schedule
from sjepa_online.stream import FrameOutlet, StimulusOutlet


@dataclass(frozen=True)
class DisplayMeasurement:
    """What a display did with the frames of some trials.

    Attributes
    ----------
    report : DisplayReport
    n_trials, n_frames : int
        Shown from their beginning to their end.
    intervals : array, shape (n_frames - n_trials,)
        Between the frames of a trial (s).
    """

    report: DisplayReport
    n_trials: int
    n_frames: int
    intervals: NDArray[np.float64]

    @property
    def n_late(self) -> int:
        """Frames that came later than one and a half refreshes after the one before."""
        return int(np.count_nonzero(self.intervals * self.report.refresh_rate > LATE_INTERVAL))

    def to_json(self) -> dict[str, Any]:
        """Return the JSON document.

        Returns
        -------
        document : dict
        """
        milliseconds = 1e3 * self.intervals
        p50, p99, p999 = np.percentile(milliseconds, [50, 99, 99.9]).tolist()
        return {
            "display": self.report.name,
            "refresh_rate": self.report.refresh_rate,
            "vsync": self.report.vsync,
            "warnings": list(self.report.warnings),
            "trials": self.n_trials,
            "seconds": float(self.intervals.sum()),
            "frames": self.n_frames,
            "late": self.n_late,
            "late_share": self.n_late / self.n_frames,
            "interval_ms": {"p50": p50, "p99": p99, "p99_9": p999, "max": milliseconds.max()},
        }


class _FrameLog(FrameOutlet):
    """An outlet that remembers when frames became visible."""

    def __init__(self, refresh_rate: float) -> None:
        super().__init__(refresh_rate)
        self.times: list[float] = []

    def push(self, times: Sequence[float], late: Sequence[int]) -> None:
        super().push(times, late)
        self.times += times


def measure_display(
    protocol: Protocol,
    seconds: float,
    display: int = 1,
    *,
    unattended: bool = False,
    progress: Callable[[float], None] = lambda seconds: None,
) -> DisplayMeasurement:
    """Show the trials of a protocol, and look at the times of their frames.

    Parameters
    ----------
    protocol : Protocol
    seconds : float
        For how long; the last trial is shown to its end. Escape ends it, too.
    display : int
        Number of the display, from 1.
    unattended : bool
        Nobody looks at the display, so nobody confirms the warning about flicker.
    progress : callable
        Is given the seconds so far after each trial.

    Returns
    -------
    measurement : DisplayMeasurement

    Raises
    ------
    InputError
        There is no such display, or it is too slow for the protocol.
    OperationError
        No trial was shown to its end.
    KeyboardInterrupt
        Ctrl-C.
    """
    application = make_application()
    window = StimulusWindow(protocol, DisplayOptions(display), confirmed=unattended)
    presented: list[PresentedTrial] = []
    try:
        report = window.open()
        outlets = StimulusOutlet(protocol.model_dump_json()), _FrameLog(report.refresh_rate)
        with outlets[0] as markers, outlets[1] as frames, ThreadPoolExecutor(1) as executor:
            window.connect(markers, frames)
            presenter = QtPresenter(window)
            ended = executor.submit(_present, presenter, protocol, seconds, presented, progress)
            interrupted = run_application(application, window.close)
            ended.result()
    finally:
        window.close()
    if interrupted:
        raise KeyboardInterrupt
    if not presented:
        raise OperationError("No trial was shown to its end: let it run longer")
    n_frames = [trial.n_frames for trial in presented]
    of_trials = np.split(np.array(frames.times), np.cumsum(n_frames))[: len(presented)]
    intervals = np.concatenate([np.diff(times) for times in of_trials])
    return DisplayMeasurement(report, len(presented), sum(n_frames), intervals)


def _present(
    presenter: QtPresenter,
    protocol: Protocol,
    seconds: float,
    presented: list[PresentedTrial],
    progress: Callable[[float], None],
) -> None:
    began = time.monotonic()
    with suppress(SessionStopped):
        for trial in _endless_trials(protocol):
            result = presenter.present(trial)
            if not result.completed:
                break
            presented.append(result)
            progress(time.monotonic() - began)
            if time.monotonic() - began > seconds:
                break
    presenter.close()


def _endless_trials(protocol: Protocol) -> Iterator[ScheduledTrial]:
    for seed in count():
        yield from make_schedule(protocol, seed)
