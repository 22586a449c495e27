from __future__ import annotations

import gc
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from sjepa_online.data import Recording, load_source
from sjepa_online.stream import Chunk, discovery

pytest.importorskip("PyQt6", reason="the live window needs the extra `gui`")
pytest.importorskip("pyqtgraph", reason="the live window needs the extra `gui`")


@pytest.fixture(autouse=True)
def short_search(monkeypatch: pytest.MonkeyPatch) -> None:
    """Search for 0.7 s a round: on one machine all answer 0.5 s after the start at the latest."""
    monkeypatch.setattr(discovery, "_ROUND", 0.7)


@pytest.fixture(autouse=True)
def checked_for_leaks(no_leaks: None) -> None:
    """Check every test here for what it leaves behind."""


@pytest.fixture
def outlet() -> Iterator[Callable[..., Any]]:
    """Make outlets as any other program would, with pylsl alone; they last as long as the test."""
    import pylsl

    outlets: list[Any] = []

    def make(
        name: str,
        labels: tuple[str, ...] | None = ("Oz", "O1", "O2"),
        unit: str | None = "microvolts",
        sfreq: float = 250.0,
        stype: str = "EEG",
        n_channels: int = 3,
        source_id: str | None = None,
    ) -> Any:
        text = stype == "Markers"
        kind = pylsl.cf_string if text else pylsl.cf_float32
        identity = f"{name}-source" if source_id is None else source_id
        info = pylsl.StreamInfo(name, stype, 1 if text else n_channels, sfreq, kind, identity)
        if labels is not None and not text:
            info.set_channel_labels(list(labels))
        if unit is not None:
            info.set_channel_units(unit)
        outlets.append(pylsl.StreamOutlet(info))
        return outlets.pop()

    yield make
    gc.collect()


@pytest.fixture(scope="session")
def six_trials(short_sample: Path) -> Recording:
    """The last six trials of the short recording, from 4 s before the first."""
    (recording,) = load_source(str(short_sample))
    onsets = recording.onsets[-6:]
    start = round((onsets[0] - 4.0) * recording.sfreq)
    return replace(
        recording,
        data=recording.data[:, start:],
        onsets=onsets - start / recording.sfreq,
        labels=recording.labels[-6:],
    )


@pytest.fixture
def describe() -> Callable[..., Any]:
    """Make the description of a stream that need not be there."""
    from sjepa_online.stream import StreamDescription

    def make(name: str = "amplifier", **fields: Any) -> StreamDescription:
        values = {
            "name": name,
            "type": "EEG",
            "n_channels": 3,
            "sfreq": 250.0,
            "format": "float32",
            "host": "here",
            "source_id": "serial 7",
            "uid": f"uid of {name}",
            "ch_names": ("Oz", "O1", "O2"),
            "units": ("microvolts",) * 3,
            "asked": True,
        }
        return StreamDescription(**(values | fields))

    return make


@pytest.fixture
def describe_markers(describe: Callable[..., Any]) -> Callable[..., Any]:
    """Make the description of a marker stream that need not be there."""

    def make(name: str = "response pad", **fields: Any) -> Any:
        values = {"type": "Markers", "n_channels": 1, "sfreq": 0.0, "format": "string"}
        return describe(name, **(values | fields))

    return make


@pytest.fixture
def ready() -> Any:
    """What the engine says of a decoder for three electrodes and two classes."""
    from sjepa_online.online.events import DecoderReady, Pattern

    return DecoderReady(
        path="/somewhere/decoder.safetensors",
        name="riemann",
        protocol={
            "name": "lights",
            "paradigm": "ssvep",
            "window": {"start": 0.5, "length": 2.0},
            "classes": [{"name": "12", "frequency": 12.0}, {"name": "15", "frequency": 15.0}],
        },
        ch_names=("Oz", "O1", "O2"),
        sfreq=250.0,
        device="CPU",
        accuracy=0.9,
        patterns=(Pattern(title="response to 12 Hz", values=(1.0, 0.2, -0.3)),),
    )


@pytest.fixture
def decided() -> Callable[..., Any]:
    """Make decisions of the engine."""
    from sjepa_online.online.events import LiveDecision

    def make(time: float, label: str = "12", **fields: Any) -> LiveDecision:
        values: dict[str, Any] = {
            "time": time,
            "label": label,
            "probabilities": {"12": 0.2, "15": 0.2} | {label: 0.8},
            "bad_channels": (),
            "onset": None,
            "truth": None,
            "window": 2.0,
            "latency": 0.004,
            "end_to_end": 0.02,
            "lit": "",
            "symbols": {},
        }
        return LiveDecision(**(values | fields))

    return make


@pytest.fixture
def wait_for(qtbot: Any) -> Callable[[Callable[[], object]], None]:
    """Wait for a condition while Qt works, long enough for a machine that is much slower."""
    return lambda condition: qtbot.waitUntil(lambda: bool(condition()), timeout=60_000)


@pytest.fixture
def make_window(qtbot: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """Open live windows; they look for streams and start engines only where a test asks for it."""
    from sjepa_apps.live import settings as settings_module
    from sjepa_apps.live.engine.client import EngineClient
    from sjepa_apps.live.settings import LiveSettings
    from sjepa_apps.live.window import LiveOptions, LiveWindow
    from sjepa_apps.ui.discovery import Discovery

    monkeypatch.setattr(settings_module, "settings_file", lambda: tmp_path / "live.json")
    windows: list[LiveWindow] = []

    def make(
        *, lsl: bool = False, engine: bool = False, settings: Any = None, **options: Any
    ) -> LiveWindow:
        if not lsl:
            monkeypatch.setattr(Discovery, "start", lambda self: None)
        if not engine:
            monkeypatch.setattr(EngineClient, "start", lambda self: None)
        given = settings or LiveSettings(folder=str(tmp_path))
        window = LiveWindow(LiveOptions(**({"remember": False} | options)), given)
        windows.append(window)
        window.show()
        return window

    yield make
    for window in windows:
        window.close()
        window.deleteLater()
    qtbot.wait(1)


#: Time (s, LSL clock) of the first sample of the amplifier that stands in.
START = 1000.0


class Amplifier:
    """Stands in for a thread that reads a stream: the test says what arrives."""

    def __init__(self, stream: Any) -> None:
        self.chunks: deque[Any] = deque()
        self.markers: deque[Any] = deque()
        self.problems: deque[str] = deque()
        self.changed: Any = None
        self._alive = False
        self._n = 0

    def start(self) -> None:
        self._alive = True

    def is_alive(self) -> bool:
        return self._alive

    @property
    def begun(self) -> bool:
        return self._alive

    def ask_to_stop(self) -> None:
        self._alive = False

    def send(self, seconds: float, n_channels: int = 3) -> None:
        n = round(seconds * 250)
        times = START + (self._n + np.arange(n)) / 250.0
        rng = np.random.default_rng(self._n)
        self._n += n
        self.chunks.append(Chunk(10 * rng.standard_normal((n_channels, n)), times))


@pytest.fixture
def amplifier(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let windows read the amplifier that stands in."""
    from sjepa_apps.live import session

    monkeypatch.setattr(session, "StreamReader", Amplifier)
    monkeypatch.setattr(session, "MarkerReader", Amplifier)


@pytest.fixture
def sent(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """What windows ask of the engine."""
    from sjepa_apps.live.engine.client import EngineClient

    commands: list[Any] = []
    monkeypatch.setattr(EngineClient, "_write", lambda self, command: commands.append(command))
    return commands


@pytest.fixture
def say() -> Callable[[Any, Any], None]:
    """Let the engine of a window say something."""
    return lambda window, message: window.session.engine.received.emit(message)


@pytest.fixture
def opened(
    make_window: Callable[..., Any],
    amplifier: None,
    sent: list[Any],
    say: Callable[..., None],
    ready: Any,
    describe: Callable[..., Any],
) -> Any:
    """A window that decodes a stream."""
    from sjepa_online.online.events import Decoding

    window = make_window()
    say(window, ready)
    window.connect_view.show_streams([describe()])
    window.connect_view.connect_button.click()
    say(window, Decoding(stream="amplifier", mode="sliding", step=0.125, delay=0.05))
    return window


@pytest.fixture
def see() -> Callable[..., None]:
    """Let a window find streams."""

    def look(window: Any, *streams: Any) -> None:
        window.session.streams = list(streams)
        window.session.streams_changed.emit()

    return look


@pytest.fixture
def states() -> Callable[..., Any]:
    """Make the engine's report of the channels, of which those named are bad."""
    from sjepa_online.online.events import ChannelReport, Channels

    def make(*bad: str) -> Channels:
        return Channels(
            channels=tuple(
                ChannelReport(
                    channel=name,
                    bad=name in bad,
                    reasons=("flat",) if name in bad else (),
                    choice="automatic",
                    amplitude=1.5,
                )
                for name in ("Oz", "O1", "O2")
            )
        )

    return make


@pytest.fixture
def log_of() -> Callable[[Any], list[str]]:
    """Read the event log of a window."""
    return lambda window: [f"{one.event}: {one.detail}" for one in window.log.model.entries]


@pytest.fixture
def programs(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Callable[[str], None]:
    """Let the window's commands run a text of Python in place of this program."""

    from sjepa_apps.live.engine import commands as commands_module

    def write(text: str) -> None:
        path = tmp_path / "program.py"
        path.write_text(f"import sys, time\n{text}\n")
        monkeypatch.setattr(commands_module, "PROGRAM", (str(path),))

    return write
