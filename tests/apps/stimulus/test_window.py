from __future__ import annotations

import threading
import wave
from concurrent.futures import Future
from typing import Any

import numpy as np
import pytest

pytest.importorskip("PyQt6", reason="the windows need PyQt6")

from PyQt6.QtCore import Qt
from PyQt6.QtTest import QTest

from sjepa_apps.session.presenter import PresentedTrial, SessionStopped, TrialMonitor
from sjepa_apps.stimulus.display import DisplayOptions, check_rate, judge_display
from sjepa_apps.stimulus.presenter import QtPresenter
from sjepa_apps.stimulus.sound import CueSounds, write_tone
from sjepa_apps.stimulus.window import StimulusWindow
from sjepa_online.errors import InputError, OperationError
from sjepa_online.protocol import load_protocol
from sjepa_online.schedule import make_schedule
from sjepa_online.stream import local_clock

ENTER, SPACE, ESCAPE = Qt.Key.Key_Return, Qt.Key.Key_Space, Qt.Key.Key_Escape


def ask(window: StimulusWindow, act: Any, *arguments: Any) -> Future[Any]:
    future: Future[Any] = Future()
    window.ask(lambda: act(*arguments), future)
    return future


def press(window: StimulusWindow, key: Qt.Key) -> None:
    QTest.keyClick(window.frame_window, key)


def begin(window: StimulusWindow, qtbot: Any, protocol: Any) -> Future[PresentedTrial]:
    """Present the first trial; confirm the warning where there is one."""
    future = ask(window, window.present, make_schedule(protocol, 0)[0])
    if protocol.paradigm != "mi":
        press(window, ENTER)
    qtbot.waitUntil(lambda: window.frames.shown > 0 or bool(window._player), timeout=60_000)
    return future


@pytest.mark.parametrize("name", ["ssvep", "mi", "erp"])
def test_trial_is_shown_and_its_markers_bear_the_times_of_its_frames(
    name, qtbot, open_window, short_protocol
):
    protocol = short_protocol(name)
    window, markers, frames = open_window(protocol)
    trial = make_schedule(protocol, 0)[0]
    future = ask(window, window.present, trial)
    if name != "mi":
        press(window, ENTER)
    qtbot.waitUntil(future.done, timeout=60_000)
    presented = future.result()
    assert presented.completed
    assert markers.texts == [phase.marker for phase in trial.phases if phase.marker]
    assert {time for _, time in markers.sent} <= set(frames.times)
    assert len(presented.onsets) == len(trial.phases)
    assert presented.n_frames == len(frames.times) == window.frames.shown
    assert presented.late_frames == sum(frames.late)
    durations = np.diff(presented.onsets)
    expected = [phase.duration for phase in trial.phases[:-1]]
    # a busy machine may show single frames late, but what is late does not add up
    assert np.median(np.abs(durations - expected)) < 1.5 / 60


def test_marker_is_stamped_within_a_millisecond_of_the_swap(
    qtbot, open_window, short_protocol, monkeypatch
):
    protocol = short_protocol("ssvep")
    window, markers, _ = open_window(protocol)
    swaps = []
    inner = window.frame_window.event

    def note(event: Any) -> bool:
        done: bool = inner(event)
        swaps.append(local_clock())
        return done

    monkeypatch.setattr(window.frame_window, "event", note)
    future = begin(window, qtbot, protocol)
    qtbot.waitUntil(future.done, timeout=60_000)
    for _, time in markers.sent:
        assert min(abs(time - swap) for swap in swaps) < 1e-3


def test_a_decision_ends_the_trial_with_its_marker(qtbot, open_window, short_protocol):
    protocol = short_protocol("erp", sequences=5)
    window, markers, frames = open_window(protocol)
    trial = make_schedule(protocol, 0)[0]
    monitor = TrialMonitor(lambda: len(markers.sent) > 5)
    future = ask(window, window.present, trial, monitor)
    press(window, ENTER)
    qtbot.waitUntil(future.done, timeout=60_000)
    presented = future.result()
    assert presented.completed
    assert len(presented.onsets) < len(trial.phases)
    assert markers.texts[-1] == "end"
    assert markers.texts.count("end") == 1
    assert markers.sent[-1][1] in frames.times


def test_a_recording_that_breaks_off_interrupts_the_trial_at_once(
    qtbot, open_window, short_protocol
):
    protocol = short_protocol("mi", imagery=60.0)
    window, markers, frames = open_window(protocol)
    trial = make_schedule(protocol, 0)[0]
    monitor = TrialMonitor(broken=lambda: len(frames.times) >= 10)
    future = ask(window, window.present, trial, monitor)
    qtbot.waitUntil(future.done, timeout=60_000)
    presented = future.result()
    assert not presented.completed
    assert presented.n_frames == len(frames.times) == 10
    assert markers.texts[-1] == "pause"
    assert "end" not in markers.texts
    # what the session says then is shown, and the trial begins anew
    assert ask(window, window.show_message, "A short break", False).done()
    again = ask(window, window.present, trial, TrialMonitor(lambda: len(frames.times) >= 30))
    qtbot.waitUntil(again.done, timeout=60_000)
    assert again.result().completed


def test_flicker_waits_until_the_warning_is_confirmed(qtbot, open_window, short_protocol):
    protocol = short_protocol("ssvep")
    window, markers, frames = open_window(protocol)
    future = ask(window, window.present, make_schedule(protocol, 0)[0])
    press(window, SPACE)
    qtbot.wait(150)
    assert not future.done()
    assert frames.times == []
    press(window, ENTER)
    qtbot.waitUntil(future.done, timeout=60_000)
    again = ask(window, window.present, make_schedule(protocol, 0)[1])
    qtbot.waitUntil(again.done, timeout=60_000)
    assert markers.texts.count("end") == 2


def test_space_pauses_a_trial_which_then_counts_as_not_shown(qtbot, open_window, short_protocol):
    protocol = short_protocol("ssvep", stimulation=5.0)
    window, markers, frames = open_window(protocol)
    future = begin(window, qtbot, protocol)
    qtbot.waitUntil(lambda: len(markers.sent) == 2, timeout=60_000)
    press(window, SPACE)
    assert markers.texts[-1] == "pause"
    n_frames = len(frames.times)
    qtbot.wait(100)
    assert len(frames.times) == n_frames
    assert not future.done()
    press(window, SPACE)
    assert future.done()
    presented = future.result()
    assert not presented.completed
    assert len(presented.onsets) == 2


def test_escape_asks_before_it_stops(qtbot, open_window, short_protocol):
    protocol = short_protocol("mi", imagery=5.0)
    window, markers, _ = open_window(protocol)
    future = begin(window, qtbot, protocol)
    qtbot.waitUntil(lambda: len(markers.sent) == 1, timeout=60_000)
    press(window, ESCAPE)
    assert markers.texts[-1] == "pause"
    assert not future.done()
    press(window, ENTER)
    assert not future.result().completed
    future = ask(window, window.present, make_schedule(protocol, 0)[0])
    qtbot.waitUntil(lambda: markers.texts[-1] == "left_hand", timeout=60_000)
    press(window, ESCAPE)
    press(window, ESCAPE)
    with pytest.raises(SessionStopped):
        future.result()
    assert markers.texts[-1] == "pause"
    assert window.stopped
    with pytest.raises(SessionStopped):
        ask(window, window.show_message, "too late", False).result()


def test_pause_between_trials_holds_the_next_one(qtbot, open_window, short_protocol):
    protocol = short_protocol("mi")
    window, markers, _ = open_window(protocol)
    press(window, SPACE)
    future = ask(window, window.present, make_schedule(protocol, 0)[0])
    qtbot.wait(50)
    assert markers.sent == []
    press(window, SPACE)
    qtbot.waitUntil(future.done, timeout=60_000)
    assert future.result().completed


def test_message_waits_for_enter(qtbot, open_window, short_protocol):
    window, _, _ = open_window(short_protocol("mi"))
    assert ask(window, window.show_message, "A moment", False).done()
    future = ask(window, window.show_message, "Practice", True)
    press(window, SPACE)
    press(window, ESCAPE)
    press(window, ENTER)
    assert not future.done()
    press(window, ENTER)
    assert future.done()
    assert window._message.title != "Practice"


def test_message_after_an_interrupted_trial_still_waits(qtbot, open_window, short_protocol):
    protocol = short_protocol("mi", imagery=5.0)
    window, markers, _ = open_window(protocol)
    future = begin(window, qtbot, protocol)
    qtbot.waitUntil(lambda: len(markers.sent) == 1, timeout=60_000)
    press(window, SPACE)
    press(window, SPACE)
    assert not future.result().completed
    message = ask(window, window.show_message, "A break", True)
    press(window, ESCAPE)
    press(window, ENTER)
    assert not message.done()
    press(window, ENTER)
    assert message.result() is None


def test_closing_the_window_stops_what_is_shown(qtbot, open_window, short_protocol):
    protocol = short_protocol("mi", imagery=5.0)
    window, markers, _ = open_window(protocol)
    future = begin(window, qtbot, protocol)
    qtbot.waitUntil(lambda: len(markers.sent) == 1, timeout=60_000)
    window.frame_window.close()
    with pytest.raises(SessionStopped):
        future.result()
    assert markers.texts[-1] == "pause"


def test_trial_that_nobody_can_see_is_paused(qtbot, open_window, short_protocol):
    protocol = short_protocol("mi", imagery=5.0)
    window, markers, _ = open_window(protocol)
    future = begin(window, qtbot, protocol)
    qtbot.waitUntil(lambda: len(markers.sent) == 1, timeout=60_000)
    window.frame_window.hide()
    qtbot.waitUntil(lambda: markers.texts[-1] == "pause", timeout=60_000)
    assert not future.done()
    press(window, SPACE)
    assert not future.result().completed


def test_error_of_an_outlet_reaches_the_session(qtbot, open_window, short_protocol, monkeypatch):
    protocol = short_protocol("mi")
    window, markers, _ = open_window(protocol)

    def fail(marker: str, time: float) -> None:
        raise OperationError("the outlet is gone")

    monkeypatch.setattr(markers, "push", fail)
    future = ask(window, window.present, make_schedule(protocol, 0)[0])
    qtbot.waitUntil(future.done, timeout=60_000)
    with pytest.raises(OperationError, match="the outlet is gone"):
        future.result()


def test_session_in_another_thread_sees_trials_through(qtbot, open_window, short_protocol):
    protocol = short_protocol("mi")
    window, markers, _ = open_window(protocol)
    presenter = QtPresenter(window)
    results: list[PresentedTrial] = []

    def session() -> None:
        presenter.show_message("Practice", wait=True)
        for trial in make_schedule(protocol, 0)[:2]:
            results.append(presenter.present(trial))
            presenter.show_feedback(trial.target, True)
        presenter.close()

    thread = threading.Thread(target=session)
    thread.start()
    qtbot.wait(50)
    press(window, ENTER)
    qtbot.waitUntil(lambda: window.stopped, timeout=60_000)
    thread.join(5)
    assert [one.completed for one in results] == [True, True]
    assert markers.texts == ["left_hand", "end", "right_hand", "end"]


def test_session_in_another_thread_ends_with_the_window(qtbot, open_window, short_protocol):
    protocol = short_protocol("mi", imagery=30.0)
    window, markers, _ = open_window(protocol)
    presenter = QtPresenter(window)
    ended = threading.Event()

    def session() -> None:
        presenter.check_stopped()
        with pytest.raises(SessionStopped):
            presenter.present(make_schedule(protocol, 0)[0])
        with pytest.raises(SessionStopped):
            presenter.check_stopped()
        ended.set()

    thread = threading.Thread(target=session)
    thread.start()
    qtbot.waitUntil(lambda: len(markers.sent) == 1, timeout=60_000)
    window.close()
    qtbot.waitUntil(ended.is_set, timeout=60_000)
    thread.join(5)


def test_display_that_does_not_exist_is_refused(qapp):
    window = StimulusWindow(load_protocol("mi"), DisplayOptions(display=7))
    with pytest.raises(InputError, match=r"no display .*Choose one of: 1"):
        window.open()


def test_window_that_does_not_fill_the_display_says_so(open_window, short_protocol):
    window, _, _ = open_window(short_protocol("mi"), windowed=True)
    screen = window.frame_window.screen().geometry()
    assert 0 < window.frame_window.width() < screen.width()
    assert screen.contains(window.frame_window.geometry())
    assert any("in a window" in one for one in window.report.warnings)
    full, _, _ = open_window(short_protocol("mi"))
    assert full.frame_window.geometry() == screen
    assert not any("in a window" in one for one in full.report.warnings)


def test_window_says_that_nothing_waits_for_the_display(open_window, short_protocol):
    window, _, _ = open_window(short_protocol("mi"))
    assert not window.report.vsync
    assert any("timer" in one for one in window.report.warnings)


def test_display_without_a_refresh_rate_is_refused():
    assert check_rate(59.94) == 59.94
    with pytest.raises(InputError, match="0 Hz"):
        check_rate(0.0)


def test_display_with_vsync_is_recognised_though_busy():
    random = np.random.default_rng(0)
    refreshes = np.cumsum(1 + (random.random(90) < 0.05)) + random.normal(0, 0.03, 90)
    report = judge_display("test", 59.94, list(refreshes / 59.94))
    assert report.vsync
    assert report.refresh_rate == pytest.approx(59.94, rel=0.01)
    assert report.warnings == ()


def test_display_that_swaps_at_will_is_paced_at_its_refresh_rate():
    random = np.random.default_rng(0)
    report = judge_display("test", 60.0, list(np.cumsum(random.uniform(0.005, 0.03, 90))))
    assert not report.vsync
    assert report.refresh_rate == 60.0


def test_display_that_shows_every_other_frame_is_warned_about():
    report = judge_display("test", 60.0, list(np.arange(90) / 30))
    assert report.refresh_rate == pytest.approx(30.0)
    assert "30 frames a second" in report.warnings[0]


def test_participant_reads_nothing_of_drivers_and_frames(qtbot, open_window, short_protocol):
    """What was found out about the display is for the operator."""
    protocol = short_protocol("ssvep", stimulation=5.0)
    window, markers, _ = open_window(protocol, windowed=True)
    assert window.report.warnings
    told = []

    def read() -> None:
        message = window._overlay or window._message
        told.append(f"{message.title} {message.text}")

    ask(window, window.show_message, "Practice", True)
    read()
    press(window, ENTER)
    ask(window, window.present, make_schedule(protocol, 0)[0])
    read()
    press(window, ENTER)
    qtbot.waitUntil(lambda: len(markers.sent) == 2, timeout=60_000)
    press(window, SPACE)
    read()
    assert [text.split()[0] for text in told] == ["Practice", "Flickering", "Pause"]
    for text in told:
        assert not any(word in text for word in ("Hz", "frames", "driver", "display", "refresh"))


def test_enter_goes_on_after_a_pause_and_escape_stops_in_one(qtbot, open_window, short_protocol):
    protocol = short_protocol("mi", imagery=5.0)
    window, markers, _ = open_window(protocol)
    future = begin(window, qtbot, protocol)
    qtbot.waitUntil(lambda: len(markers.sent) == 1, timeout=60_000)
    press(window, SPACE)
    press(window, ENTER)
    assert not future.result().completed
    press(window, SPACE)
    press(window, ESCAPE)
    assert window.stopped


def test_decision_in_the_rest_ends_the_trial_without_a_second_end(
    qtbot, open_window, short_protocol
):
    protocol = short_protocol("mi", rest=30.0)
    window, markers, _ = open_window(protocol)
    trial = make_schedule(protocol, 0)[0]
    monitor = TrialMonitor(lambda: "end" in markers.texts)
    future = ask(window, window.present, trial, monitor)
    qtbot.waitUntil(future.done, timeout=60_000)
    assert future.result().completed
    assert markers.texts.count("end") == 1


def test_operator_is_told_what_is_shown(qtbot, open_window, short_protocol):
    protocol = short_protocol("mi", imagery=5.0)
    window, _, _ = open_window(protocol)
    ask(window, window.show_message, "Practice", True)
    assert (window.shown.activity, window.shown.message) == ("waiting", "Practice")
    window.press(ENTER)
    trial = make_schedule(protocol, 0)[0]
    ask(window, window.present, trial)
    qtbot.waitUntil(lambda: window.shown.phase == "imagery", timeout=60_000)
    assert (window.shown.activity, window.shown.target) == ("trial", trial.target)
    window.press(SPACE)
    assert (window.shown.activity, window.shown.n_pauses) == ("pause", 1)
    window.press(SPACE)
    ask(window, window.present, trial)
    assert window.shown.n_repeats == 1


def test_missing_sound_device_is_told_to_the_operator(open_window, short_protocol, monkeypatch):
    monkeypatch.setattr(CueSounds, "_open", lambda _: False)
    window, _, _ = open_window(short_protocol("mi"), sound=True)
    assert any("no sound device" in one for one in window.report.warnings)
    silent, _, _ = open_window(short_protocol("mi"))
    assert not any("sound" in one for one in silent.report.warnings)


def test_tone_has_its_pitch_and_soft_edges(tmp_path):
    write_tone(tmp_path / "tone.wav", 880.0)
    with wave.open(str(tmp_path / "tone.wav")) as file:
        rate = file.getframerate()
        samples = np.frombuffer(file.readframes(file.getnframes()), "<i2").astype(float)
    power = np.abs(np.fft.rfft(samples))
    pitch = np.argmax(power) * rate / len(samples)
    assert pitch == pytest.approx(880.0, abs=rate / len(samples))
    assert abs(samples[0]) < 100
    assert abs(samples[-1]) < 1000
