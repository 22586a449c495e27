from __future__ import annotations

import time
from contextlib import nullcontext
from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pylsl
import pytest

from sjepa_apps.session import feedback as online
from sjepa_apps.session import stream_monitor as watch
from sjepa_apps.session.decoder_process import DecoderProcess
from sjepa_apps.session.feedback import FeedbackRun
from sjepa_apps.session.headless import HeadlessPresenter
from sjepa_apps.session.presenter import PresentedTrial, SessionStopped
from sjepa_apps.session.selections import Selection, SelectionScore
from sjepa_online.amplifier import describe
from sjepa_online.data import Recording
from sjepa_online.decoding import DecoderRequest
from sjepa_online.errors import InputError, OperationError
from sjepa_online.protocol import load_protocol
from sjepa_online.schedule import make_schedule
from sjepa_online.signal import PreprocessorConfig
from sjepa_online.stream import (
    FrameOutlet,
    StimulusOutlet,
    resolve_stream,
)
from sjepa_online.training import calibrate

SFREQ = 250.0


def recording_of(frequencies, seconds):
    """Noise, and a sine for so long of each of the frequencies, marked by it."""
    times = np.arange(round(seconds * SFREQ)) / SFREQ
    sines = np.concatenate([np.sin(2 * np.pi * frequency * times) for frequency in frequencies])
    noise = np.random.default_rng(0).standard_normal((3, len(sines)))
    return Recording(
        name="sines",
        data=(10 * noise + 20 * np.array([[1.0], [0.8], [0.2]]) * sines).astype(np.float32),
        unit="uV",
        sfreq=SFREQ,
        ch_names=("Oz", "O1", "O2"),
        onsets=np.arange(len(frequencies)) * seconds,
        labels=tuple(f"{frequency:.2f}".replace(".00", ".0") for frequency in frequencies),
        breaks=np.empty(0),
    )


class Remembering(HeadlessPresenter):
    """Remembers what was shown; ``before`` may replace a trial that is to be shown."""

    def __init__(self, stimulus, frames, before=lambda trial: trial, at_message=lambda text: None):
        self.told: list[str] = []
        super().__init__(stimulus, frames, self.told.append)
        self.before = before
        self.at_message = at_message
        self.shown: list[PresentedTrial] = []
        self.probabilities: list[dict[str, float]] = []

    def present(self, trial, monitor):
        self.shown.append(super().present(self.before(trial), monitor))
        self.probabilities.append(monitor.probabilities())
        return self.shown[-1]

    def show_message(self, text, *, wait=False):
        super().show_message(text, wait=wait)
        self.at_message(text)


def endless(trial):
    """Make a trial so long that only an interruption ends it."""
    return replace(trial, phases=tuple(replace(one, duration=600.0) for one in trial.phases))


@pytest.fixture
def protocol(protocol_file, monkeypatch):
    """Two frequencies that are shown as imagery, with short breaks between the trials."""
    monkeypatch.setattr(online, "FEEDBACK", 0.1)
    monkeypatch.setattr(online, "READY", 1.0)
    text = protocol_file.read_text().replace('"ssvep"', '"mi"').replace("[flicker]", "[imagery]")
    text = text.replace("cue =", "fixation =").replace("stimulation =", "imagery =")
    protocol_file.write_text(text)
    return load_protocol(protocol_file)


@pytest.fixture
def decoder_path(protocol, tmp_path):
    """A decoder of two frequencies."""
    calibration = calibrate(
        [recording_of([12.0, 8.57] * 10, 2.0)],
        protocol,
        PreprocessorConfig(),
        DecoderRequest("riemann"),
    )
    path = tmp_path / "decoder.safetensors"
    calibration.decoder.save(path)
    assert calibration.decoder.calibration.cross_validation["riemann"]["accuracy"] == 1.0
    return path


def wait_for(condition):
    end = time.monotonic() + 60.0
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.02)


@pytest.mark.slow
def test_choices_are_shown_marked_and_scored_though_the_stream_breaks_off(
    decoder_path, protocol, protocol_file, amplifier, monkeypatch
):
    """Only 12 Hz is there; it breaks off in the second trial, and is back when it is missed.

    The stream declares no unit, and the new decoder gets the one that is given, too.
    """
    # silence alone is no loss here
    monkeypatch.setattr(watch, "LOST_AFTER", 60.0)
    running = [amplifier("feedback", 12.0, "no-unit")[0]]
    begun = []

    def break_off(trial):
        begun.append(trial.number)
        if begun == [0, 1]:
            running[0].kill()
            running[0].wait()
            return endless(trial)
        if trial.number == 2:
            raise SessionStopped
        return trial

    def be_back(text):
        if "waiting for the signal" in text and len(running) == 1:
            running.append(amplifier("feedback", 12.0, "no-unit")[0])

    with (
        StimulusOutlet(protocol_file.read_text()) as stimulus,
        FrameOutlet(0.0) as frames,
    ):
        presenter = Remembering(stimulus, frames, break_off, be_back)
        seen = pylsl.StreamInlet(resolve_stream(stimulus.uid, kind="markers").info)
        seen.open_stream(5)
        stream = resolve_stream("feedback")
        tell = presenter.told.append
        with FeedbackRun(
            decoder_path, stream, stimulus, protocol, tell, describe(unit="uV")
        ) as run:
            run.run(presenter, make_schedule(protocol, 0))
            labels, _ = seen.pull_chunk(timeout=1.0, max_samples=100)
            # a decoder that gets no markers has nothing to choose either
            assert run._decoder.problem == ""
            stimulus.close()
            wait_for(lambda: run._decoder.poll() or run._decoder.problem)
            assert "sjepa-online-stimulus is lost" in run._decoder.problem
    assert begun == [0, 1, 1, 2]
    assert [trial.completed for trial in presenter.shown] == [True, False, True]
    assert "feedback has broken off" in presenter.told
    targets = [trial.target for trial in make_schedule(protocol, 0)[:2]]
    assert set(targets) == {"12.0", "8.57"}
    assert [one.target for one in run.selections] == targets
    assert [one.selected for one in run.selections] == ["12.0"] * 2
    markers = [label for (label,) in labels]
    assert markers.count("selected/12.0") == 2
    assert markers.count("pause") == 1
    shown = [text for text in presenter.told if text.startswith("Selected")]
    verdicts = {True: "Selected: 12.0 (right)", False: "Selected: 12.0 (wrong)"}
    assert shown == [verdicts[target == "12.0"] for target in targets]
    for one in run.selections:
        assert one.seconds == pytest.approx(1.1875, abs=0.05)
    # while a trial is on, the signal so far is judged too
    assert all(presenter.probabilities[trial]["12.0"] > 0.6 for trial in (0, 2))


def test_a_run_without_a_trial_has_nothing_to_tell(protocol, monkeypatch):
    def stop(text):
        raise SessionStopped

    monkeypatch.setattr(
        online, "DecoderProcess", lambda *_, **__: SimpleNamespace(close=lambda: None)
    )
    monkeypatch.setattr(online, "StreamMonitor", lambda *_: nullcontext())
    with FeedbackRun(
        None, SimpleNamespace(uid=""), SimpleNamespace(uid=""), protocol, print
    ) as run:
        presenter = Remembering(None, None, at_message=stop)
        with pytest.raises(OperationError, match="No trial"):
            run.run(presenter, make_schedule(protocol, 0))


def test_a_speller_is_compared_with_guessing_a_symbol():
    selections = [Selection("A", "A", 3.0), Selection("B", "C", 3.0), Selection("C", None, None)]
    score = SelectionScore.of(selections, load_protocol("erp"))
    assert (score.n_trials, score.n_correct) == (3, 1)
    assert score.accuracy == pytest.approx(1 / 3)
    assert score.p_value == pytest.approx(1 - (35 / 36) ** 3)


def test_what_the_decoder_cannot_do_is_told_by_its_process(tmp_path):
    with pytest.raises(InputError, match="no-such-decoder"):
        DecoderProcess(tmp_path / "no-such-decoder", "no-such-stream", "no-such-markers", print)


@pytest.mark.parametrize("name", ["mi", "ssvep", "ssvep-exo", "erp"])
def test_stimulus_goes_on_until_the_decoder_can_have_chosen(name):
    protocol = load_protocol(name)
    trial = make_schedule(protocol, 0)[0]
    held = online.hold_until_decided(trial, protocol)
    window = protocol.window
    for before, after in zip(trial.phases, held.phases, strict=True):
        if after.kind in ("stimulation", "imagery"):
            assert after.duration >= max(window.start + window.length + 1.0, before.duration)
        else:
            assert after == before


def test_bits_a_minute_count_the_pauses():
    selections = [Selection("A", "A", 3.0, 6.0 * number) for number in range(1, 11)]
    score = SelectionScore.of(selections, load_protocol("erp"))
    # ten symbols of 36 in a minute, all right
    assert score.bits_per_minute == pytest.approx(10 * np.log2(36))
    free = SelectionScore.of([Selection("", "A", 3.0, 6.0)], load_protocol("erp"))
    assert (free.n_trials, free.accuracy, free.p_value, free.bits_per_minute) == (0, 0.0, 1.0, 0.0)
