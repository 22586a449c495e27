from __future__ import annotations

import re
import threading
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

pytest.importorskip("PyQt6", reason="the windows need PyQt6")

from PyQt6.QtCore import Qt
from PyQt6.QtTest import QTest
from PyQt6.QtWidgets import QFileDialog, QMessageBox

from sjepa_apps import session_window
from sjepa_apps.cli.session import run_in_window
from sjepa_apps.live.theme import DARK, LIGHT
from sjepa_apps.session.folder import SessionFolder
from sjepa_apps.session_window import SessionOutcome, SessionSetup, conductor, window
from sjepa_apps.session_window.window import SessionWindow
from sjepa_apps.stimulus import window as stimulus
from sjepa_apps.stimulus.placement import Placement
from sjepa_apps.stimulus.screens import FLICKER_WARNING
from sjepa_online.data import Recording
from sjepa_online.decoding import DecoderRequest
from sjepa_online.errors import InputError, OperationError
from sjepa_online.evaluation.report import Advice
from sjepa_online.evaluation.report.channels import ChannelReport
from sjepa_online.stream import StreamDescription

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


def eeg(name: str, unit: str = "uV") -> StreamDescription:
    channels = ("C3", "Cz", "C4")
    return StreamDescription(
        name, "EEG", 3, 250.0, "float32", "lab", f"amp-{name}", f"uid-{name}", channels,
        ("eeg",) * 3, (unit,) * 3,
    )  # fmt: skip


def recorded(n_trials: int) -> Recording:
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

    def train(self, request: Any, early: bool, progress: Callable[[], None]) -> Any:
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
        return SimpleNamespace(decoder=decoder)


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
    reports = [
        ChannelReport("C3", 9.0, 1.0, 0.02),
        ChannelReport("Cz", 0.0, 0.0, 0.0),
        ChannelReport("C4", 9.0, 1.0, 0.02),
    ]
    check = SimpleNamespace(channels=reports, complaints=["Cz is flat"])
    monkeypatch.setattr(conductor, "check_channels", lambda stream, unit: check)
    monkeypatch.setattr(conductor, "CalibrationSession", QuickSession)
    # as if all were recorded
    monkeypatch.setattr(conductor, "remaining_trials", lambda *_: [])
    monkeypatch.setattr(conductor, "write_report", lambda path, *_: path.write_text("r"))
    monkeypatch.setattr(conductor, "advise", lambda _: [Advice("warning", "At chance.")])
    monkeypatch.setattr(conductor, "more_trials_help", lambda _: True)
    monkeypatch.setattr(window, "Discovery", NoDiscovery)
    monkeypatch.setattr(stimulus, "MEASURED_FRAMES", 25)
    monkeypatch.setattr(stimulus, "SETTLING_FRAMES", 2)
    opened = []

    def make(*streams: StreamDescription, **options: Any) -> SessionWindow:
        options = {"paradigm": str(protocol_file), "folder": tmp_path / "session"} | options
        opened.append(SessionWindow(SessionSetup(request=DecoderRequest("riemann"), **options)))
        opened[-1].show()
        opened[-1].setup_page.show_streams(list(streams))
        return opened[-1]

    yield make
    for one in opened:
        one.end_at_once()
    qapp.processEvents()


def go_to_recording(one: SessionWindow, qtbot: Any) -> None:
    one.setup_page.primary.click()
    qtbot.waitUntil(one.channels_page.primary.isEnabled, timeout=60_000)
    one.channels_page.primary.click()


def begin(one: SessionWindow, qtbot: Any, practice: bool = True) -> Any:
    """Start the run, and press Enter at the message before practice; give the stimulus window."""
    one.run_page.primary.click()
    shown = one.conductor.stimulus
    assert shown is not None
    if practice:
        qtbot.waitUntil(lambda: shown._then is not None, timeout=60_000)
        QTest.keyClick(shown.surface, Qt.Key.Key_Return)
    qtbot.waitUntil(lambda: shown._playing, timeout=60_000)
    return shown


def test_only_stream_in_sight_is_chosen(open_session):
    one = open_session(eeg("amplifier"))
    assert one.setup_page.stream.name == "amplifier"
    assert one.setup_page.primary.isEnabled()


def test_without_a_stream_it_says_what_to_do(open_session):
    one = open_session()
    assert not one.setup_page.primary.isEnabled()
    assert "sjepa-online simulate" in one.setup_page.message.text()


def test_among_two_streams_one_must_be_chosen(open_session):
    one = open_session(eeg("a"), eeg("b"))
    assert not one.setup_page.primary.isEnabled()
    assert "2 streams are in sight" in one.setup_page.message.text()
    one.setup_page.table.selectRow(1)
    assert one.setup_page.stream.name == "b"
    assert one.setup_page.primary.isEnabled()
    one.setup_page.show_streams([eeg("c"), eeg("b"), eeg("a")])
    assert one.setup_page.stream.name == "b"


def test_unit_of_a_stream_that_declares_none_is_chosen(open_session, qtbot, monkeypatch):
    units = []
    check = conductor.check_channels
    monkeypatch.setattr(
        conductor, "check_channels", lambda stream, unit: units.append(unit) or check(stream, unit)
    )
    one = open_session(replace(eeg("a"), units=()), practice=False)
    page = one.setup_page
    assert not page.primary.isEnabled()
    assert "choose one" in page.message.text()
    page.unit.setCurrentText("mV")
    assert page.primary.isEnabled()
    go_to_recording(one, qtbot)
    begin(one, qtbot, practice=False)
    assert one.conductor.folder.state.unit == "mV"
    assert units == ["mV"]
    # a session goes on in its unit
    one.run_page.secondary.click()
    qtbot.waitUntil(one.run_page.back.isEnabled, timeout=60_000)
    one.run_page.back.click()
    one.channels_page.back.click()
    assert not page.unit.isEnabled()
    assert page.unit.currentText() == "mV"


def test_unit_of_the_command_line_is_chosen(open_session):
    one = open_session(replace(eeg("a"), units=()), unit="uV")
    assert one.setup_page.unit.currentText() == "µV"
    assert one.setup_page.primary.isEnabled()


def test_stream_of_the_command_line_is_chosen(open_session):
    one = open_session(eeg("a"), eeg("b"), stream="b")
    assert one.setup_page.stream.name == "b"


def test_typing_error_in_a_protocol_is_named(open_session, protocol_file):
    protocol_file.write_text(PROTOCOL.replace("fixation", "fixtion"))
    one = open_session(eeg("a"))
    assert "imagery.fixtion" in one.setup_page.about.text()
    assert not one.setup_page.primary.isEnabled()
    one.setup_page.protocol.setCurrentText("mi")
    assert one.setup_page.primary.isEnabled()
    assert one.setup_page.trials.value() == 100


def test_protocol_is_chosen_by_its_file(open_session, protocol_file, monkeypatch):
    one = open_session(eeg("a"), paradigm="mi")
    monkeypatch.setattr(QFileDialog, "getOpenFileName", lambda *_: (str(protocol_file), ""))
    one.setup_page.other_protocol.click()
    assert one.setup_page.paradigm == str(protocol_file)
    assert one.setup_page.trials.value() == 10


def test_channels_that_need_a_look_come_first(open_session, qtbot):
    one = open_session(eeg("a"))
    one.setup_page.primary.click()
    qtbot.waitUntil(one.channels_page.primary.isEnabled, timeout=60_000)
    table = one.channels_page.table
    assert [table.item(row, 0).text() for row in range(3)] == ["Cz", "C3", "C4"]
    assert table.item(0, 3).text() == "Cz is flat"
    # where the column cuts it
    assert "Cz is flat" in table.item(0, 3).toolTip()
    assert one.channels_page.message.text() == "1 of 3 channels need a look."
    assert one.channels_page.scalp._states.bad == ("Cz",)


def test_columns_fit_what_they_hold(open_session):
    table = open_session(replace(eeg("a"), units=())).setup_page.table
    assert table.item(0, 3).text() == "not declared"
    assert all(table.columnWidth(n) >= table.sizeHintForColumn(n) for n in range(1, 5))


def test_findings_have_the_colours_of_the_theme(open_session, qtbot):
    one = open_session(eeg("a"))
    page = one.channels_page
    one.setup_page.primary.click()
    qtbot.waitUntil(page.primary.isEnabled, timeout=60_000)
    for theme in (LIGHT, DARK):
        page.set_theme(theme)
        shown = [page.table.item(row, 3).foreground().color().name() for row in range(3)]
        assert shown == [theme.bad.lower(), theme.good.lower(), theme.good.lower()]


def test_signal_that_cannot_be_recorded_is_refused(open_session, qtbot, monkeypatch):
    def refuse(stream: StreamDescription, unit: str | None) -> None:
        raise InputError("The signal varies", value="all constant", remedy="Switch it on.")

    monkeypatch.setattr(conductor, "check_channels", refuse)
    one = open_session(eeg("a"))
    one.setup_page.primary.click()
    qtbot.waitUntil(one.channels_page.secondary.isEnabled, timeout=60_000)
    assert "Switch it on" in one.channels_page.message.text()
    assert not one.channels_page.primary.isEnabled()


def test_operator_goes_back_to_another_stream(open_session, qtbot):
    one = open_session(eeg("a"), eeg("b"), stream="a")
    one.setup_page.primary.click()
    qtbot.waitUntil(one.channels_page.back.isEnabled, timeout=60_000)
    one.channels_page.back.click()
    assert one.pages.currentWidget() is one.setup_page
    one.setup_page.table.selectRow(1)
    go_to_recording(one, qtbot)
    assert one.conductor.choices.stream.name == "b"


def test_protocol_of_a_session_that_has_begun_stays(open_session, qtbot):
    one = open_session(eeg("a"), practice=False)
    go_to_recording(one, qtbot)
    begin(one, qtbot, practice=False)
    one.run_page.secondary.click()
    qtbot.waitUntil(one.run_page.back.isEnabled, timeout=60_000)
    one.run_page.back.click()
    one.channels_page.back.click()
    assert not one.setup_page.protocol.isEnabled()
    assert one.setup_page.paradigm == "quick"
    assert one.setup_page.primary.isEnabled()
    go_to_recording(one, qtbot)
    begin(one, qtbot, practice=False)


def test_session_runs_from_the_first_page_to_the_result(open_session, qtbot, tmp_path):
    one = open_session(eeg("a"))
    go_to_recording(one, qtbot)
    begin(one, qtbot)
    result = one.result_page
    qtbot.waitUntil(lambda: one.pages.currentWidget() is result, timeout=60_000)
    assert result.score.text() == "0.75 accuracy (chance 0.50, 10 trials)"
    assert result.advice.itemAt(0).widget().text() == "At chance."
    assert "all shown" in one.run_page.log.toPlainText()
    assert "frames shown" in one.run_page.frames.text()
    assert not one.conductor.stimulus.surface.isVisible()
    result.n_more.setValue(2)
    result.more.click()
    qtbot.waitUntil(lambda: "12 trials" in result.score.text(), timeout=60_000)
    outcome = one.outcome()
    assert outcome.folder.path == tmp_path / "session"
    assert outcome.result.decoder.read_text() == "decoder"


def test_escape_of_the_participant_stops_and_the_session_goes_on(open_session, qtbot):
    one = open_session(eeg("a"))
    go_to_recording(one, qtbot)
    shown = begin(one, qtbot)
    QTest.keyClick(shown.surface, Qt.Key.Key_Escape)
    QTest.keyClick(shown.surface, Qt.Key.Key_Escape)
    page = one.run_page
    qtbot.waitUntil(lambda: page.state.text() == "Stopped", timeout=60_000)
    assert "was stopped" in page.message.text()
    qtbot.waitUntil(page.primary.isEnabled, timeout=60_000)
    assert page.train.isVisible()
    begin(one, qtbot, practice=False)
    qtbot.waitUntil(lambda: one.pages.currentWidget() is one.result_page, timeout=60_000)


def test_stop_of_the_operator_ends_the_stimuli(open_session, qtbot):
    one = open_session(eeg("a"), practice=False)
    go_to_recording(one, qtbot)
    shown = begin(one, qtbot, practice=False)
    one.run_page.secondary.click()
    qtbot.waitUntil(lambda: one.run_page.state.text() == "Stopped", timeout=60_000)
    assert shown.stopped


def test_training_is_offered_only_for_what_can_be_trained_on(open_session, qtbot, monkeypatch):
    one = open_session(eeg("a"), practice=False)
    page = one.run_page
    for n_trials, offered in ((3, False), (5, True)):
        recording = recorded(n_trials)
        monkeypatch.setattr(SessionFolder, "recordings", lambda _, one=recording: ([one], []))
        if n_trials == 3:
            go_to_recording(one, qtbot)
        begin(one, qtbot, practice=False)
        page.secondary.click()
        qtbot.waitUntil(page.primary.isEnabled, timeout=60_000)
        assert page.train.isEnabled() == offered
        assert ("left_hand: 3, right_hand: 3" in page.recorded.text()) != offered
    page.train.click()
    qtbot.waitUntil(lambda: one.pages.currentWidget() is one.result_page, timeout=60_000)


def test_recording_that_cannot_be_counted_is_told(open_session, qtbot, monkeypatch):
    def fail(_: SessionFolder) -> None:
        raise OperationError("The disk does not answer")

    one = open_session(eeg("a"), practice=False)
    go_to_recording(one, qtbot)
    begin(one, qtbot, practice=False)
    monkeypatch.setattr(SessionFolder, "recordings", fail)
    page = one.run_page
    page.secondary.click()
    qtbot.waitUntil(page.primary.isEnabled, timeout=60_000)
    assert page.recorded.text() == "The disk does not answer"
    assert not page.train.isEnabled()


def test_too_few_trials_to_train_on_are_refused(open_session, qtbot):
    one = open_session(eeg("a"))
    page = one.setup_page
    page.trials.setValue(9)
    assert not page.primary.isEnabled()
    assert "5 or more trials of each class" in page.about.text()
    page.trials.setValue(14)
    assert page.primary.isEnabled()
    assert page.about.text() == "About 0.1 s a trial, 1 s in all."
    go_to_recording(one, qtbot)
    assert one.conductor.choices.n_trials == 14


def test_protocol_without_practice_offers_none(open_session, protocol_file):
    assert open_session(eeg("a")).setup_page.practice.isChecked()
    protocol_file.write_text(PROTOCOL.replace("practice_trials = 1", "practice_trials = 0"))
    page = open_session(eeg("a")).setup_page
    assert not page.practice.isEnabled()
    assert not page.practice.isChecked()
    page.protocol.setCurrentText("mi")
    assert page.practice.isChecked()


def test_options_of_the_command_line_are_preset(open_session, qtbot):
    placement = Placement(display=1, windowed=True, photodiode=True)
    one = open_session(eeg("a"), practice=False, placement=placement)
    go_to_recording(one, qtbot)
    assert one.conductor.choices.placement == placement
    shown = begin(one, qtbot, practice=False)
    assert shown.surface.width() < shown.surface.screen().geometry().width()


def test_display_that_is_not_there_is_refused(open_session):
    with pytest.raises(InputError, match="There are: 1"):
        open_session(eeg("a"), placement=Placement(display=3))


def test_warning_about_flicker_is_confirmed_once_in_a_session(open_session, qtbot, protocol_file):
    flickering = PROTOCOL.replace('"mi"', '"ssvep"').replace("[imagery]", "[flicker]")
    flickering = flickering.replace("fixation", "cue").replace("imagery", "stimulation")
    flickering = flickering.replace('"left_hand"', '"left_hand"\nfrequency = 10.0')
    protocol_file.write_text(flickering)
    one = open_session(eeg("a"), practice=False)
    go_to_recording(one, qtbot)
    page = one.run_page
    page.primary.click()
    shown = one.conductor.stimulus
    qtbot.waitUntil(lambda: shown._then is not None, timeout=60_000)
    assert shown._screen.title == FLICKER_WARNING.title
    QTest.keyClick(shown.surface, Qt.Key.Key_Return)
    qtbot.waitUntil(lambda: shown._playing, timeout=60_000)
    page.secondary.click()
    qtbot.waitUntil(page.primary.isEnabled, timeout=60_000)
    # another window, and no key
    assert begin(one, qtbot, practice=False) is not shown


def test_failure_of_the_recording_is_told(open_session, qtbot, monkeypatch):
    monkeypatch.setattr(QuickSession, "error", OperationError("The disk is full"))
    one = open_session(eeg("a"), practice=False)
    go_to_recording(one, qtbot)
    one.run_page.primary.click()
    qtbot.waitUntil(lambda: one.run_page.message.text() == "The disk is full", timeout=60_000)
    qtbot.waitUntil(one.run_page.primary.isEnabled, timeout=60_000)


def test_display_too_slow_for_the_protocol_is_told(open_session, qtbot, protocol_file):
    fast = PROTOCOL.replace('"mi"', '"ssvep"').replace("imagery", "flicker")
    fast = fast.replace("fixation", "cue").replace("flicker = 0.05", "stimulation = 0.05")
    protocol_file.write_text(fast.replace('"left_hand"', '"left_hand"\nfrequency = 55.0'))
    one = open_session(eeg("a"), practice=False)
    go_to_recording(one, qtbot)
    one.run_page.primary.click()
    assert "55 Hz on a display of 60 Hz" in one.run_page.message.text()
    qtbot.waitUntil(one.run_page.primary.isEnabled, timeout=60_000)


def test_error_that_nobody_expects_closes_the_window_and_is_raised(
    open_session, qtbot, monkeypatch
):
    monkeypatch.setattr(QuickSession, "error", ZeroDivisionError("a defect"))
    one = open_session(eeg("a"), practice=False)
    go_to_recording(one, qtbot)
    one.run_page.primary.click()
    qtbot.waitUntil(lambda: not one.isVisible(), timeout=60_000)
    with pytest.raises(ZeroDivisionError, match="a defect"):
        one.outcome()


def test_closing_while_recording_asks_and_tells_how_much_is_recorded(open_session, qtbot):
    one = open_session(eeg("a"), practice=False)
    go_to_recording(one, qtbot)
    shown = begin(one, qtbot, practice=False)
    qtbot.waitUntil(lambda: one.run_page.progress.value() >= 2, timeout=60_000)
    one.close()
    assert re.search(r"recorded: ([2-9]|10) of 10 trials", one.question.text())
    one.question.button(QMessageBox.StandardButton.Cancel).click()
    assert one.isVisible()
    assert not shown.stopped
    one.close()
    one.question.button(QMessageBox.StandardButton.Close).click()
    qtbot.waitUntil(lambda: not one.isVisible(), timeout=60_000)
    assert shown.stopped
    assert one.outcome().result is None


def test_closing_while_training_waits_for_a_fold_without_the_gui(open_session, qtbot, monkeypatch):
    fold, folds = threading.Event(), []

    def train(self: QuickSession, request: Any, early: bool, progress: Callable[[], None]) -> None:
        for number in range(5):
            folds.append(number)
            assert fold.wait(60.0)
            progress()

    monkeypatch.setattr(QuickSession, "train", train)
    one = open_session(eeg("a"), practice=False)
    go_to_recording(one, qtbot)
    begin(one, qtbot, practice=False)
    qtbot.waitUntil(lambda: folds == [0], timeout=60_000)
    one.close()
    assert "trained: 10 of 10 trials" in one.question.text()
    one.question.button(QMessageBox.StandardButton.Close).click()
    # the window still answers
    assert one.training_page.message.text() == "Ending …"
    assert one.isVisible()
    fold.set()
    qtbot.waitUntil(lambda: not one.isVisible(), timeout=60_000)
    assert folds == [0]
    assert one.outcome().result is None


def test_ctrl_c_while_it_asks_ends_the_session(open_session, qtbot):
    one = open_session(eeg("a"), practice=False)
    go_to_recording(one, qtbot)
    begin(one, qtbot, practice=False)
    one.close()
    assert one.question.isVisible()
    one.end()
    qtbot.waitUntil(lambda: not one.isVisible(), timeout=60_000)
    assert not one.question.isVisible()


def test_closing_does_not_ask_where_nothing_is_lost(open_session):
    one = open_session(eeg("a"))
    one.close()
    assert not one.isVisible()


def test_ctrl_c_tells_how_the_session_goes_on(monkeypatch, capsys, tmp_path, protocol_file):
    folder = SessionFolder.create(tmp_path / "begun", str(protocol_file), eeg("a"), seed=0)
    outcome = SessionOutcome(folder, None, interrupted=True)
    monkeypatch.setattr(session_window, "run_session_window", lambda _: outcome)
    monkeypatch.setenv("DISPLAY", ":0")
    setup = SessionSetup(str(protocol_file), DecoderRequest("riemann"))
    with pytest.raises(KeyboardInterrupt):
        run_in_window(setup, overwrite=False, json=False)
    assert f"--resume {folder.path}" in capsys.readouterr().err


def test_files_are_not_replaced_unasked(tmp_path, command):
    existing = tmp_path / "mine.safetensors"
    existing.write_text("precious")
    outcome = command("calibrate", "-p", "mi", "--out", existing)
    assert outcome.code == 2
    assert "not replaced unasked" in outcome.err
    assert existing.read_text() == "precious"


def test_protocol_with_a_typing_error_ends_the_command(protocol_file, command):
    protocol_file.write_text(PROTOCOL.replace("fixation", "fixtion"))
    outcome = command("calibrate", "-p", protocol_file)
    assert outcome.code == 2
    assert "imagery.fixtion" in outcome.err
