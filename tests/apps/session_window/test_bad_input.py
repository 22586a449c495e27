"""Names that nobody expects, and windows that are closed in the middle of anything."""

from __future__ import annotations

import threading
from dataclasses import replace
from pathlib import Path

import pytest

pytest.importorskip("PyQt6", reason="the windows need PyQt6")

from PyQt6.QtCore import QSize
from PyQt6.QtWidgets import QApplication

from sjepa_apps.session_window import conductor, without_trials
from sjepa_apps.session_window.page import Page
from sjepa_apps.session_window.run.signal_watch import SignalState
from sjepa_online.errors import OperationError
from sjepa_online.signal.channel_quality.absolute import Verdict

NAMES = {
    "long": "x" * 300,
    "right to left": "קצר\u202eמאוד",
    "emoji": "🧠🫠",
    "markup": "<b>&bold</b>",
    "slashes": "../../etc/" + 40 * "a/b\\c",
    "lines": "a\nb\x1b[31m",
}
SIZE = QSize(1280, 760)
names = pytest.mark.parametrize("name", NAMES.values(), ids=list(NAMES))


def settle(one):
    for _ in range(3):
        QApplication.processEvents()


@names
def test_any_name_is_shown_and_the_window_keeps_its_size(open_session, eeg, looks, name, tmp_path):
    folder = tmp_path / "deep"
    one = open_session(eeg("b"), folder=folder)
    one.resize(SIZE)
    stream = replace(eeg(name), host=name)
    one.setup_page.show_streams([stream])
    for field in ("participant", "session", "run", "notes"):
        getattr(one.setup_page.identity, field).setText(name)
    settle(one)
    assert one.size() == SIZE
    assert looks.cut(one) == []
    one.setup_page.secondary.click()
    page = one.channels_page
    page.refuse(f"{name} cannot be read")
    verdict = Verdict(name, ("flat",), (f"bridged with {name}",), 0.0)
    one._checked_signal.end()
    # a name that is no electrode has no place on the head
    page.scalp.set_channels = lambda names: None
    page.show_signal(SignalState(True, 0.0, 0, 1, (verdict,), None, ""))
    settle(one)
    assert one.size() == SIZE
    one.run_page.add(name)
    one.run_page.show_signal(SignalState(False, 0.0, 0, 0, (), None, f"{name} has sent nothing"))
    one._show(one.run_page, "Channels")
    settle(one)
    assert one.size() == SIZE


@names
def test_any_participant_gets_a_folder_below_the_sessions_or_is_refused(
    open_session, eeg, monkeypatch, tmp_path, name
):
    monkeypatch.chdir(tmp_path)
    page = open_session(eeg("a"), folder=None).setup_page
    page.identity.participant.setText(name)
    if not page.primary.isEnabled():
        assert "no letter or digit" in page.about.text()
        assert not page.secondary.isEnabled()
        return
    told = Path(page.about.text().split("Folder: ")[1])
    assert told.parent == Path("sessions")
    assert len(told.name) < 100


def test_a_folder_of_any_length_does_not_widen_the_window(open_session, eeg, looks, tmp_path):
    deep = tmp_path / ("d" * 120) / ("e" * 120) / ("f" * 120)
    one = open_session(eeg("a"), folder=deep)
    one.resize(SIZE)
    settle(one)
    assert one.size() == SIZE
    assert looks.cut(one) == []
    one.result_page.files.setText(f"Decoder: {deep / 'decoder.safetensors'}\nReport: {deep}")
    one._show(one.result_page, "Result")
    settle(one)
    assert one.size() == SIZE
    assert looks.cut(one) == []


def waits(*_args, **_options):
    """Stand in for work that nothing interrupts for a while."""
    threading.Event().wait(0.3)
    raise OperationError("too late")


def stands_still(stream, seconds, amplifier, progress, meanwhile):
    while True:
        meanwhile()
        threading.Event().wait(0.01)


def to_channels(one, qtbot):
    one.setup_page.secondary.click()


def to_minute(one, qtbot):
    one.setup_page.secondary.click()
    qtbot.waitUntil(one.channels_page.primary.isEnabled, timeout=60_000)
    one.channels_page.primary.click()


def to_refused_minute(one, qtbot):
    to_minute(one, qtbot)
    one.unlabelled_page.secondary.click()
    qtbot.waitUntil(one.unlabelled_page.primary.isEnabled, timeout=60_000)


def to_run(one, qtbot):
    one.setup_page.primary.click()
    qtbot.waitUntil(one.channels_page.primary.isEnabled, timeout=60_000)
    one.channels_page.primary.click()


STATES = {
    "first page": lambda one, qtbot: None,
    "no stream": lambda one, qtbot: one.setup_page.show_streams([]),
    "check of the channels": to_channels,
    "minute of signal": to_minute,
    "no decoder": to_refused_minute,
    "before the run": to_run,
    "menu of decoders": lambda one, qtbot: one.setup_page.recent.decoders.popup(one.pos()),
}


@pytest.mark.parametrize("state", STATES)
def test_the_window_closes_in_every_state(open_session, qtbot, monkeypatch, eeg, state):
    monkeypatch.setattr(without_trials, "record_stretch", stands_still)
    if state == "check of the channels":
        monkeypatch.setattr(conductor, "check_channels", waits)
    one = open_session(eeg("a"), paradigm="ssvep")
    STATES[state](one, qtbot)
    one.setup_page.recent.decoders.close()
    one.close()
    qtbot.waitUntil(lambda: not one.isVisible(), timeout=60_000)
    assert isinstance(one.pages.currentWidget(), Page)
    assert not one.conductor.busy


def test_a_second_window_beside_the_first_works_on(open_session, qtbot, eeg, tmp_path):
    first = open_session(eeg("a"), folder=tmp_path / "first")
    second = open_session(eeg("a"), folder=tmp_path / "second")
    for one in (first, second):
        to_run(one, qtbot)
    first.close()
    assert not first.isVisible()
    assert second.isVisible()
    assert second.pages.currentWidget() is second.run_page
