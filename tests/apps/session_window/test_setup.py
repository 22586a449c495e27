"""The first pages: stream, unit, protocol, channels."""

from __future__ import annotations

from dataclasses import replace

import pytest

pytest.importorskip("PyQt6", reason="the windows need PyQt6")

from PyQt6.QtWidgets import QFileDialog

from sjepa_apps.session_window import conductor
from sjepa_apps.stimulus.display import DisplayOptions
from sjepa_online.amplifier import describe
from sjepa_online.errors import InputError


def test_only_stream_in_sight_is_chosen(open_session, eeg):
    one = open_session(eeg("amplifier"))
    assert one.setup_page.stream.name == "amplifier"
    assert one.setup_page.primary.isEnabled()


def test_without_a_stream_it_says_what_to_do(open_session):
    one = open_session()
    assert not one.setup_page.primary.isEnabled()
    assert "sjepa-online simulate" in one.setup_page.message.text()


def test_among_two_streams_one_must_be_chosen(open_session, eeg):
    one = open_session(eeg("a"), eeg("b"))
    assert not one.setup_page.primary.isEnabled()
    assert "2 streams are in sight" in one.setup_page.message.text()
    one.setup_page.table.selectRow(1)
    assert one.setup_page.stream.name == "b"
    assert one.setup_page.primary.isEnabled()
    one.setup_page.show_streams([eeg("c"), eeg("b"), eeg("a")])
    assert one.setup_page.stream.name == "b"


def test_unit_of_a_stream_that_declares_none_is_chosen(
    open_session, qtbot, monkeypatch, eeg, go_to_recording, begin
):
    units = []
    check = conductor.check_channels
    monkeypatch.setattr(
        conductor, "check_channels", lambda stream, said: units.append(said) or check(stream, said)
    )
    one = open_session(replace(eeg("a"), units=()), practice=False)
    page = one.setup_page
    assert not page.primary.isEnabled()
    assert "--unit uV" in page.message.text()
    page.unit.setCurrentText("mV")
    assert page.primary.isEnabled()
    go_to_recording(one, qtbot)
    begin(one, qtbot, practice=False)
    assert one.conductor.folder.state.amplifier.unit == "mV"
    assert [one.unit for one in units] == ["mV"]
    # a session goes on in its unit
    one.run_page.secondary.click()
    qtbot.waitUntil(one.run_page.back.isEnabled, timeout=60_000)
    one.run_page.back.click()
    one.channels_page.back.click()
    assert not page.unit.isEnabled()
    assert page.unit.currentText() == "mV"


def test_unit_of_the_command_line_is_chosen(open_session, eeg):
    one = open_session(replace(eeg("a"), units=()), amplifier=describe(unit="uV"))
    assert one.setup_page.unit.currentText() == "µV"
    assert one.setup_page.primary.isEnabled()


def test_stream_of_the_command_line_is_chosen(open_session, eeg):
    one = open_session(eeg("a"), eeg("b"), stream="b")
    assert one.setup_page.stream.name == "b"


def test_typing_error_in_a_protocol_is_named(open_session, protocol_file, eeg):
    protocol_file.write_text(protocol_file.read_text().replace("fixation", "fixtion"))
    one = open_session(eeg("a"))
    assert "imagery.fixtion" in one.setup_page.about.text()
    assert not one.setup_page.primary.isEnabled()
    one.setup_page.protocol.setCurrentText("mi")
    assert one.setup_page.primary.isEnabled()
    assert one.setup_page.trials.value() == 100


def test_protocol_is_chosen_by_its_file(open_session, protocol_file, monkeypatch, eeg):
    one = open_session(eeg("a"), paradigm="mi")
    monkeypatch.setattr(QFileDialog, "getOpenFileName", lambda *_: (str(protocol_file), ""))
    one.setup_page.other_protocol.click()
    assert one.setup_page.paradigm == str(protocol_file)
    assert one.setup_page.trials.value() == 10


def test_columns_fit_what_they_hold(open_session, eeg):
    table = open_session(replace(eeg("a"), units=())).setup_page.table
    assert table.item(0, 3).text() == "not declared"
    assert all(table.columnWidth(n) >= table.sizeHintForColumn(n) for n in range(1, 5))


def test_operator_goes_back_to_another_stream(open_session, qtbot, eeg, go_to_recording):
    one = open_session(eeg("a"), eeg("b"), stream="a")
    one.setup_page.primary.click()
    qtbot.waitUntil(one.channels_page.back.isEnabled, timeout=60_000)
    one.channels_page.back.click()
    assert one.pages.currentWidget() is one.setup_page
    one.setup_page.table.selectRow(1)
    go_to_recording(one, qtbot)
    assert one.conductor.choices.stream.name == "b"


def test_protocol_of_a_session_that_has_begun_stays(
    open_session, qtbot, eeg, go_to_recording, begin
):
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


def test_protocol_without_practice_offers_none(open_session, protocol_file, eeg):
    assert open_session(eeg("a")).setup_page.practice.isChecked()
    protocol_file.write_text(
        protocol_file.read_text().replace("practice_trials = 1", "practice_trials = 0")
    )
    page = open_session(eeg("a")).setup_page
    assert not page.practice.isEnabled()
    assert not page.practice.isChecked()
    page.protocol.setCurrentText("mi")
    assert page.practice.isChecked()


def test_options_of_the_command_line_are_preset(open_session, qtbot, eeg, go_to_recording, begin):
    display_options = DisplayOptions(display=1, windowed=True, photodiode=True)
    one = open_session(eeg("a"), practice=False, display_options=display_options)
    go_to_recording(one, qtbot)
    assert one.conductor.choices.display_options == display_options
    shown = begin(one, qtbot, practice=False)
    assert shown.frame_window.width() < shown.frame_window.screen().geometry().width()


def test_display_that_is_not_there_is_refused(open_session, eeg):
    with pytest.raises(InputError, match=r"no display .*Choose one of: 1"):
        open_session(eeg("a"), display_options=DisplayOptions(display=3))


def test_participant_names_the_folder(open_session, qtbot, tmp_path, monkeypatch, eeg):
    monkeypatch.chdir(tmp_path)
    one = open_session(eeg("a"), folder=None)
    page = one.setup_page
    page.identity.participant.setText("../a b/7")
    page.identity.session.setText("x" * 400)
    assert f"sessions/sub-ab7_ses-{'x' * 24}_task-quick_run-01" in page.about.text()
    assert page.primary.isEnabled()
    page.primary.click()
    qtbot.waitUntil(one.channels_page.primary.isEnabled, timeout=60_000)
    identity = one.conductor.choices.identity
    assert identity.participant == "../a b/7"
    assert len(identity.session) == 300


def test_participant_without_a_letter_is_refused(open_session, eeg):
    page = open_session(eeg("a"), folder=None).setup_page
    page.identity.participant.setText("😀")
    assert "no letter or digit" in page.about.text()
    assert not page.primary.isEnabled()
    page.identity.participant.setText("😀 1")
    assert page.primary.isEnabled()
