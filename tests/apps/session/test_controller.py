from __future__ import annotations

import shutil
import threading
import time

import numpy as np
import psutil
import pytest
import pyxdf

from sjepa_apps.session.controller import CalibrationSession
from sjepa_apps.session.done import remaining_trials
from sjepa_apps.session.headless import HeadlessPresenter
from sjepa_apps.session.presenter import PresentedTrial, SessionStopped
from sjepa_online.errors import InputError
from sjepa_online.schedule import ScheduledTrial
from sjepa_online.stream import FrameOutlet, StimulusOutlet, resolve_stream


class Watched(HeadlessPresenter):
    """Remembers when each phase was shown; ``before`` is called with each trial."""

    def __init__(self, stimulus, frames, before=lambda trial: None):
        self.told: list[str] = []
        super().__init__(stimulus, frames, self.told.append)
        self.shown: list[PresentedTrial] = []
        self.before = before

    def present(self, trial: ScheduledTrial) -> PresentedTrial:
        self.before(trial)
        self.shown.append(super().present(trial))
        return self.shown[-1]


@pytest.fixture
def run(begin):
    """Run the recording of a session with a presenter; give both."""

    def run_session(
        stream_name, folder=None, before=lambda trial: None, keep=lambda presenter: None
    ):
        folder = begin(stream_name) if folder is None else folder
        with StimulusOutlet(folder.protocol_text) as stimulus, FrameOutlet(0.0) as frames:
            presenter = Watched(stimulus, frames, before)
            keep(presenter)
            session = CalibrationSession(
                folder,
                resolve_stream(stream_name),
                (stimulus.uid, frames.uid),
                presenter.told.append,
            )
            try:
                session.record(presenter)
            except SessionStopped:
                presenter.told.append("stopped")
        return session, presenter

    return run_session


def test_markers_lie_on_their_samples_and_the_protocol_is_in_the_recording(amplifier, run):
    _, origin = amplifier("session-samples")
    session, presenter = run("session-samples")
    (recording,) = session.recordings()
    assert session.remaining() == []
    phases = [phase for trial in presenter.shown for phase in trial.trial.phases]
    onsets = np.array([onset for trial in presenter.shown for onset in trial.onsets])
    assert np.diff(onsets) == pytest.approx([phase.duration for phase in phases[:-1]], abs=1e-6)
    marked = np.array([bool(phase.marker) for phase in phases])
    assert list(recording.labels) == [phase.marker for phase in phases if phase.marker]
    counts = np.interp(
        recording.onsets * recording.sfreq,
        np.arange(recording.data.shape[1]),
        recording.data[recording.ch_names.index("Oz")],
    )
    assert np.abs(counts - (onsets[marked] - origin) * recording.sfreq).max() < 1.0

    streams, _ = pyxdf.load_xdf(session.folder.parts()[0])
    by_name = {stream["info"]["name"][0]: stream for stream in streams}
    assert set(by_name) == {"session-samples", "sjepa-online-stimulus", "sjepa-online-frames"}
    told = by_name["sjepa-online-stimulus"]["info"]["desc"][0]["protocol"][0]
    assert told.split() == session.folder.protocol_text.split()
    frames = by_name["sjepa-online-frames"]["time_stamps"]
    assert len(frames) == len(onsets)


def test_a_session_that_was_killed_or_stopped_goes_on_with_the_next_trial(
    amplifier, begin, script, run
):
    amplifier("session-killed")
    folder = begin("session-killed")
    killed = script("session_process.py", folder.path)
    while (line := killed.stdout.readline()) and line != "trial 2\n":
        pass
    assert line
    time.sleep(0.8)
    killed.kill()
    killed.wait()
    wait_for(lambda: "Closing the file" in folder.parts()[0].with_suffix(".log").read_text())

    def escape(trial):
        if trial.number == 3:
            time.sleep(0.8)
            raise SessionStopped

    session, presenter = run("session-killed", folder, before=escape)
    assert [part.name for part in folder.parts()] == ["session_part-1.xdf", "session_part-2.xdf"]
    assert [trial.trial.number for trial in presenter.shown] == [2]
    assert presenter.told[-1] == "stopped"
    assert [trial.number for trial in session.remaining()] == [3]


def test_what_breaks_off_costs_one_trial_and_is_told(amplifier, begin, run, monkeypatch):
    process, _ = amplifier("session-harm")
    shown = []
    timers = []

    def harm(trial):
        shown.append(trial.number)
        if shown == [0]:
            kill_recorder()
        if shown.count(1) == 1 and trial.number == 1:
            timers.append(threading.Timer(0.8, process.kill))
            timers.append(threading.Timer(3.0, amplifier, ["session-harm"]))
            for timer in timers:
                timer.start()
        if trial.number == 3:
            time.sleep(0.8)
            full = shutil.disk_usage("/")._replace(free=0)
            monkeypatch.setattr(shutil, "disk_usage", lambda path: full)

    folder = begin("session-harm")
    presenters = []
    with pytest.raises(InputError, match="room"):
        run("session-harm", folder, before=harm, keep=presenters.append)
    for timer in timers:
        timer.join()
    assert shown == [0, 0, 1, 1, 2, 3]
    assert len(folder.parts()) == 3
    recordings, _ = folder.recordings()
    remaining = remaining_trials(folder.schedule(), recordings, folder.protocol)
    assert [trial.number for trial in remaining] == [3]
    told = " ".join(presenters[0].told)
    for what in ("recorder is not there", "broken off", "disk", "short break"):
        assert what in told


def kill_recorder():
    for child in psutil.Process().children():
        if "LabRecorder" in child.name():
            child.kill()


def wait_for(condition, timeout=15.0):
    end = time.monotonic() + timeout
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.05)
