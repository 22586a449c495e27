from __future__ import annotations

import numpy as np
import pylsl
import pytest

from sjepa_apps.session import online
from sjepa_apps.session.decoder_process import DecoderProcess
from sjepa_apps.session.headless import HeadlessPresenter
from sjepa_apps.session.online import FeedbackRun, Selection, SelectionScore
from sjepa_apps.session.presenter import SessionStopped
from sjepa_online.data import Recording
from sjepa_online.decoding import DecoderRequest
from sjepa_online.errors import InputError, OperationError
from sjepa_online.protocol import load_protocol
from sjepa_online.schedule import make_schedule
from sjepa_online.signal import PreprocessorConfig
from sjepa_online.stream import (
    FrameOutlet,
    Replay,
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
        ch_names=("Oz", "O1", "Pz"),
        onsets=np.arange(len(frequencies)) * seconds,
        labels=tuple(f"{frequency:.2f}".replace(".00", ".0") for frequency in frequencies),
        breaks=np.empty(0),
    )


class Remembering(HeadlessPresenter):
    """Remembers what was shown, and ends the run before the trial that is named."""

    def __init__(self, stimulus, frames, stop_at):
        self.told: list[str] = []
        super().__init__(stimulus, frames, self.told.append)
        self.stop_at = stop_at
        self.probabilities: list[dict[str, float]] = []

    def present(self, trial, monitor):
        if trial.number == self.stop_at:
            raise SessionStopped
        shown = super().present(trial, monitor)
        self.probabilities.append(monitor.probabilities())
        return shown


@pytest.fixture
def run_feedback(protocol_file, monkeypatch, tmp_path):
    """Let a decoder of two frequencies choose while only 12 Hz is there."""
    monkeypatch.setattr(online, "FEEDBACK", 0.1)
    monkeypatch.setattr(online, "READY", 2.0)
    text = protocol_file.read_text().replace('"ssvep"', '"mi"').replace("[flicker]", "[imagery]")
    text = text.replace("cue =", "fixation =").replace("stimulation =", "imagery =")
    protocol_file.write_text(text)
    protocol = load_protocol(protocol_file)
    calibration = calibrate(
        [recording_of([12.0, 8.57] * 10, 2.0)],
        protocol,
        PreprocessorConfig(),
        DecoderRequest("riemann"),
    )
    path = tmp_path / "decoder.safetensors"
    calibration.decoder.save(path)
    assert calibration.decoder.calibration.cross_validation["riemann"]["accuracy"] == 1.0

    def run(stop_at):
        with (
            Replay([recording_of([12.0], 60.0)], name="feedback"),
            StimulusOutlet(protocol_file.read_text()) as stimulus,
            FrameOutlet(0.0) as frames,
            DecoderProcess(path, resolve_stream("feedback").uid, stimulus.uid, print) as decoder,
        ):
            seen = pylsl.StreamInlet(resolve_stream(stimulus.uid, kind="markers").info)
            seen.open_stream(5)
            presenter = Remembering(stimulus, frames, stop_at)
            running = FeedbackRun(decoder, stimulus, protocol)
            selections = running.run(presenter, make_schedule(protocol, 0))
            labels, _ = seen.pull_chunk(timeout=1.0, max_samples=100)
        return selections, presenter, [label for (label,) in labels]

    return run


def test_what_the_decoder_chose_is_shown_marked_and_scored(run_feedback, protocol_file):
    selections, presenter, markers = run_feedback(stop_at=2)
    targets = [trial.target for trial in make_schedule(load_protocol(protocol_file), 0)[:2]]
    assert set(targets) == {"12.0", "8.57"}
    assert [one.target for one in selections] == targets
    assert [one.selected for one in selections] == ["12.0"] * 2
    assert markers.count("selected/12.0") == 2
    shown = [text for text in presenter.told if text.startswith("Selected")]
    verdicts = {True: "Selected: 12.0 (right)", False: "Selected: 12.0 (wrong)"}
    assert shown == [verdicts[target == "12.0"] for target in targets]
    for one in selections:
        assert one.seconds == pytest.approx(1.1875, abs=0.05)
    # while a trial is on, the signal so far is judged too
    assert len(presenter.probabilities) == 2
    assert all(one["12.0"] > 0.6 for one in presenter.probabilities)


def test_a_run_without_a_trial_has_nothing_to_tell(protocol_file, monkeypatch):
    monkeypatch.setattr(online, "READY", 0.0)
    protocol = load_protocol(protocol_file)
    presenter = Remembering(None, None, stop_at=0)
    with pytest.raises(OperationError, match="No trial"):
        FeedbackRun(None, None, protocol).run(presenter, make_schedule(protocol, 0))


def test_a_speller_is_compared_with_guessing_a_symbol():
    selections = [Selection("A", "A", 3.0), Selection("B", "C", 3.0), Selection("C", None, None)]
    score = SelectionScore.of(selections, load_protocol("erp"))
    assert (score.n_trials, score.n_correct) == (3, 1)
    assert score.accuracy == pytest.approx(1 / 3)
    assert score.p_value == pytest.approx(1 - (35 / 36) ** 3)


def test_what_the_decoder_cannot_do_is_told_by_its_process(tmp_path):
    with pytest.raises(InputError, match="no-such-decoder"):
        DecoderProcess(tmp_path / "no-such-decoder", "no-such-stream", "no-such-markers", print)
