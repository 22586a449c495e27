"""The threads of the window, and what becomes of their errors."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

import pytest

from sjepa_apps.live import session as session_module
from sjepa_apps.live.signals import reader
from sjepa_apps.ui import discovery
from sjepa_online.errors import OperationError

pytestmark = pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")


def fail(*_: object, **__: object) -> Any:
    raise ZeroDivisionError("nobody thought of it")


def test_a_reader_that_fails_is_told_and_the_stream_can_be_connected_again(
    make_window: Callable[..., Any],
    sent: list[Any],
    describe: Callable[..., Any],
    log_of: Callable[[Any], list[str]],
    wait_for: Callable[..., None],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(reader, "SignalInlet", fail)
    monkeypatch.setattr(session_module, "ENGINE_FIRST", 0.0)
    window = make_window()
    told = "The reader of amplifier has ended: ZeroDivisionError: nobody thought of it"
    window.connect_view.show_streams([describe()])
    for n_times in (1, 2):
        window.connect_view.connect_button.click()
        wait_for(lambda n=n_times: log_of(window).count(f"stream: {told}") == n)
        wait_for(lambda: window.session.silent)
        assert not window.session.opening
        # the window goes on, frame after frame
        wait_for(lambda: window.signals.canvas._notice.startswith("Reading has failed"))


def test_a_search_for_streams_that_fails_is_told(
    make_window: Callable[..., Any],
    log_of: Callable[[Any], list[str]],
    wait_for: Callable[..., None],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(discovery, "find_streams", fail)
    window = make_window(lsl=True)
    told = "The search for streams has ended: ZeroDivisionError: nobody thought of it"
    wait_for(lambda: f"stream: {told}" in log_of(window))


def test_disconnecting_does_not_wait_for_a_stream_that_is_being_opened(
    make_window: Callable[..., Any],
    sent: list[Any],
    describe: Callable[..., Any],
    wait_for: Callable[..., None],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    opening, answered = threading.Event(), threading.Event()

    def open_slowly(*_: object, **__: object) -> Any:
        opening.set()
        answered.wait(30)
        raise OperationError("it does not answer")

    monkeypatch.setattr(reader, "SignalInlet", open_slowly)
    window = make_window()
    window.connect_view.show_streams([describe()])
    window.connect_view.connect_button.click()
    wait_for(opening.is_set)
    (thread,) = [one for one in threading.enumerate() if one.name == "reader of amplifier"]
    window.connect_view.disconnect_button.click()
    assert thread.is_alive()
    assert window.session.stream is None
    answered.set()
    window.close()
    assert not thread.is_alive()
