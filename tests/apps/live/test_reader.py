"""The threads of the window, and what becomes of their errors."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from sjepa_apps.live import discovery, reader
from sjepa_apps.live import session as session_module

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
