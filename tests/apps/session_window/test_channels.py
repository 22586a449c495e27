"""The channels page: judged all the time, without a decoder, and never by an old signal."""

from __future__ import annotations

import itertools
import time
from dataclasses import replace

import pytest

pytest.importorskip("PyQt6", reason="the windows need PyQt6")

from PyQt6.QtCore import Qt
from PyQt6.QtGui import QImage
from PyQt6.QtWidgets import QApplication

from sjepa_apps.session_window import conductor
from sjepa_apps.session_window.run import signal_watch, watched_signal
from sjepa_apps.session_window.run.signal_watch import SignalState, SignalWatch
from sjepa_apps.ui.theme import DARK, LIGHT
from sjepa_online.errors import InputError
from sjepa_online.signal.channel_quality.absolute import REMEDIES, Verdict
from sjepa_online.signal.montage import electrode_names

GOOD = Verdict("C3", (), (), 9.0)
FLAT = Verdict("Cz", ("flat",), ("flat",), 0.0)
HUMS = Verdict("C4", ("mains",), ("mains: 31 µV",), 12.0)


def signal(*verdicts: Verdict) -> SignalState:
    picture = QImage(10, 10, QImage.Format.Format_RGB32)
    return SignalState(True, 0.0, 0, len(verdicts), verdicts, picture, "")


@pytest.fixture
def channels(open_session, qtbot, eeg, watches):
    """A window whose channels page is open, the page, and the watch on its signal."""
    one = open_session(eeg("a"))
    one.setup_page.primary.click()
    qtbot.waitUntil(one.channels_page.primary.isEnabled, timeout=60_000)
    return one, one.channels_page, watches[-1]


def row(page, number):
    shown = [column for column in range(5) if not page.table.isColumnHidden(column)]
    return [page.table.item(number, column).text() for column in shown]


def test_channels_are_judged_again_and_again(channels):
    one, page, watch = channels
    watch.state = signal(GOOD, FLAT, HUMS)
    one._look_around()
    # what needs mending comes first, with its remedy
    assert row(page, 0) == ["Cz", "0.0 µV", "flat", FLAT.remedy]
    assert row(page, 1) == ["C4", "12.0 µV", "mains: 31 µV", HUMS.remedy]
    assert row(page, 2) == ["C3", "9.0 µV", "good", ""]
    assert page.message.text() == "2 of 3 channels need a look."
    assert page.scalp._states.bad == ("Cz", "C4")
    assert HUMS.remedy in page.scalp._states.describe("C4")
    assert page.traces._picture is not None
    watch.state = signal(GOOD, FLAT)
    one._look_around()
    assert page.message.text() == "1 of 2 channels needs a look."
    watch.state = signal(GOOD, Verdict("Cz", (), (), 8.0), Verdict("C4", (), (), 7.0))
    one._look_around()
    assert [row(page, number)[0] for number in range(3)] == ["C3", "Cz", "C4"]
    assert page.message.text() == "All 3 channels look good."
    assert page.scalp._states.bad == ()


def test_impedances_are_shown_where_the_stream_carries_them(channels):
    one, page, watch = channels
    watch.state = replace(signal(GOOD, FLAT), impedances={"Cz": 412.0})
    one._look_around()
    assert row(page, 0)[:3] == ["Cz", "0.0 µV", "412"]
    assert row(page, 1)[:3] == ["C3", "9.0 µV", "–"]
    assert "412 kΩ" in page.scalp._states.describe("Cz")
    watch.state = replace(signal(GOOD, FLAT), impedances={"Cz": 12345.6, "ground": 3.0})
    one._look_around()
    assert row(page, 0)[2] == "12346"
    assert "12346 kΩ" in page.scalp._states.describe("Cz")
    watch.state = replace(signal(GOOD, FLAT), impedances={"ground": 3.0})
    one._look_around()
    assert row(page, 0)[2] == "flat", "no electrode has an impedance"
    watch.state = signal(GOOD, FLAT)
    one._look_around()
    assert row(page, 1) == ["C3", "9.0 µV", "good", ""]


def test_a_signal_that_stops_is_not_shown_as_current(channels):
    one, page, watch = channels
    watch.state = signal(GOOD, FLAT)
    one._look_around()
    watch.state = SignalState(False, 1.2, 0, 2, (), None, "a has sent nothing for 1 s")
    one._look_around()
    assert [row(page, number)[1:3] for number in range(2)] == [["–", "–"]] * 2
    assert page.scalp._states.reports == {}
    assert page.message.text() == "a has sent nothing for 1 s"
    assert not page.primary.isEnabled()
    watch.state = signal(GOOD)
    one._look_around()
    assert page.primary.isEnabled()
    watch.problems.append("The watch on a has ended: ValueError: a defect")
    one._look_around()
    assert "has ended" in page.message.text()
    assert row(page, 0)[1] == "–"


def test_a_stream_that_stops_is_told_within_two_seconds(
    open_session, qtbot, monkeypatch, eeg, stopping_inlet
):
    """The real watch reads a stand-in for the inlet; seconds are counted from its last sample."""
    monkeypatch.setattr(signal_watch, "SignalInlet", stopping_inlet)
    monkeypatch.setattr(watched_signal, "SignalWatch", SignalWatch)
    assert signal_watch.LOST_AFTER + signal_watch.PICTURE_EVERY + 0.2 < 2.0
    monkeypatch.setattr(signal_watch, "LOST_AFTER", 0.4)
    one = open_session(eeg("a"))
    one.setup_page.primary.click()
    page = one.channels_page
    qtbot.waitUntil(lambda: page.table.item(0, 3) is not None, timeout=30_000)
    assert row(page, 0)[:4] == ["Cz", "0.0 µV", "7", "flat"]
    qtbot.waitUntil(lambda: "has sent nothing" in page.message.text(), timeout=2000)
    assert row(page, 0)[2] == "–"


def test_the_watch_lasts_as_long_as_the_page(channels, watches):
    one, page, watch = channels
    assert not watch._ended.is_set()
    page.primary.click()
    assert watch._ended.is_set()
    one.run_page.back.click()
    assert watches[-1] is not watch
    assert not watches[-1]._ended.is_set()
    page.back.click()
    assert watches[-1]._ended.is_set()


def test_a_large_amplifier_is_shown_in_time(channels):
    """Qt's own fitting of rows takes 14 s for 128 channels whose states change."""
    one, _, watch = channels
    names = electrode_names()[:128]
    times = []
    for number in range(3):
        watch.state = signal(
            *[
                Verdict(name, ("mains",), (f"mains: {number * row % 99} µV",), number + row / 9)
                for row, name in enumerate(names)
            ]
        )
        begun = time.perf_counter()
        one._look_around()
        QApplication.processEvents()
        times.append(time.perf_counter() - begun)
    assert min(times) < 1.0


def test_states_have_the_colours_of_the_theme(channels):
    one, page, watch = channels
    watch.state = signal(GOOD, FLAT)
    one._look_around()
    for theme in (LIGHT, DARK):
        page.set_theme(theme)
        shown = [page.table.item(number, 3).foreground().color().name() for number in range(2)]
        assert shown == [theme.bad.lower(), theme.good.lower()]


def test_signal_that_cannot_be_recorded_is_refused(open_session, qtbot, monkeypatch, eeg, watches):
    def refuse(stream, unit):
        raise InputError("Every channel is constant", value="a", remedy="Switch it on.")

    monkeypatch.setattr(conductor, "check_channels", refuse)
    one = open_session(eeg("a"))
    one.setup_page.primary.click()
    page = one.channels_page
    qtbot.waitUntil(page.secondary.isEnabled, timeout=60_000)
    assert "Switch it on" in page.message.text()
    # the traces move on, and the reason stays
    watches[-1].state = signal(GOOD)
    one._look_around()
    assert "Switch it on" in page.message.text()
    assert not page.primary.isEnabled()
    monkeypatch.setattr(conductor, "check_channels", lambda *_: None)
    page.secondary.click()
    qtbot.waitUntil(page.primary.isEnabled, timeout=60_000)
    assert page.message.text() == "All 1 channels look good."


def test_states_and_remedies_are_not_cut(channels, qtbot):
    one, page, watch = channels
    one.resize(900, 700)
    reasons = ("mains: 31 µV", "noise above 44 Hz: 120 µV", "drifts by 1200 µV a second")
    watch.state = signal(Verdict("C3", ("mains", "noise", "drift"), reasons, 80.0))
    one._look_around()
    table = page.table
    # more rows than there is room for: the bar that comes makes columns narrower
    verdicts = [
        Verdict(f"{letter}{n}", (tuple(REMEDIES)[n],), reasons[: n % 4], 80.0)
        for letter in "FCP"
        for n in range(1, 7)
    ]
    watch.state = replace(signal(*verdicts), impedances={"F1": 1234.0})
    one._look_around()
    qtbot.wait(10)
    for row_, column in itertools.product(range(18), (3, 4)):
        text, width = table.item(row_, column).text(), table.columnWidth(column) - 22
        flags = Qt.TextFlag.TextWordWrap
        needed = table.fontMetrics().boundingRect(0, 0, width, 10_000, flags, text).height()
        assert table.rowHeight(row_) >= needed, text
        assert width >= 80
