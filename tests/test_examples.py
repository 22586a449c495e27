"""Every example runs as it stands, in a process of its own, on the loopback interface."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

import sjepa_online
from sjepa_online.data import load_source
from sjepa_online.data.simulated import SimulatedParticipant, simulated_channels
from sjepa_online.decoding import DecoderRequest
from sjepa_online.online import PROBABILITIES, Publication
from sjepa_online.online.events import Decision
from sjepa_online.protocol import load_protocol
from sjepa_online.signal import PreprocessorConfig
from sjepa_online.stream import (
    MarkerInlet,
    ParticipantStream,
    Replay,
    SignalInlet,
    resolve_stream,
)
from sjepa_online.training import calibrate

EXAMPLES = Path(__file__).parents[1] / "examples"


@pytest.fixture
def example() -> Iterator[Callable[..., subprocess.Popen[str]]]:
    """Start an example."""
    with ExitStack() as stack:

        def start(name: str, *arguments: object) -> subprocess.Popen[str]:
            words = [sys.executable, "-u", EXAMPLES / name, *map(str, arguments)]
            started = stack.enter_context(
                subprocess.Popen(words, text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
            )
            stack.callback(started.kill)
            return started

        yield start


@pytest.fixture(scope="module")
def decoder_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A Riemannian decoder of the first sample session."""
    path = tmp_path_factory.mktemp("decoder") / "decoder.safetensors"
    calibration = calibrate(
        load_source("sample:1"),
        load_protocol("ssvep-exo"),
        PreprocessorConfig(),
        DecoderRequest("riemann"),
    )
    calibration.decoder.save(path)
    return path


@pytest.fixture
def replay(request: pytest.FixtureRequest) -> Iterator[Replay]:
    """The trials of the third sample session, again and again."""
    (recording,) = load_source("sample:3")
    first = round((recording.onsets[0] - 5.0) * recording.sfreq)
    recording = replace(
        recording,
        data=recording.data[:, first:],
        onsets=recording.onsets - first / recording.sfreq,
    )
    name = f"examples-{os.getpid()}-{len(request.node.name)}"
    with Replay([recording], name=name, speed=4.0, loop=True, wait_for_consumers=60.0) as replay:
        yield replay


def finish(process: subprocess.Popen[str]) -> str:
    out, err = process.communicate(timeout=120)
    assert process.returncode == 0, err
    return out


@pytest.mark.slow
def test_the_live_loop(
    example: Callable[..., subprocess.Popen[str]], decoder_file: Path, replay: Replay
) -> None:
    out = finish(example("live_loop.py", decoder_file, replay.name, "--seconds", 5))
    assert len(re.findall(r"^(13|17|21|rest): p = 0\.\d\d, \d+\.\d ms$", out, re.M)) > 20


@pytest.mark.slow
def test_the_live_loop_after_markers(
    example: Callable[..., subprocess.Popen[str]], decoder_file: Path, replay: Replay
) -> None:
    words = ("--markers", replay.marker_name, "--seconds", 10)
    out = finish(example("live_loop.py", decoder_file, replay.name, *words))
    assert 1 <= len(re.findall(r"^(13|17|21|rest): p", out, re.M)) < 20


@pytest.mark.slow
def test_the_callback_in_a_thread(
    example: Callable[..., subprocess.Popen[str]], decoder_file: Path, replay: Replay
) -> None:
    out = finish(example("live_callback.py", decoder_file, replay.name, "--seconds", 5))
    values = [float(text) for text in re.findall(r"0\.\d\d", out.splitlines()[-1])]
    assert sum(values) == pytest.approx(1.0, abs=0.03)


@pytest.mark.slow
def test_a_stimulus_program_drives_a_simulated_participant(
    example: Callable[..., subprocess.Popen[str]],
) -> None:
    protocol = load_protocol("ssvep")
    participant = SimulatedParticipant(protocol, simulated_channels("ssvep", 4), 250.0, 0)
    name = f"examples-stimulus-{os.getpid()}"
    started = example(
        "stimulus_program.py", "12.0", "--name", name, "--trials", 4, "--seconds", 2, "--rest", 0.5
    )  # fmt: skip
    answering = ParticipantStream(participant, name=f"{name}-eeg", markers=name)
    with (
        # the program begins with its first reader: the participant may miss the first trials
        MarkerInlet(resolve_stream(name, 60.0, "markers")) as inlet,
        answering,
        SignalInlet(resolve_stream(answering.name, 20.0)) as signal,
    ):
        markers, chunks = [], []
        while started.poll() is None:
            chunks.append(signal.pull(0.1))
            markers += inlet.pull()
    finish(started)
    assert [marker.label for marker in markers] == ["cue/12.0", "12.0", "end"] * 4
    times = np.concatenate([chunk.timestamps for chunk in chunks])
    data = np.concatenate([chunk.data for chunk in chunks], axis=1)

    def power(begin: float) -> float:
        """Return the power at 12 Hz in 1.5 s, the largest of the electrodes."""
        window = data[:, np.searchsorted(times, begin) :][:, :375]
        wave = np.exp(-2j * np.pi * 12.0 * np.arange(375) / 250.0)
        return float((np.abs(window @ wave) ** 2).max())

    onset = markers[-2].time
    assert power(onset + 0.3) > 2 * power(onset - 1.5)


@pytest.mark.parametrize("name", ["receive_pylsl.py", "receive_mne_lsl.py"])
@pytest.mark.slow
def test_decisions_are_received(example: Callable[..., subprocess.Popen[str]], name: str) -> None:
    suffix = f"-examples-{os.getpid()}-{name}"
    with Publication(("left", "right"), 8.0, suffix) as publication:
        started = example(name, "--name", PROBABILITIES + suffix, "--decisions", 3)
        time = 1000.0
        while started.poll() is None:
            time += 0.125
            publication.push_decision(Decision(time, "right", {"left": 0.1, "right": 0.9}))
            try:
                started.wait(0.125)
            except subprocess.TimeoutExpired:
                continue
    lines = finish(started).splitlines()
    assert [line.split()[1:] for line in lines] == [["right", "0.90"]] * 3


@pytest.mark.slow
def test_offline_scores(example: Callable[..., subprocess.Popen[str]]) -> None:
    out = finish(example("offline_scores.py", "--train", "sample:1"))
    accuracy = float(re.search(r"accuracy on sample:3: (\S+) of 32 trials, chance 0.25", out)[1])
    assert accuracy > 0.4


TINY_RECIPE = """
name = "tiny"
[split]
validation_share = 0.5
[examples]
window_seconds = 1
spacing_seconds = 20.0
[network]
n_encoder_layers = 1
n_decoder_layers = 1
d_feed_forward = 16
[objective]
mask_diameter_percent = 40
target_layers = 1
[optimisation]
batch_size = 4
max_epochs = 3
precision = "float32"
"""


@pytest.mark.slow
def test_pretraining(example: Callable[..., subprocess.Popen[str]], tmp_path: Path) -> None:
    recipe = tmp_path / "tiny.toml"
    recipe.write_text(TINY_RECIPE)
    words = (recipe, "--data", "sample:1", "sample:2", "--out", tmp_path / "out", "--epochs", 1)
    out = finish(example("pretraining.py", *words))
    assert len(re.findall(r"^epoch \d: training \d\.\d+", out, re.M)) == 1
    assert "(1, 8, 1, 64)" in out


def test_the_public_names_are_there() -> None:
    for name in sjepa_online.__all__:
        assert getattr(sjepa_online, name) is not None
    assert {"LiveDecoder", "SignalInlet", "load_recording", "make_trials", "calibrate"} <= set(
        dir(sjepa_online)
    )
