from __future__ import annotations

import importlib.util
import os
import signal
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psutil
import pytest
from PyQt6.QtWidgets import QWidget

from sjepa_apps.cli import windows
from sjepa_online.data import Recording
from sjepa_online.online import DECISIONS
from sjepa_online.stream import Replay, find_streams


def test_without_a_display_it_says_so(
    command: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    if not sys.platform.startswith("linux"):
        pytest.skip("other systems always have a display")
    for name in ("DISPLAY", "WAYLAND_DISPLAY", "QT_QPA_PLATFORM"):
        monkeypatch.delenv(name, raising=False)
    outcome = command("live")
    assert outcome.code == 2
    assert "DISPLAY" in outcome.err
    assert windows.display_problem() == windows.NO_DISPLAY


def test_a_display_that_does_not_answer_ends_in_a_message(
    command: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    if not sys.platform.startswith("linux"):
        pytest.skip("other systems always have a display")
    monkeypatch.setenv("DISPLAY", ":987")
    monkeypatch.setenv("QT_QPA_PLATFORM", "xcb")
    outcome = command("live")
    assert outcome.code == 2
    assert "Qt does not start" in outcome.err
    assert "libxcb-cursor0" in outcome.err


def test_without_pyqt_it_names_the_extra(
    command: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    find = importlib.util.find_spec
    monkeypatch.setattr(windows, "find_spec", lambda name: None if name == "PyQt6" else find(name))
    outcome = command("live")
    assert outcome.code == 2
    assert ".[gui]" in outcome.err


@pytest.mark.slow
def test_ctrl_c_closes_the_window_and_its_engine(
    process: Callable[..., Any],
    interrupt: Callable[..., tuple[int, float]],
    decoder_file: Path,
    six_trials: Recording,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> None:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    name = f"live-command-{os.getpid()}"
    with Replay([six_trials], name=name, loop=True):
        started = process("live", "--decoder", decoder_file, "--stream", name)
        deadline = time.monotonic() + 100
        # the engine decodes, so that there is something to end
        while DECISIONS not in [one.name for one in find_streams()]:
            assert time.monotonic() < deadline
        (engine,) = engines_of(started)
        code, seconds = interrupt(started)
    assert code == 130
    assert seconds < 5
    assert not engine.is_running()
    assert "Traceback" not in started.stderr.read()


def test_closing_does_not_wait_for_an_engine_that_is_still_starting(qtbot: Any) -> None:
    from sjepa_apps.live.engine.client import EngineClient

    client = EngineClient()
    client.start()
    qtbot.waitUntil(lambda: bool(client.pid), timeout=60_000)
    engine = psutil.Process(client.pid)
    begun = time.monotonic()
    client.stop()
    # importing takes several seconds
    assert time.monotonic() - begun < 1
    assert not engine.is_running()


def test_ctrl_c_while_a_window_is_made_waits_for_the_event_loop(qtbot: Any) -> None:
    from sjepa_apps.ui.application import interrupt_later, make_application, run_application

    class Window(QWidget):
        """Is interrupted in a call from Qt, where an exception would be lost."""

        def showEvent(self, event: Any) -> None:  # noqa: N802 - Qt's name
            signal.raise_signal(signal.SIGINT)

    application = make_application()
    with interrupt_later():
        window = Window()
        window.show()
    assert run_application(application, window.close)
    assert not window.isVisible()


def test_ctrl_c_before_the_event_loop_begins_ends_it(qtbot: Any) -> None:
    from sjepa_apps.ui.application import make_application, run_application

    application = make_application()
    window = QWidget()
    window.show()

    class Impatient:
        """Sends Ctrl-C when the application is about to run."""

        def exec(self) -> None:
            signal.raise_signal(signal.SIGINT)
            assert not window.isVisible()
            application.exec()

        def __getattr__(self, name: str) -> Any:
            return getattr(application, name)

    assert run_application(Impatient(), window.close)  # type: ignore[arg-type]


def engines_of(started: Any) -> list[psutil.Process]:
    """Return the engines that a command has started."""
    children = psutil.Process(started.pid).children()
    return [one for one in children if "live.engine.process" in " ".join(one.cmdline())]
