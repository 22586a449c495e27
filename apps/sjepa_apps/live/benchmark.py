"""The latency of decisions while the window is open, and how fluid it is meanwhile."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import psutil
from PyQt6.QtCore import QObject, QTimer

from sjepa_apps.live.session import LogEntry
from sjepa_apps.live.settings import LiveSettings
from sjepa_apps.live.window import LiveOptions, LiveWindow
from sjepa_apps.ui.application import interrupt_later, make_application, run_application
from sjepa_online.decoding import Decoder
from sjepa_online.errors import OperationError
from sjepa_online.evaluation.latency import TimedDecision, Timing
from sjepa_online.online.events import LiveDecision

#: Seconds of decoding after which caches are warm and histories begin to fill.
WARM_UP = 5.0
#: Seconds without a sample after which the stream is taken for ended.
ENDED_AFTER = 5.0
#: Seconds in which the first decision comes, or none ever will.
FIRST_WITHIN = 90.0
_EVERY = 1000


class _Measurement(QObject):
    """Follow a window until its stream has ended, then close it.

    Attributes
    ----------
    timing : Timing
    failure : str
        Why there is nothing to measure; empty where there is.
    """

    def __init__(self, window: LiveWindow, n_samples: int, progress: Callable[[], None]) -> None:
        super().__init__()
        self.timing = Timing()
        self.failure = ""
        self._window = window
        self._n_samples, self._progress = n_samples, progress
        self._process = psutil.Process()
        self._begun = self._since = 0.0
        self._opened = time.monotonic()
        self._warm = False
        self._busy = self._engine_busy = self._memory = 0.0
        window.session.decided.connect(self._take)
        window.session.logged.connect(self._hear)
        window.session.engine_ended.connect(lambda why: self._fail(f"the engine has ended: {why}"))
        self._timer = QTimer(self)
        self._timer.timeout.connect(self._look)
        self._timer.start(_EVERY)

    def _take(self, decision: LiveDecision) -> None:
        self.timing.decisions.append(
            TimedDecision(decision.time, decision.latency, decision.end_to_end)
        )

    def _hear(self, entry: LogEntry) -> None:
        if entry.event == "refused":
            self._fail(entry.detail)

    def _look(self) -> None:
        self._progress()
        session, now = self._window.session, time.monotonic()
        if session.health is not None:
            # the engine opens the stream first, and so has every sample
            self.timing.received = session.health.received
        ended = session.received > 0 and (session.silence or 0.0) > ENDED_AFTER
        if not self.timing.decisions:
            if ended:
                self._fail("the stream ended before the first decision")
            elif now > self._opened + FIRST_WITHIN:
                self._fail(f"no decision within {FIRST_WITHIN:g} s")
            return
        if not self._begun:
            self._begun = now
            self._measure_from(now)
        elif self.timing.received >= self._n_samples or ended:
            self._finish(now)
            self._close()
        elif not self._warm and now >= self._begun + WARM_UP:
            self._warm = True
            self._measure_from(now)

    def _measure_from(self, now: float) -> None:
        self._since = now
        self._busy, self._memory = self._cpu(), self._process.memory_info().rss
        self._engine_busy = self._engine_cpu()
        self._window.signals.canvas.frames.reset()

    def _finish(self, now: float) -> None:
        timing, frames = self.timing, self._window.signals.canvas.frames
        seconds = now - self._since
        timing.seconds = now - self._begun
        timing.cpu_share = (self._engine_cpu() - self._engine_busy) / seconds
        timing.more["window"] = {
            "frames_per_s": frames.count / seconds,
            "longest_gap_ms": 1e3 * frames.longest_gap,
            "memory_growth_mb": (self._process.memory_info().rss - self._memory) / 2**20,
            "cpu_share": (self._cpu() - self._busy) / seconds,
        }

    def _fail(self, why: str) -> None:
        self.failure = why
        self._close()

    def _close(self) -> None:
        self._timer.stop()
        self._window.close()

    def _cpu(self) -> float:
        return float(sum(self._process.cpu_times()[:2]))

    def _engine_cpu(self) -> float:
        return float(sum(psutil.Process(self._window.session.engine.pid).cpu_times()[:2]))


def decode_in_window(
    decoder: Decoder,
    stream: str,
    n_samples: int,
    progress: Callable[[], None],
    view: str = "Signals",
) -> Timing:
    """Decode a stream to its end in the live window; the CPU share is that of the engine.

    ``more["window"]`` holds the window's frames a second, longest gap between two frames (ms),
    growth of memory (MB) and share of a core, all after five seconds of decoding.

    Parameters
    ----------
    decoder : Decoder
    stream : str
        Name of the stream.
    n_samples : int
        Length of the stream.
    progress : callable
        Called repeatedly while the stream is decoded.
    view : str
        View that stands in front of those that share its place.

    Returns
    -------
    timing : Timing

    Raises
    ------
    OperationError
        There is nothing to measure: the engine has ended or refuses the stream, or no decision
        comes.
    """
    application = make_application()
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "decoder.safetensors"
        decoder.save(path)
        options = LiveOptions(decoder=path, stream=stream, mode="sliding", remember=False)
        with interrupt_later():
            window = LiveWindow(options, LiveSettings())
            measurement = _Measurement(window, n_samples, progress)
            window.show()
            window.show_view(view)
        if run_application(application, window.end):
            raise KeyboardInterrupt
    if measurement.failure:
        raise OperationError(
            f"The latency with the window cannot be measured: {measurement.failure}"
        )
    return measurement.timing
