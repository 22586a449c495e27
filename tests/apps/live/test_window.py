"""Every control of the window, driven as an operator does; the engine's messages are made up."""

from __future__ import annotations

import csv
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PyQt6.QtCore import QPoint, QPointF, Qt
from PyQt6.QtWidgets import QFileDialog, QLabel

from sjepa_apps.live import trials as trials_module
from sjepa_apps.live.messages import (
    ChannelReport,
    Channels,
    ChooseChannel,
    Decoding,
    Happened,
    Health,
    LoadDecoder,
    OpenStream,
    Refused,
)
from sjepa_apps.live.settings import LiveSettings, load_settings
from sjepa_apps.live.theme import DARK, LIGHT
from sjepa_online.protocol import load_protocol
from sjepa_online.stream import Chunk, Marker

START = 1000.0


class Amplifier:
    """Stands in for the thread that reads a stream: the test says what arrives."""

    def __init__(self, stream: Any, markers: Any) -> None:
        from collections import deque

        self.chunks: Any = deque()
        self.markers: Any = deque()
        self.problems: Any = deque()
        self._alive = False
        self._n = 0

    def start(self) -> None:
        self._alive = True

    def is_alive(self) -> bool:
        return self._alive

    def stop(self) -> None:
        self._alive = False

    def send(self, seconds: float, n_channels: int = 3) -> None:
        n = round(seconds * 250)
        times = START + (self._n + np.arange(n)) / 250.0
        rng = np.random.default_rng(self._n)
        self._n += n
        self.chunks.append(Chunk(10 * rng.standard_normal((n_channels, n)), times))


@pytest.fixture
def sent(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """What the window asks of the engine."""
    from sjepa_apps.live.engine_client import EngineClient

    commands: list[Any] = []
    monkeypatch.setattr(EngineClient, "send", lambda self, command: commands.append(command))
    return commands


@pytest.fixture
def opened(
    make_window: Callable[..., Any],
    sent: list[Any],
    ready: Any,
    describe: Callable[..., Any],
    monkeypatch: pytest.MonkeyPatch,
) -> Any:
    """A window that decodes a stream."""
    from sjepa_apps.live import session as session_module

    monkeypatch.setattr(session_module, "StreamReader", Amplifier)
    window = make_window()
    say(window, ready)
    window.connect_view.show_streams([describe()])
    window.connect_view.connect_button.click()
    say(window, Decoding(stream="amplifier", mode="sliding", step=0.125, delay=0.05))
    return window


def say(window: Any, message: Any) -> None:
    """Let the engine say something."""
    window.session.engine.received.emit(message)


def states(*bad: str) -> Channels:
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


def log_of(window: Any) -> list[str]:
    return [f"{entry.event}: {entry.detail}" for entry in window.log.model.entries]


def test_connecting_asks_the_engine_and_shows_the_signal(
    opened: Any, sent: list[Any], wait_for: Callable[..., None]
) -> None:
    assert sent == [OpenStream(selector="amplifier@serial 7")]
    assert opened.tabs.currentIndex() == 0
    opened.session._reader.send(3.0)
    before = opened.signals.canvas.frames.count
    wait_for(lambda: opened.signals.canvas.frames.count > before + 5)
    image = opened.signals.canvas.grab().toImage()
    area = opened.signals.canvas.area
    colours = {
        image.pixelColor(int(area.right() - 30), y).name()
        for y in range(int(area.top()), int(area.bottom()))
    }
    assert len(colours) > 3
    opened.connect_view.disconnect_button.click()
    assert sent[-1].kind == "close-stream"
    assert opened.session.stream is None


def test_time_scale_filter_and_pause(
    opened: Any, qtbot: Any, wait_for: Callable[..., None]
) -> None:
    view = opened.signals
    opened.session._reader.send(20.0)
    wait_for(lambda: opened.session.store.seconds > 19)
    qtbot.keyClicks(opened, "[")
    assert view.time_base.currentText() == "20 s"
    qtbot.keyClicks(opened, "]]")
    assert view.time_base.currentText() == "5 s"
    start, stop = view.span
    assert stop - start == 5 * 250
    view.scale.setCurrentIndex(3)
    qtbot.keyClicks(opened, "+")
    assert view.scale.currentData() == 20.0
    qtbot.keyClicks(opened, "-")
    assert view.scale.currentData() == 50.0
    view.filter.setCurrentText("raw")
    assert opened.session.store.filter_name == "raw"
    qtbot.keyClicks(opened, "p")
    assert view.pause.isChecked()
    assert view.back.isVisible()
    view.back.setValue(-70)
    held = view.span
    assert held[1] == stop - 7 * 250
    opened.session._reader.send(2.0)
    wait_for(lambda: opened.session.store.shown.stop > stop)
    assert view.span == held
    view.pause.click()
    assert view.span[1] > stop


def test_the_scale_follows_the_signal_until_it_is_chosen(
    opened: Any, qtbot: Any, wait_for: Callable[..., None]
) -> None:
    reader, scale = opened.session._reader, opened.signals.scale
    for _ in range(10):
        reader.send(1.0)
        wait_for(lambda: not reader.chunks)
    # noise of 10 µV, low-passed at 40 Hz of 125: its peaks are near 12 µV
    assert scale.currentData() == 20.0
    qtbot.keyClicks(opened, "-")
    assert scale.currentData() == 50.0
    for _ in range(8):
        reader.send(1.0)
        wait_for(lambda: not reader.chunks)
    assert scale.currentData() == 50.0


def test_enter_connects_the_chosen_stream(
    make_window: Callable[..., Any], sent: list[Any], describe: Callable[..., Any],
    monkeypatch: pytest.MonkeyPatch, qtbot: Any,
) -> None:  # fmt: skip
    from sjepa_apps.live import session as session_module

    monkeypatch.setattr(session_module, "StreamReader", Amplifier)
    window = make_window()
    window.show_view("Connect")
    window.connect_view.show_streams([describe("a"), describe("b")])
    window.connect_view.table.setFocus()
    qtbot.keyClick(window.connect_view.table, Qt.Key.Key_Down)
    qtbot.keyClick(window.connect_view.table, Qt.Key.Key_Return)
    assert sent[-1].selector == "b@serial 7"


def test_a_speller_shows_flashes_symbols_and_what_was_spelled(
    opened: Any, ready: Any, decided: Callable[..., Any], tmp_path: Path
) -> None:
    from sjepa_apps.live.messages import SymbolDecided
    from sjepa_apps.live.paradigm_views import SpellerView

    protocol = load_protocol("erp")
    say(opened, ready.model_copy(update={"protocol": protocol, "path": "/speller"}))
    say(opened, Decoding(stream="amplifier", mode="markers", step=0.125, delay=0.05))
    view = opened.decoder._paradigm
    assert isinstance(view, SpellerView)
    symbols = protocol.speller.symbols
    so_far = dict.fromkeys(symbols, 0.02) | {"N": 0.3}
    say(
        opened,
        decided(
            START, "Target", probabilities={"Target": 0.7, "NonTarget": 0.3}, lit="ANX",
            symbols=so_far, onset=START - 1.2, truth="Target",
        ),
    )  # fmt: skip
    assert (view._lit, view._symbols) == ("ANX", so_far)
    assert opened.decoder.decision.text() == "–"
    assert opened.trials.table.item(0, 1).text() == "Target"
    assert opened.trials.accuracy.text() == "1.00"
    for symbol in "NE":
        say(
            opened,
            SymbolDecided(
                time=START, symbol=symbol, probability=0.97, flashes=14, truth="N",
                probabilities=dict.fromkeys(symbols, 0.0) | {symbol: 0.97},
            ),
        )  # fmt: skip
    assert opened.decoder.decision.text() == "NE"
    assert view._chosen == "E"
    assert [line for line in log_of(opened) if line.startswith("symbol")] == [
        "symbol: N, asked for N: p = 0.97, 14 flashes",
        "symbol: E, asked for N: p = 0.97, 14 flashes",
    ]
    assert opened.trials.accuracy.text() == "0.50"
    told_of_symbols, told_of_flashes = opened.trials.interval.text().split("\n")
    assert told_of_symbols.startswith("1 of 2 right")
    assert told_of_symbols.endswith("chance 0.03")
    assert told_of_flashes.startswith("flashes: 1 of 1 right")
    rows = [
        [opened.trials.table.item(row, column).text() for column in range(5)]
        for row in range(opened.trials.table.rowCount())
    ]
    assert rows == [["2", "N", "E", "0.97", "14 flashes"], ["1", "N", "N", "0.97", "14 flashes"]]
    opened.trials.save(tmp_path / "trials.csv")
    saved = list(csv.DictReader((tmp_path / "trials.csv").read_text().splitlines()))
    assert [(row["kind"], row["truth"], row["decided"], row["flashes"]) for row in saved] == [
        ("trial", "Target", "Target", ""),
        ("symbol", "N", "N", "14"),
        ("symbol", "N", "E", "14"),
    ]
    view.grab()


def test_flashes_that_do_not_tell_their_symbols_are_decisions_themselves(
    opened: Any, ready: Any, decided: Callable[..., Any]
) -> None:
    protocol = load_protocol("erp")
    say(opened, ready.model_copy(update={"protocol": protocol, "path": "/speller"}))
    say(opened, Decoding(stream="amplifier", mode="markers", step=0.125, delay=0.05))
    symbols = dict.fromkeys(protocol.speller.symbols, 1 / len(protocol.speller.symbols))
    probabilities = {"Target": 0.3, "NonTarget": 0.7}
    say(opened, decided(START, "NonTarget", probabilities=probabilities, symbols=symbols))
    assert opened.decoder.decision.text() == "NonTarget"
    # no symbol stands out
    image = opened.decoder._paradigm.grab().toImage()
    colours = {
        image.pixelColor(x, y).name() for x in range(image.width()) for y in range(image.height())
    }
    assert LIGHT.accent not in colours


def test_decisions_reach_every_view(
    opened: Any, decided: Callable[..., Any], wait_for: Callable[..., None]
) -> None:
    say(opened, decided(START, "15", bad_channels=("O1",)))
    assert opened.decoder.decision.text() == "15"
    assert "0.80" in opened.decoder.detail.toolTip()
    assert "O1" in opened.decoder.detail.toolTip()
    opened.show_view("Health")
    wait_for(lambda: opened.health.figures["decision"].text() == "4.0 / 4.0 ms")
    assert "4.0" in opened.status.latency.text()


def test_trials_are_counted_and_exported(
    opened: Any,
    decided: Callable[..., Any],
    wait_for: Callable[..., None],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    reader = opened.session._reader
    reader.send(1.0)
    for onset, label in ((START, "12"), (START + 5, "15")):
        reader.markers.append(Marker(label, onset))
    wait_for(lambda: len(opened.session.store.lines) == 2)
    say(opened, decided(START + 2.55, "12"))
    say(opened, decided(START + 7.55, "12"))
    assert opened.trials.accuracy.text() == "0.50"
    assert opened.trials.table.rowCount() == 2
    assert opened.trials.table.item(0, 1).text() == "15"
    path = tmp_path / "trials.csv"
    monkeypatch.setattr(QFileDialog, "getSaveFileName", lambda *_: (str(path), ""))
    opened.trials.export.click()
    rows = list(csv.DictReader(path.read_text().splitlines()))
    assert [(row["truth"], row["decided"]) for row in rows] == [("12", "12"), ("15", "12")]


def test_trials_are_shown_and_numbered_after_the_log_is_full(
    opened: Any, decided: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(trials_module, "MOST_TRIALS", 5)
    opened.session.trials = None
    say(opened, Decoding(stream="amplifier", mode="markers", step=0.125, delay=0.05))
    for n in range(8):
        say(opened, decided(START + n, "12", onset=START + n - 2, truth="12" if n < 7 else "15"))
    assert len(opened.session.trials.trials) == 5
    assert opened.trials.accuracy.text() == "0.80"
    table = opened.trials.table
    numbers = [table.item(row, 0).text() for row in range(table.rowCount())]
    assert numbers == [str(number) for number in range(8, 0, -1)]


def test_a_click_on_an_electrode_forces_it_bad_then_good(
    opened: Any, sent: list[Any], qtbot: Any, wait_for: Callable[..., None]
) -> None:
    say(opened, states("O1"))
    assert "2 of 3 good" in opened.scalp.summary.toolTip()
    wait_for(lambda: "bad: O1" in opened.status.bad.toolTip())
    canvas = opened.scalp.canvas
    where = canvas.position_of("Oz").toPoint()
    qtbot.mouseClick(canvas, Qt.MouseButton.LeftButton, pos=where)
    assert sent[-1] == ChooseChannel(channel="Oz", choice="bad")
    forced = ChannelReport(channel="Oz", bad=True, reasons=(), choice="bad", amplitude=None)
    others = states("O1").channels[1:]
    say(opened, Channels(channels=(forced, *others)))
    qtbot.mouseClick(canvas, Qt.MouseButton.LeftButton, pos=where)
    assert sent[-1] == ChooseChannel(channel="Oz", choice="good")
    canvas.setFocus()
    qtbot.keyClick(canvas, Qt.Key.Key_Right)
    qtbot.keyClick(canvas, Qt.Key.Key_Return)
    assert sent[-1] == ChooseChannel(channel="O1", choice="bad")
    # a click on the name beside the traces does the same, one on the traces nothing
    n_asked = len(sent)
    area = opened.signals.canvas.area
    lowest = int(area.bottom() - 5)
    for x in (int(area.center().x()), 20):
        where = QPoint(x, lowest)
        qtbot.mouseClick(opened.signals.canvas, Qt.MouseButton.LeftButton, pos=where)
    assert sent[n_asked:] == [ChooseChannel(channel="O2", choice="bad")]


def test_the_reason_is_told_and_the_trace_changes_its_colour(opened: Any, qtbot: Any) -> None:
    opened.session._reader.send(12.0)
    say(opened, states("O1"))
    assert "flat" in opened.session.states.describe("O1")
    canvas = opened.signals.canvas
    area = canvas.area
    middle = QPointF(20, area.top() + area.height() / 2)
    assert canvas.channel_at(middle) == "O1"
    gutter = canvas._paint_gutter().toImage()
    colours = {
        gutter.pixelColor(x, y).name()
        for x in range(30)
        for y in range(int(area.top()), int(area.bottom()))
    }
    assert LIGHT.bad in colours


def test_the_map_shows_patterns_of_the_decoder(opened: Any) -> None:
    assert [opened.scalp.shown.itemText(n) for n in range(opened.scalp.shown.count())] == [
        "amplitude against calibration",
        "response to 12 Hz",
    ]
    opened.scalp.shown.setCurrentIndex(1)
    np.testing.assert_allclose(opened.scalp.canvas._values, [1.0, 0.2, -0.3])


def test_health_shows_what_the_engine_measures(opened: Any) -> None:
    say(
        opened,
        Health(
            sfreq=249.9, received=900, missing=100, lost=False, clock_offset=0.0021, cpu=0.11,
            memory=321.0, gpu=None,
        ),
    )  # fmt: skip
    figures = {name: label.text() for name, label in opened.health.figures.items()}
    assert figures["rate"] == "249.90 Hz"
    assert figures["lost"] == "100 of 1000"
    assert figures["clock"] == "+2.10 ms"
    assert figures["cpu"].startswith("11 %")
    assert figures["device"] == "CPU"


def test_the_log_is_filtered_and_exported(
    opened: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    say(opened, Happened(time=START, event="channel-bad", detail="O1 is left out: flat"))
    view = opened.log
    everything = view.model.rowCount()
    view.level.setCurrentText("warnings only")
    assert 1 <= view.model.rowCount() < everything
    view.level.setCurrentIndex(0)
    view.search.setText("LEFT OUT")
    assert view.model.rowCount() == 1
    path = tmp_path / "log.csv"
    monkeypatch.setattr(QFileDialog, "getSaveFileName", lambda *_: (str(path), ""))
    view.export.click()
    (row,) = csv.DictReader(path.read_text().splitlines())
    assert row["detail"] == "O1 is left out: flat"


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
    opened: Any, sent: list[Any], qtbot: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
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


def test_the_engine_can_be_started_again(
    opened: Any, decided: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    from sjepa_apps.live.engine_client import EngineClient

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


@pytest.mark.parametrize("key", range(1, 8))
def test_every_view_has_a_key(opened: Any, qtbot: Any, key: int) -> None:
    for dock in opened.docks.values():
        dock.hide()
    qtbot.keyClick(opened, str(key), Qt.KeyboardModifier.ControlModifier)
    names = ("Signals", "Connect", "Scalp", "Decoder", "Trials", "Health", "Log")
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


def test_the_whole_head_is_in_view(opened: Any, ready: Any) -> None:
    canvas = opened.scalp.canvas
    for names in (("Oz", "O1", "O2", "PO3", "PO4"), ("C3", "Cz", "C4"), ("T9", "T10", "Iz", "Fpz")):
        canvas.set_channels(names)
        for x, y in ((0.0, 1.14), (0.0, -1.0), (-1.11, 0.0), (1.11, 0.0)):
            assert canvas.rect().contains(canvas._to_widget(x, y).toPoint())
        assert all(canvas.rect().contains(canvas.position_of(name).toPoint()) for name in names)


def test_dark_and_light(opened: Any, qtbot: Any) -> None:
    qtbot.keyClick(opened, "T", Qt.KeyboardModifier.ControlModifier)
    assert opened.theme is DARK
    picture = opened.signals.canvas.grab().toImage()
    assert picture.pixelColor(2, 2).name() == DARK.panel
    qtbot.keyClick(opened, "T", Qt.KeyboardModifier.ControlModifier)
    assert opened.theme is LIGHT


def test_choices_and_layout_are_kept_for_the_next_time(
    make_window: Callable[..., Any], sent: list[Any], describe: Callable[..., Any], monkeypatch: Any
) -> None:
    from sjepa_apps.live import session as session_module

    monkeypatch.setattr(session_module, "StreamReader", Amplifier)
    first = make_window(remember=True)
    first.set_theme("dark")
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
    assert sent == [OpenStream(selector="amplifier@serial 7", unit="mV")]


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
    from sjepa_online.stream.discovery import clean_text

    stream = describe(clean_text(name))
    opened.connect_view.show_streams([stream])
    opened.connect_view.connect_button.click()
    labels = opened.findChildren(QLabel)
    holding = [label for label in labels if stream.name[:5] in label.text()]
    assert holding
    assert all(label.textFormat() == Qt.TextFormat.PlainText for label in holding)
    assert opened.connect_view.table.item(0, 0).text().endswith(stream.name)


@pytest.mark.parametrize("n_channels", [1, 256])
def test_one_channel_and_256(
    opened: Any, describe: Callable[..., Any], wait_for: Callable[..., None], n_channels: int
) -> None:
    stream = describe(
        n_channels=n_channels,
        ch_names=tuple(f"E{n}" for n in range(n_channels)),
        units=("microvolts",) * n_channels,
    )
    opened.connect_view.show_streams([stream])
    opened.connect_view.connect_button.click()
    say(opened, Refused(command="open-stream", reason="missing: Oz"))
    opened.session._reader.send(12.0, n_channels)
    before = opened.signals.canvas.frames.count
    wait_for(lambda: opened.signals.canvas.frames.count > before + 3)
    assert len(opened.session.store.channels.names) == n_channels
    assert "missing: Oz" in opened.top.problem.toolTip()


def test_an_irregular_stream_is_listed_but_cannot_be_connected(
    opened: Any, describe: Callable[..., Any]
) -> None:
    opened.connect_view.show_connected(None)
    opened.connect_view.show_streams([describe("odd", sfreq=0.0)])
    assert opened.connect_view.table.item(0, 2).text() == "irregular"
    assert not opened.connect_view.connect_button.isEnabled()
    assert "no regular rate" in opened.connect_view.findings.text()


def test_streams_come_and_go_while_the_choice_stays(
    opened: Any, describe: Callable[..., Any]
) -> None:
    view = opened.connect_view
    view.show_streams([describe("a"), describe("b", source_id="8"), describe("c", source_id="9")])
    view.table.selectRow(1)
    view.show_streams([describe("b", source_id="8", uid="restarted"), describe("c", source_id="9")])
    assert view.chosen.name == "b"
    view.show_streams([])
    assert not view.connect_button.isEnabled()
    assert log_of(opened)
