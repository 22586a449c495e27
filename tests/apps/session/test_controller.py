from __future__ import annotations

import shutil
import time
from dataclasses import replace

import numpy as np
import psutil
import pytest
import pyxdf

from sjepa_apps.session.completed_trials import remaining_trials
from sjepa_apps.session.controller import CalibrationSession
from sjepa_apps.session.folder import SessionFolder
from sjepa_apps.session.headless import HeadlessPresenter
from sjepa_apps.session.presenter import PresentedTrial, SessionStopped, TrialMonitor
from sjepa_online.amplifier import AS_DECLARED, describe
from sjepa_online.errors import InputError, OperationError
from sjepa_online.schedule import ScheduledTrial
from sjepa_online.stream import FrameOutlet, Recorder, StimulusOutlet, resolve_stream


class Watched(HeadlessPresenter):
    """Remembers what was shown and told; ``before`` may replace a trial that is to be shown."""

    def __init__(self, stimulus, frames, before=lambda trial: trial, at_message=lambda text: None):
        self.told: list[str] = []
        super().__init__(stimulus, frames, self.told.append)
        self.shown: list[PresentedTrial] = []
        self.before = before
        self.at_message = at_message

    def present(self, trial: ScheduledTrial, monitor: TrialMonitor) -> PresentedTrial:
        self.shown.append(super().present(self.before(trial), monitor))
        return self.shown[-1]

    def show_message(self, text: str, *, wait: bool = False) -> None:
        super().show_message(text, wait=wait)
        self.at_message(text)


@pytest.fixture
def long_rests(protocol_file):
    """Let the window of a trial be over when the next one begins."""
    protocol_file.write_text(protocol_file.read_text().replace("rest = 0.1", "rest = 1.2"))


@pytest.fixture
def run(begin):
    """Run the recording of a session with a presenter; give both."""

    def run_session(
        stream_name, folder=None, before=lambda trial: trial, at_message=lambda text: None
    ):
        folder = begin(stream_name) if folder is None else folder
        with StimulusOutlet(folder.protocol_text) as stimulus, FrameOutlet(0.0) as frames:
            presenter = Watched(stimulus, frames, before, at_message)
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


@pytest.mark.slow
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


@pytest.mark.slow
def test_a_stream_without_a_unit_is_recorded_and_read_in_the_one_that_is_given(
    amplifier, run, tmp_path, protocol_file
):
    amplifier("session-unit", 10.0, "no-unit")
    stream = resolve_stream("session-unit")
    assert stream.unit is None
    SessionFolder.create(tmp_path / "new", str(protocol_file), stream, 0, 2, describe(unit="uV"))
    session, _ = run("session-unit", SessionFolder.open(tmp_path / "new"))
    (recording,) = session.recordings()
    # noise of 10 and a sine of 20 microvolts
    assert recording.data.std() == pytest.approx(np.sqrt(10**2 + 20**2 / 2), rel=0.05)
    folder = session.folder
    without = folder.state.model_copy(update={"amplifier": AS_DECLARED})
    _, left_out = SessionFolder(folder.path, without, folder.protocol, "").recordings()
    assert "--unit" in left_out[0]


@pytest.mark.slow
def test_a_session_that_was_killed_or_stopped_goes_on_with_the_next_trial(
    amplifier, begin, script, run, long_rests
):
    amplifier("session-killed")
    folder = begin("session-killed")
    killed = script("session_process.py", folder.path)
    while (line := killed.stdout.readline()) and line != "trial 2\n":
        pass
    assert line
    time.sleep(0.25)
    killed.kill()
    killed.wait()
    wait_for(lambda: b"sample_count" in folder.parts()[0].read_bytes())

    def escape(trial):
        if trial.number == 3:
            raise SessionStopped
        return trial

    session, presenter = run("session-killed", folder, before=escape)
    assert [part.name for part in folder.parts()] == ["session_part-1.xdf", "session_part-2.xdf"]
    assert [trial.trial.number for trial in presenter.shown] == [2]
    assert presenter.told[-1] == "stopped"
    assert [trial.number for trial in session.remaining()] == [3]


@pytest.mark.slow
def test_what_breaks_off_interrupts_the_trial_which_is_shown_again(
    amplifier, begin, run, monkeypatch, long_rests, kill_recorder
):
    process, _ = amplifier("session-harm")
    shown = []
    messages = []

    def harm(trial):
        shown.append(trial.number)
        harmed = True
        if shown == [0]:
            kill_recorder()
        elif shown.count(1) == 1 and trial.number == 1:
            process.kill()
            process.wait()
        elif trial.number == 3:
            full = shutil.disk_usage("/")._replace(free=0)
            monkeypatch.setattr(shutil, "disk_usage", lambda path: full)
        else:
            harmed = False
        return endless(trial) if harmed else trial

    def switch_on_again(text):
        messages.append(text)
        if "waiting for the signal" in text and shown == [0, 0, 1]:
            amplifier("session-harm")

    folder = begin("session-harm")
    with pytest.raises(InputError, match="room"):
        run("session-harm", folder, before=harm, at_message=switch_on_again)
    assert shown == [0, 0, 1, 1, 2, 3]
    assert len(folder.parts()) == 3
    recordings, _ = folder.recordings()
    remaining = remaining_trials(folder.schedule(), recordings, folder.protocol)
    assert [trial.number for trial in remaining] == [3]
    pauses = sum(list(recording.labels).count("pause") for recording in recordings)
    assert pauses >= 1
    assert "A short break" in " ".join(messages)


@pytest.mark.slow
def test_a_recorder_that_hangs_leads_to_a_new_part_as_one_that_is_killed(
    amplifier, run, long_rests
):
    amplifier("session-hang")
    shown = []

    def hang(trial):
        shown.append((trial.number, time.monotonic()))
        if len(shown) > 1:
            return trial
        for child in psutil.Process().children(recursive=True):
            if "LabRecorder" in child.name():
                child.suspend()
        return endless(trial)

    breaks = []

    def note(text):
        if "A short break" in text:
            breaks.append(time.monotonic())

    session, presenter = run("session-hang", before=hang, at_message=note)
    assert [number for number, _ in shown] == [0, 0, 1, 2, 3]
    assert breaks[0] - shown[0][1] < 2.5
    assert "hangs" in " ".join(presenter.told)
    assert len(session.folder.parts()) == 2
    assert session.remaining() == []


@pytest.mark.slow
def test_a_recorder_that_does_not_start_is_started_again_some_times(amplifier, run, monkeypatch):
    amplifier("session-start")
    start, failures = Recorder.start, [2]

    def fail(self, *arguments, **options):
        if failures[0]:
            failures[0] -= 1
            raise OperationError("it has gone")
        start(self, *arguments, **options)

    monkeypatch.setattr(Recorder, "start", fail)
    session, presenter = run("session-start")
    assert presenter.told.count("it has gone") == 2
    assert session.remaining() == []
    failures[0] = 3
    session.folder.parts()[-1].unlink()
    with pytest.raises(OperationError, match="it has gone"):
        session.record(presenter)


def test_escape_while_the_recorder_starts_ends_the_session_at_once(amplifier, begin):
    class Stopped(HeadlessPresenter):
        def check_stopped(self):
            raise SessionStopped

    amplifier("session-escape")
    folder = begin("session-escape")
    with StimulusOutlet(folder.protocol_text) as stimulus, FrameOutlet(0.0) as frames:
        # what is not there keeps the recorder from starting
        others = (stimulus.uid, frames.uid, "no-such-uid")
        session = CalibrationSession(folder, resolve_stream("session-escape"), others, print)
        with pytest.raises(SessionStopped):
            session.record(Stopped(stimulus, frames, print))
    assert not any(
        "LabRecorder" in child.name() for child in psutil.Process().children(recursive=True)
    )
    assert len(session.remaining()) == folder.state.n_trials


def endless(trial):
    """Make a trial so long that only an interruption ends it."""
    return replace(trial, phases=tuple(replace(one, duration=600.0) for one in trial.phases))


def wait_for(condition, timeout=15.0):
    end = time.monotonic() + timeout
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.05)
