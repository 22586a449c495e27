"""What the operator sees and does while the participant is shown something."""

from __future__ import annotations

import numpy as np
import pytest

pytest.importorskip("PyQt6", reason="the windows need PyQt6")

from PyQt6.QtCore import QSize, QSizeF, Qt
from PyQt6.QtGui import QImage, QPainter
from PyQt6.QtTest import QTest

from sjepa_apps.session_window.run import signal_watch
from sjepa_apps.session_window.run.signal_watch import SignalState, SignalWatch, choose_lanes
from sjepa_apps.session_window.run.trace_picture import StripLayout, draw_traces
from sjepa_apps.stimulus.shown import ShownState
from sjepa_apps.ui.theme import DARK, LIGHT
from sjepa_online.amplifier import AS_DECLARED
from sjepa_online.errors import InputError
from sjepa_online.signal.channel_quality.absolute import Verdict

GOOD = Verdict("C3", (), (), 9.0)
FLAT = Verdict("Cz", ("flat",), ("flat",), 0.0)


@pytest.fixture
def running(open_session, qtbot, eeg, go_to_recording, begin, watches, protocol_file):
    """A session whose first trial is on, and lasts; and the watch on its signal."""
    text = protocol_file.read_text().replace("imagery = 0.05", "imagery = 30.0")
    protocol_file.write_text(text)
    one = open_session(eeg("a"), practice=False)
    go_to_recording(one, qtbot)
    shown = begin(one, qtbot, practice=False)
    qtbot.waitUntil(lambda: shown.shown.phase == "imagery", timeout=60_000)
    return one, shown, watches[-1]


def look(one):
    one._look_around()
    return one.run_page


def test_cue_and_block_are_told(running):
    one, shown, _ = running
    page = look(one)
    target = shown._player.trial.target.replace("_", " ")
    assert page.cue._full == f"{target}: imagery"
    assert page.left.text().startswith("block 1 of 5")
    assert "left, without pauses" in page.left.text()
    assert "since the start" in page.clock.text()


def test_what_is_waited_for_before_the_first_trial_is_told(running):
    page = running[0].run_page
    page.begin()
    page.show_shown(ShownState("message", "", "", "", 0, 0))
    assert page.state.text() == "Opening the stimulus window"
    page.show_shown(ShownState("waiting", "", "", "10 trials to go", 0, 0))
    assert page.state.text() == "Waiting for the participant"


def test_pause_of_the_participant_appears_at_once(running):
    one, shown, _ = running
    QTest.keyClick(shown.frame_window, Qt.Key.Key_Space)
    page = look(one)
    assert page.alert.text().startswith("Paused.")
    assert "1 pause" in page.alert.text()
    assert page.pause.text() == "Go on"
    assert page.cue._full == "paused"


def test_operator_pauses_goes_on_and_stops_by_button_and_key(running, qtbot):
    one, shown, _ = running
    page = look(one)
    page.pause.click()
    assert shown.shown.activity == "pause"
    look(one)
    one.activateWindow()
    qtbot.waitUntil(one.isActiveWindow, timeout=60_000)
    QTest.keyClick(page, Qt.Key.Key_P)
    qtbot.waitUntil(lambda: shown.shown.activity == "trial", timeout=60_000)
    page = look(one)
    # the trial that was interrupted is begun again
    assert "1 trial shown again" in page.alert.text()
    assert "The trial is shown again" in page.log.toPlainText()
    one.activateWindow()
    qtbot.waitUntil(one.isActiveWindow, timeout=60_000)
    QTest.keyClick(page, Qt.Key.Key_Escape)
    assert look(one).alert.text().startswith("Stop?")
    QTest.keyClick(page, Qt.Key.Key_Escape)
    qtbot.waitUntil(lambda: page.state.text() == "Stopped", timeout=60_000)
    assert shown.stopped


def test_a_display_that_goes_in_a_trial_pauses_it(running, qtbot):
    one, shown, _ = running
    # as when its display is unplugged
    shown.frame_window.hide()
    qtbot.waitUntil(lambda: shown.shown.activity == "pause", timeout=10_000)
    page = look(one)
    assert page.alert.text().startswith("Paused.")
    shown.frame_window.show()
    page.pause.click()
    qtbot.waitUntil(lambda: shown.shown.activity == "trial", timeout=60_000)
    assert "1 trial shown again" in look(one).alert.text()


def test_loss_of_the_signal_appears_at_once_and_its_return_too(running):
    one, _, watch = running
    watch.state = SignalState(True, 0.0, 0, 2, (GOOD, FLAT), None, "", impedances={"Cz": 80.0})
    page = look(one)
    assert page.electrodes.text() == "1 of 2 bad: Cz (flat)"
    assert "80 kΩ" in page.scalp._states.describe("Cz")
    watch.state = SignalState(False, 2.0, 0, 2, (), None, "a has sent nothing for 2 s")
    page = look(one)
    assert page.alert.text().startswith("The signal is lost")
    assert page.electrodes.text() == "not known"
    assert page.scalp._states.bad == ()
    assert "a has sent nothing" in page.log.toPlainText()
    watch.state = SignalState(True, 0.0, 0, 2, (GOOD,), None, "")
    page = look(one)
    assert not page.alert.text().startswith("The signal is lost")
    assert "1 loss of the signal" in page.alert.text()


def test_nothing_old_stays_in_sight_when_the_run_has_ended(running, qtbot):
    one, _, watch = running
    watch.state = SignalState(True, 0.0, 0, 1, (GOOD,), QImage(10, 10, QImage.Format.Format_RGB32))
    look(one)
    one.run_page.secondary.click()
    qtbot.waitUntil(lambda: one.run_page.state.text() == "Stopped", timeout=60_000)
    assert one.run_page.traces._picture is None
    assert one.run_page.electrodes.text() == "not known"


def test_copy_shows_what_the_participant_sees(running):
    _, shown, _ = running
    size = QSize(160, 90)

    def picture(draw):
        image = QImage(size, QImage.Format.Format_RGB32)
        image.fill(0)
        painter = QPainter(image)
        draw(painter)
        painter.end()
        return image

    there = picture(lambda painter: shown.paint(painter, QSizeF(size), 1.0))
    copy = picture(lambda painter: shown.draw_copy(painter, QSizeF(size), 1.0))
    assert copy == there
    shown.press(Qt.Key.Key_Space)
    paused = picture(lambda painter: shown.draw_copy(painter, QSizeF(size), 1.0))
    assert paused != copy


def test_bad_channels_always_have_a_lane():
    names = tuple(f"E{number}" for number in range(64))
    lanes = choose_lanes(names, ["E7", "E8"], 16)
    assert len(lanes) == 16
    assert {"E7", "E8"} <= set(lanes)
    assert list(lanes) == sorted(lanes, key=names.index)
    # from all over the head
    assert lanes[0] == "E0"
    assert lanes[-1] == "E63"
    assert choose_lanes(names[:4], [], 16) == names[:4]


@pytest.mark.parametrize("theme", [LIGHT, DARK])
def test_missing_samples_leave_a_hole_in_the_traces(qapp, theme):
    data = np.zeros((1, 800))
    data[0, 300:500] = np.nan
    layout = StripLayout(QSize(400, 100), 1.0, theme)
    shown = draw_traces(layout, ("C3",), data, (), 8.0, faded=False)
    empty = draw_traces(layout, ("C3",), np.full((1, 800), np.nan), (), 8.0, faded=False)
    same = [
        all(shown.pixel(x, y) == empty.pixel(x, y) for y in range(36, 48)) for x in range(60, 390)
    ]
    # the line, and where it is not
    assert not any(same[5:100])
    assert all(same[150:180])


def test_of_a_stream_that_is_gone_no_other_stream_is_listed(qapp, qtbot, monkeypatch, eeg):
    def fail(*_, **__):
        raise InputError("The stream a is not in sight", value="b; c; d", remedy="See streams.")

    monkeypatch.setattr(signal_watch, "resolve_stream", fail)
    monkeypatch.setattr(SignalWatch, "_follow", lambda self, stream: None)
    watch = SignalWatch(eeg("a"), AS_DECLARED, StripLayout(QSize(300, 120), 1.0, LIGHT))
    watch.start()
    told = "The stream a is not in sight. Start its source; it is picked up by itself."
    try:
        qtbot.waitUntil(lambda: watch.state.problem == told, timeout=30_000)
    finally:
        watch.stop()


def test_signal_is_followed_and_its_loss_is_told(qapp, qtbot, monkeypatch, eeg, stopping_inlet):
    monkeypatch.setattr(signal_watch, "SignalInlet", stopping_inlet)
    monkeypatch.setattr(signal_watch, "LOST_AFTER", 0.5)
    watch = SignalWatch(eeg("a"), AS_DECLARED, StripLayout(QSize(300, 120), 1.0, LIGHT))
    watch.start()
    try:
        qtbot.waitUntil(lambda: bool(watch.state.verdicts), timeout=30_000)
        assert [one.channel for one in watch.state.verdicts if one.bad] == ["Cz"]
        assert watch.state.impedances == {"Cz": 7.0}
        assert watch.state.picture.size() == QSize(300, 120)
        qtbot.waitUntil(lambda: not watch.state.receiving, timeout=30_000)
        assert "has sent nothing" in watch.state.problem
        assert watch.state.verdicts == ()
        assert watch.state.impedances == {}
    finally:
        watch.stop()
