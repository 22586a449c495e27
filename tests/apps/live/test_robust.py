"""What goes wrong in a session of two hours, through real LSL and the real processes."""

from __future__ import annotations

import os
import signal
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import pyxdf
from PyQt6.QtWidgets import QMessageBox

from sjepa_apps.live.application import window_number
from sjepa_apps.live.engine.commands import CommandRunner
from sjepa_apps.live.engine.recording import RecordingState
from sjepa_online.data import Recording
from sjepa_online.errors import OperationError
from sjepa_online.stream import Replay, find_streams

#: How often the engine is killed in each phase: loading, before its first decision, after it.
KILLS = int(os.environ.get("SJEPA_KILLS", "0"))
PHASES = ("deciding", "loading", "waiting") if KILLS else ("deciding",)


def push(outlet: Any, seconds: float, n_channels: int = 3) -> None:
    rng = np.random.default_rng(0)
    samples = rng.standard_normal((round(250 * seconds), n_channels)).astype(np.float32)
    outlet.push_chunk(np.ascontiguousarray(10 * samples))


def open_stream(window: Any, wait_for: Callable[..., None], name: str) -> None:
    wait_for(lambda: name in [one.name for one in window.session.streams])
    view = window.connect_view
    names = [view.table.item(row, 0).text() for row in range(view.table.rowCount())]
    view.table.selectRow(next(row for row, text in enumerate(names) if name in text))
    view.connect_button.click()


@pytest.mark.slow
def test_a_stream_dies_and_returns_and_is_recorded(
    make_window: Callable[..., Any],
    outlet: Callable[..., Any],
    wait_for: Callable[..., None],
    tmp_path: Path,
) -> None:
    window = make_window(lsl=True)
    source = outlet(f"mortal-{os.getpid()}", source_id=f"mortal-{os.getpid()}")
    open_stream(window, wait_for, f"mortal-{os.getpid()}")
    wait_for(lambda: source.have_consumers())
    push(source, 1.0)
    wait_for(lambda: window.session.received == 250)
    del source
    wait_for(lambda: window.session.silent)
    wait_for(lambda: "no data" in window.status.data.text())
    assert window.signals.canvas._notice.startswith("No data")
    window.signals.pause.click()
    window.signals.pause.click()
    source = outlet(f"mortal-{os.getpid()}", source_id=f"mortal-{os.getpid()}")
    wait_for(lambda: source.have_consumers())

    def back() -> bool:
        push(source, 0.1)
        return bool(window.session.received > 250)

    wait_for(back)
    wait_for(lambda: not window.session.silent)
    told = [entry.detail for entry in window.log.model.entries]
    assert any("sent nothing" in text for text in told)
    assert any("is back" in text for text in told)
    window.top.record.click()
    recorder = window.controls.recording

    def recorded() -> bool:
        push(source, 0.1)
        return recorder.state is RecordingState.RUNNING

    wait_for(recorded)
    window.top.record.click()
    wait_for(lambda: recorder.state is RecordingState.IDLE)
    (path,) = tmp_path.glob("*.xdf")
    (stream,) = pyxdf.load_xdf(str(path), [{"type": "EEG"}])[0]
    assert stream["info"]["name"] == [f"mortal-{os.getpid()}"]
    assert len(stream["time_stamps"]) > 0


def test_a_stream_without_a_source_id_is_found_again(
    make_window: Callable[..., Any], outlet: Callable[..., Any], wait_for: Callable[..., None]
) -> None:
    window = make_window(lsl=True)
    source = outlet(f"nameless-{os.getpid()}", source_id="")
    open_stream(window, wait_for, f"nameless-{os.getpid()}")
    wait_for(lambda: source.have_consumers())
    del source
    wait_for(lambda: window.session.silent)
    source = outlet(f"nameless-{os.getpid()}", source_id="")

    def back() -> bool:
        push(source, 0.1)
        return bool(window.session.received > 0)

    wait_for(back)


@pytest.mark.slow
def test_a_stream_that_returns_with_other_channels_is_shown_by_their_names(
    make_window: Callable[..., Any], outlet: Callable[..., Any], wait_for: Callable[..., None]
) -> None:
    """O2 alone is flat; after the restart it is the first channel, and Oz the last."""
    name = f"changed-{os.getpid()}"

    def send(source: Any, flat: int) -> None:
        samples = 10 * np.random.default_rng(0).standard_normal((25, 3))
        samples[:, flat] = 0.0
        source.push_chunk(samples.astype(np.float32))

    window = make_window(lsl=True)
    source = outlet(name)
    open_stream(window, wait_for, name)
    wait_for(lambda: source.have_consumers())

    def found(flat: int, names: tuple[str, ...]) -> bool:
        send(source, flat)
        session = window.session
        return session.store.channels.names == names and session.states.bad == ("O2",)

    wait_for(lambda: found(2, ("Oz", "O1", "O2")))
    del source
    wait_for(lambda: window.session.silent)
    source = outlet(name, labels=("O2", "O1", "Oz"))
    wait_for(lambda: found(0, ("O2", "O1", "Oz")))
    assert window.signals.canvas._store is window.session.store
    assert any("is shown by them" in entry.detail for entry in window.log.model.entries)


@pytest.mark.timeout(180 + 60 * KILLS)
@pytest.mark.slow
def test_a_crash_of_the_engine_leaves_signals_and_recording_unharmed(
    make_window: Callable[..., Any],
    decoder_file: Path,
    six_trials: Recording,
    wait_for: Callable[..., None],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    answers = [QMessageBox.StandardButton.Cancel, QMessageBox.StandardButton.Close]
    monkeypatch.setattr(QMessageBox, "question", lambda *_: answers.pop(0))
    name = f"crash-{os.getpid()}"
    # four times as fast, so that a window of signal is there four times as soon
    with Replay([six_trials], name=name, speed=4.0, loop=True, wait_for_consumers=60.0):
        window = make_window(
            lsl=True, engine=True, decoder=decoder_file, stream=name, remember=True
        )
        session = window.session
        wait_for(lambda: session.decoding is not None)
        window.top.record.click()
        recorder = window.controls.recording
        wait_for(lambda: recorder.state is RecordingState.RUNNING)
        window.top.mark.click()
        random = np.random.default_rng(0)
        for phase in np.repeat(PHASES, max(KILLS, 1)).tolist():
            if phase == "loading":
                time.sleep(random.uniform(0.0, 2.0))
            else:
                wait_for(lambda: session.decoding is not None)
            if phase == "deciding":
                wait_for(lambda: window.decoder.decision.text() != "–")
            os.kill(session.engine.pid, signal.SIGKILL)
            wait_for(lambda: window.top.restart.isVisible())
            received = session.received
            wait_for(lambda before=received: session.received > before + 100)
            window.top.restart.click()
        wait_for(lambda: session.decoding is not None)
        wait_for(lambda: window.decoder.decision.text() != "–")
        # closing asks: the first answer keeps the window
        assert not window.close()
        assert recorder.state is RecordingState.RUNNING
        received = session.received
        wait_for(lambda: session.received > received + 100)
        assert window.close()
    (path,) = tmp_path.glob("*.xdf")
    streams, _ = pyxdf.load_xdf(str(path))
    by_name = {stream["info"]["name"][0]: stream for stream in streams}
    times = by_name[name]["time_stamps"]
    assert len(times) > 256 * 5
    assert np.diff(times).max() < 0.5
    assert [text for (text,) in by_name["sjepa-online-marks"]["time_series"]] == ["mark 1"]


def test_a_tenth_window_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    held = [window_number() for _ in range(9)]
    assert [number for number, _ in held] == list(range(1, 10))
    with pytest.raises(OperationError, match="9 live windows run already"):
        window_number()
    held[4][1].unlock()
    number, lock = window_number()
    assert number == 5
    lock.unlock()
    for _, lock in held:
        lock.unlock()


def test_two_windows_at_once_publish_under_names_of_their_own(
    make_window: Callable[..., Any],
) -> None:
    number, lock = window_number()
    other, second = window_number()
    try:
        assert other > number
    finally:
        lock.unlock()
        second.unlock()
    from sjepa_apps.live.session import LiveSession

    sessions = [LiveSession(), LiveSession("-2")]
    names = [one.name for one in find_streams()]
    for session in sessions:
        session.close()
    assert {"sjepa-online-marks", "sjepa-online-marks-2"} <= set(names)


def test_replaying_and_stopping_from_the_window(
    make_window: Callable[..., Any], wait_for: Callable[..., None], short_sample: Path
) -> None:
    window = make_window(lsl=True)
    window.session.suffix = f"-{os.getpid()}"
    window.controls.run_replay([str(short_sample)])
    wait_for(lambda: window.session.received > 100)
    assert window.session.stream.name == f"sjepa-online-replay-{os.getpid()}"
    (command,) = window.controls.commands.running
    begun = time.monotonic()
    window.controls.commands.stop(command)
    wait_for(lambda: not window.controls.commands.running)
    assert time.monotonic() - begun < 5


def test_a_command_that_fails_tells_why(qtbot: Any) -> None:
    runner = CommandRunner()
    lines: list[str] = []
    runner.said.connect(lambda title, line: lines.append(line))
    with qtbot.waitSignal(runner.ended, timeout=60_000) as ended:
        runner.run("replay nothing", ["replay", "no-such-file.fif"])
    assert ended.args == ["replay nothing", 2]
    assert any("no-such-file.fif" in line for line in lines)
