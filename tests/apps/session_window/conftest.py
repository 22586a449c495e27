from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any, ClassVar

import numpy as np
import pytest

pytest.importorskip("PyQt6", reason="the windows need PyQt6")

from PyQt6.QtCore import Qt
from PyQt6.QtTest import QTest

from sjepa_apps.session_window import conductor, feedback_window, window
from sjepa_apps.session_window.run import watched_signal
from sjepa_apps.session_window.run.signal_watch import SignalState
from sjepa_apps.session_window.setup import SessionSetup
from sjepa_apps.session_window.window import SessionWindow
from sjepa_apps.stimulus import window as stimulus
from sjepa_apps.ui.recent_decoders import RecentDecoders
from sjepa_apps.ui.worker import Worker
from sjepa_online.data import Recording
from sjepa_online.decoding import DecoderRequest
from sjepa_online.evaluation.report import Advice
from sjepa_online.stream import Chunk, StreamDescription

PROTOCOL = """
name = "quick"
paradigm = "mi"
[window]
start = 0.0
length = 1.1875
[[classes]]
name = "left_hand"
[[classes]]
name = "right_hand"
[imagery]
trials_per_class = 5
practice_trials = 1
fixation = 0.02
imagery = 0.05
rest = 0.03
"""


@pytest.fixture
def eeg() -> Callable[..., Any]:
    def function(name: str, unit: str = "uV") -> StreamDescription:
        channels = ("C3", "Cz", "C4")
        return StreamDescription(
            name, "EEG", 3, 250.0, "float32", "lab", f"amp-{name}", f"uid-{name}", channels,
            ("eeg",) * 3, (unit,) * 3,
        )  # fmt: skip

    return function


@pytest.fixture
def recorded() -> Callable[..., Any]:
    def function(n_trials: int) -> Recording:
        """So many trials of each class, a second apart, and a last one whose window is cut off."""
        labels = ("left_hand", "right_hand") * n_trials + ("left_hand",)
        return Recording(
            name="session",
            data=np.zeros((1, 250 * len(labels)), np.float32),
            unit="uV",
            sfreq=250.0,
            ch_names=("Cz",),
            onsets=np.arange(len(labels), dtype=float),
            labels=labels,
            breaks=np.empty(0),
        )

    return function


class NoDiscovery:
    """Finds what a test puts in."""

    def __init__(self) -> None:
        self.found: deque[list[StreamDescription]] = deque(maxlen=1)

    def start(self) -> None:
        pass

    def ask_to_stop(self) -> None:
        pass

    def stop(self) -> None:
        pass


class QuietWatch(Worker):
    """Tells of a stream what a test puts in."""

    made: ClassVar[list[QuietWatch]] = []

    def __init__(self, stream: Any, unit: Any, layout: Any) -> None:
        super().__init__("quiet watch")
        self.state = SignalState()
        self.layout = layout
        self.made.append(self)

    def work(self) -> None:
        self._ended.wait()


@pytest.fixture
def quiet_watch() -> type[QuietWatch]:
    """The class that stands in for the watch on the signal."""
    return QuietWatch


@pytest.fixture
def watches() -> list[QuietWatch]:
    """The watches on the signal, in the order in which they were made."""
    QuietWatch.made.clear()
    return QuietWatch.made


class QuickSession:
    """Shows the trials of a folder, and records nothing."""

    error: Exception | None = None

    def __init__(self, folder: Any, stream: Any, others: Any, tell: Callable[[str], None]) -> None:
        self.folder = folder
        self.tell = tell

    def practise(self, presenter: Any) -> None:
        presenter.show_message("Practice", wait=True)

    def record(self, presenter: Any, progress: Callable[[int, int], None]) -> None:
        if self.error is not None:
            raise self.error
        schedule = self.folder.schedule()
        for trial in schedule:
            progress(trial.number, len(schedule))
            while not presenter.present(trial).completed:
                pass
        progress(len(schedule), len(schedule))
        self.tell("all shown")

    def recordings(self) -> list[Any]:
        return []

    def train(
        self, request: Any, dynamic_stopping: bool, progress: Callable[[], None], earlier: Any
    ) -> Any:
        for _ in range(6):
            progress()
        n_trials = len(self.folder.schedule())
        summary = SimpleNamespace(
            cross_validation={"riemann": {"accuracy": 0.75}}, n_trials=n_trials, choice=""
        )
        decoder = SimpleNamespace(
            calibration=summary,
            name="riemann",
            classes=("left_hand", "right_hand"),
            save=lambda path: path.write_text("decoder"),
        )
        calibration = SimpleNamespace(decoder=decoder)
        return SimpleNamespace(calibration=calibration, recordings=(), note="")


def write_nothing(path: Path, *_: Any) -> Any:
    """Stand in for the report, which has nothing to tell of the forehead."""
    path.write_text("r")
    return SimpleNamespace(forehead=None)


@pytest.fixture
def protocol_file(tmp_path: Path) -> Path:
    path = tmp_path / "quick.toml"
    path.write_text(PROTOCOL)
    return path


@pytest.fixture
def open_session(
    qapp: Any, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, protocol_file: Path
) -> Iterator[Callable[..., SessionWindow]]:
    """Open session windows in which nothing is recorded; they last as long as the test."""
    monkeypatch.setattr(conductor, "check_channels", lambda stream, unit: None)
    monkeypatch.setattr(conductor, "CalibrationSession", QuickSession)
    # as if all were recorded
    monkeypatch.setattr(conductor, "remaining_trials", lambda *_: [])
    monkeypatch.setattr(conductor, "write_report", write_nothing)
    monkeypatch.setattr(conductor, "advise", lambda _: [Advice("warning", "At chance.")])
    monkeypatch.setattr(conductor, "more_trials_help", lambda _: True)
    monkeypatch.setattr(window, "Discovery", NoDiscovery)
    monkeypatch.setattr(watched_signal, "SignalWatch", QuietWatch)
    monkeypatch.setattr(stimulus, "MEASURED_FRAMES", 25)
    monkeypatch.setattr(stimulus, "SETTLING_FRAMES", 2)
    opened = []

    def make(*streams: StreamDescription, **options: Any) -> SessionWindow:
        options = {"paradigm": str(protocol_file), "folder": tmp_path / "session"} | options
        options = {"request": DecoderRequest("riemann")} | options
        opened.append(SessionWindow(SessionSetup(**options)))
        opened[-1].show()
        opened[-1].setup_page.show_streams(list(streams))
        return opened[-1]

    yield make
    for one in opened:
        one.end_at_once()
    qapp.processEvents()


@pytest.fixture
def go_to_recording() -> Callable[..., Any]:
    def function(one: SessionWindow, qtbot: Any) -> None:
        one.setup_page.primary.click()
        qtbot.waitUntil(one.channels_page.primary.isEnabled, timeout=60_000)
        one.channels_page.primary.click()

    return function


@pytest.fixture
def begin() -> Callable[..., Any]:
    def function(one: SessionWindow, qtbot: Any, practice: bool = True) -> Any:
        """Start the run, press Enter before practice; give the stimulus window."""
        one.run_page.primary.click()
        shown = one.conductor.stimulus
        assert shown is not None
        if practice:
            qtbot.waitUntil(lambda: shown._then is not None, timeout=60_000)
            QTest.keyClick(shown.frame_window, Qt.Key.Key_Return)
        qtbot.waitUntil(lambda: shown._playing, timeout=60_000)
        return shown

    return function


@pytest.fixture
def stopping_inlet() -> type:
    """A stand-in for the inlet: two seconds of signal with a flat channel, then nothing."""
    rng = np.random.default_rng(0)
    chunks = [rng.standard_normal((3, 125)) * 10 for _ in range(4)]
    for chunk in chunks:
        chunk[1] = 0.0

    class Inlet:
        ch_names, sfreq, missing = ("C3", "Cz", "C4"), 250.0, 0
        lost = False

        def __init__(self, stream: Any, amplifier: Any, recover: bool) -> None:
            self.stream = stream

        def __enter__(self) -> Inlet:
            return self

        def __exit__(self, *_: object) -> None:
            return None

        def unit_of(self) -> str:
            return "uV"

        def pull(self) -> Chunk:
            data = chunks.pop(0) if chunks else np.empty((3, 0))
            impedances = {"Cz": 7.0} if data.size else {}
            return Chunk(data, np.arange(data.shape[1]) / 250, impedances=impedances)

    return Inlet


@pytest.fixture
def quick_session() -> type[QuickSession]:
    """The class that stands in for the session of a window."""
    return QuickSession


@pytest.fixture(autouse=True)
def recent(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> RecentDecoders:
    """The decoders of late, of this test alone."""
    path = tmp_path / "config" / "recent_decoders.json"
    for module in (window, feedback_window):
        monkeypatch.setattr(module, "recent_file", lambda: path)
    return RecentDecoders(path)


@pytest.fixture(autouse=True)
def checked_for_leaks(no_leaks: None) -> None:
    """Check every test here for what it leaves behind."""
