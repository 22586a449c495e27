"""The window as a whole: keys, layout, themes, choices that are kept; its engine is made up."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PyQt6.QtCore import Qt
from PyQt6.QtGui import QStyleHints
from PyQt6.QtWidgets import QFileDialog, QLabel

from sjepa_apps.live import session as session_module
from sjepa_apps.live.engine.client import EngineClient
from sjepa_apps.live.settings import LiveSettings, load_settings
from sjepa_apps.ui.theme import DARK, LIGHT
from sjepa_online.amplifier import describe as profile
from sjepa_online.markers import REPLAY_SOURCE
from sjepa_online.online.commands import LoadDecoder, OpenStream
from sjepa_online.online.events import Decoding, EngineReady, Refused

START = 1000.0


def test_marks_pictures_and_signals_are_saved(
    opened: Any,
    qtbot: Any,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    wait_for: Callable[..., None],
) -> None:
    opened.session._reader.send(12.0)
    wait_for(lambda: opened.session.store.seconds > 11)
    qtbot.keyClicks(opened, "m")
    opened.top.mark.click()
    assert [line.text for line in opened.session.store.lines] == ["mark 1", "mark 2"]
    picture, table = tmp_path / "a.png", tmp_path / "a.csv"
    monkeypatch.setattr(QFileDialog, "getSaveFileName", lambda *_: (str(picture), ""))
    qtbot.keyClick(opened, "S", Qt.KeyboardModifier.ControlModifier)
    assert picture.read_bytes().startswith(b"\x89PNG")
    monkeypatch.setattr(QFileDialog, "getSaveFileName", lambda *_: (str(table), ""))
    qtbot.keyClick(opened, "E", Qt.KeyboardModifier.ControlModifier)
    with table.open() as file:
        names = file.readline().strip().split(",")
        values = np.loadtxt(file, delimiter=",")
    assert names == ["time (s)", "Oz (µV)", "O1 (µV)", "O2 (µV)"]
    start, stop = opened.signals.span
    np.testing.assert_allclose(
        values[:, 1:].T, opened.session.store.shown.get(start, stop), atol=1e-5
    )
    np.testing.assert_allclose(np.diff(values[:, 0]), 1 / 250, atol=1e-5)


def test_another_decoder_is_loaded_without_stopping(
    opened: Any,
    sent: list[Any],
    qtbot: Any,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    say: Callable[..., None],
) -> None:
    path = tmp_path / "other.safetensors"
    monkeypatch.setattr(QFileDialog, "getOpenFileName", lambda *_: (str(path), ""))
    qtbot.keyClick(opened, "O", Qt.KeyboardModifier.ControlModifier)
    assert sent[-1] == LoadDecoder(path=str(path.resolve()))
    assert opened.session.stream is not None
    reason = "This program reads 'sjepa-online decoder' up to version 1"
    say(opened, Refused(command="load-decoder", reason=reason))
    assert reason in opened.top.problem.toolTip()
    assert opened.session.decoder is not None


def test_a_stream_waits_for_an_engine_that_loads_its_decoder(
    make_window: Callable[..., Any],
    amplifier: None,
    sent: list[Any],
    describe: Callable[..., Any],
    say: Callable[..., None],
    ready: Any,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(EngineClient, "running", True)
    monkeypatch.setattr(EngineClient, "has_decoder", True)
    monkeypatch.setattr(session_module, "ENGINE_FIRST", 0.0)
    window = make_window(decoder=Path("slow.safetensors"))
    session = window.session
    window.connect_view.show_streams([describe(source_id=f"{REPLAY_SOURCE}:test@here")])
    window.connect_view.connect_button.click()
    # a replay begins with its first consumer, and the engine is to have all of it
    session.poll()
    assert session.opening
    say(window, ready)
    session.poll()
    assert not session.opening


def test_an_amplifier_is_shown_at_once_whatever_the_engine_does(
    make_window: Callable[..., Any],
    amplifier: None,
    sent: list[Any],
    describe: Callable[..., Any],
    wait_for: Callable[..., None],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(EngineClient, "running", True)
    monkeypatch.setattr(EngineClient, "has_decoder", True)
    window = make_window(decoder=Path("slow.safetensors"))
    window.connect_view.show_streams([describe()])
    window.connect_view.connect_button.click()
    assert not window.session.opening
    window.session._reader.send(1.0)
    wait_for(lambda: window.session.states.reports)


def test_the_engine_can_be_started_again(
    opened: Any,
    decided: Callable[..., Any],
    monkeypatch: pytest.MonkeyPatch,
    say: Callable[..., None],
) -> None:
    started = []
    monkeypatch.setattr(EngineClient, "start", lambda self: started.append(self))
    say(opened, decided(START))
    opened.session.engine.ended.emit("signal 9")
    assert "signal 9" in opened.top.problem.toolTip()
    assert opened.top.restart.isVisible()
    assert opened.decoder.decision.text() == "–"
    opened.top.restart.click()
    assert started == [opened.session.engine]
    say(opened, Decoding(stream="amplifier", mode="sliding", step=0.125, delay=0.05))
    assert not opened.top.restart.isVisible()


def test_an_engine_that_is_back_is_no_problem_even_with_nothing_to_decode(
    make_window: Callable[..., Any], say: Callable[..., None]
) -> None:
    window = make_window()
    window.session.engine.ended.emit("signal 9")
    window.top.restart.click()
    assert "signal 9" in window.top.problem.toolTip()
    say(window, EngineReady())
    assert not window.top.restart.isVisible()
    assert "signal 9" not in window.top.problem.toolTip()


@pytest.mark.parametrize("key", range(1, 9))
def test_every_view_has_a_key(opened: Any, qtbot: Any, key: int) -> None:
    for dock in opened.docks.values():
        dock.hide()
    qtbot.keyClick(opened, str(key), Qt.KeyboardModifier.ControlModifier)
    names = ("Signals", "Connect", "Scalp", "Decoder", "Trials", "Health", "Log", "Analysis")
    name = names[key - 1]
    if key > 2:
        assert opened.docks[name].isVisible()
    else:
        assert opened.tabs.currentIndex() == key - 1
    opened.reset_layout()
    assert all(not dock.isHidden() for dock in opened.docks.values())


def test_views_keep_their_shares_of_the_window(
    make_window: Callable[..., Any], sent: list[Any], wait_for: Callable[..., None]
) -> None:
    def shares(window: Any) -> tuple[float, float]:
        scalp, trials = window.docks["Scalp"], window.docks["Trials"]
        return scalp.width() / window.width(), trials.height() / window.height()

    first = make_window(remember=True)
    wait_for(lambda: first._settled)
    first.resize(1600, 1000)
    usual = pytest.approx((0.34, 0.22), abs=0.03)
    wait_for(lambda: shares(first) == usual)
    first.close()
    # the screen of the tests is smaller than the window: it comes back smaller, then grows
    second = make_window(settings=load_settings()[0])
    wait_for(lambda: second._settled)
    assert second.width() < 1600
    second.resize(1600, 1000)
    wait_for(lambda: shares(second) == usual)


def test_dark_and_light(opened: Any, qtbot: Any) -> None:
    qtbot.keyClick(opened, "T", Qt.KeyboardModifier.ControlModifier)
    assert opened.theme is DARK
    picture = opened.signals.canvas.grab().toImage()
    assert picture.pixelColor(2, 2).name() == DARK.panel
    qtbot.keyClick(opened, "T", Qt.KeyboardModifier.ControlModifier)
    assert opened.theme is LIGHT


@pytest.mark.slow
def test_choices_and_layout_are_kept_for_the_next_time(
    make_window: Callable[..., Any],
    sent: list[Any],
    describe: Callable[..., Any],
    monkeypatch: Any,
    amplifier: None,
) -> None:
    first = make_window(remember=True)
    first.controls.toggle_theme()
    first.connect_view.unit.setCurrentText("mV")
    first.connect_view.show_streams([describe()])
    first.connect_view.connect_button.click()
    first.docks["Scalp"].hide()
    first.close()
    settings, problem = load_settings()
    assert problem == ""
    assert (settings.stream, settings.unit, settings.theme) == ("amplifier@serial 7", "mV", "dark")
    sent.clear()
    second = make_window(settings=settings)
    assert second.docks["Scalp"].isHidden()
    second.session.streams = [describe()]
    second.session.streams_changed.emit()
    assert second.session.stream == describe()
    assert sent == [OpenStream(selector="amplifier@serial 7", amplifier=profile(unit="mV"))]


def test_settings_that_cannot_be_read_are_told(
    make_window: Callable[..., Any], tmp_path: Path
) -> None:
    make_window()
    (tmp_path / "live.json").write_text('{"theme": "purple"}')
    settings, problem = load_settings()
    assert settings == LiveSettings()
    assert "theme" in problem


@pytest.mark.parametrize("name", ["<b>bold</b>", "a\x1b[31mred", "line\nbreak", "x" * 3000])
def test_any_name_is_plain_text(opened: Any, describe: Callable[..., Any], name: str) -> None:
    from sjepa_online.foreign_text import clean_text

    stream = describe(clean_text(name))
    opened.connect_view.show_streams([stream])
    opened.connect_view.connect_button.click()
    labels = opened.findChildren(QLabel)
    holding = [label for label in labels if stream.name[:5] in label.text()]
    assert holding
    assert all(label.textFormat() == Qt.TextFormat.PlainText for label in holding)
    assert opened.connect_view.table.item(0, 0).text().endswith(stream.name)


@pytest.mark.parametrize(("system", "theme"), [("Dark", DARK), ("Light", LIGHT)])
def test_colours_are_those_of_the_system_until_others_are_chosen(
    make_window: Callable[..., Any],
    sent: list[Any],
    monkeypatch: pytest.MonkeyPatch,
    system: str,
    theme: Any,
) -> None:
    scheme = getattr(Qt.ColorScheme, system)
    monkeypatch.setattr(QStyleHints, "colorScheme", lambda self: scheme)
    window = make_window(remember=True)
    assert window.theme is theme
    window.close()
    # following is no choice
    assert load_settings()[0].theme is None
    other = make_window(theme="light" if theme is DARK else "dark")
    assert other.theme is not theme


def test_a_problem_has_room_only_while_there_is_one(opened: Any, say: Callable[..., None]) -> None:
    assert not opened.top.problem.isVisible()
    say(opened, Refused(command="load-decoder", reason="It is damaged"))
    assert opened.top.problem.isVisible()
    say(opened, Decoding(stream="amplifier", mode="sliding", step=0.125, delay=0.05))
    assert not opened.top.problem.isVisible()


def test_a_view_floats_and_closes_by_the_buttons_of_its_title(opened: Any, qtbot: Any) -> None:
    dock = opened.docks["Scalp"]
    title = dock.titleBarWidget()
    title.float_button.click()
    assert dock.isFloating()
    title.float_button.click()
    assert not dock.isFloating()
    title.close_button.click()
    assert not dock.isVisible()
    qtbot.keyClick(opened, "3", Qt.KeyboardModifier.ControlModifier)
    assert dock.isVisible()
