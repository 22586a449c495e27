from __future__ import annotations

import subprocess
from collections.abc import Callable

import pytest

from sjepa_online.stream import MarkerInlet, SignalInlet, resolve_stream

Process = Callable[..., subprocess.Popen[str]]


@pytest.mark.slow
def test_simulate_sends_a_labelled_stream_until_ctrl_c(
    process: Process, interrupt: Callable
) -> None:
    started = process(
        "simulate", "--paradigm", "mi", "--channels", "FP1, c3", "--sfreq", "500", "--seed", "3",
        "--name", "cli-simulate", "--markers", "cli-simulate-stimulus", "--mains", "60",
    )  # fmt: skip
    stream = resolve_stream("cli-simulate (simulated)", wait=20)
    assert stream.ch_names == ("Fp1", "C3")
    assert (stream.sfreq, stream.unit, stream.simulated) == (500.0, "microvolts", True)
    with SignalInlet(stream) as inlet:
        assert inlet.pull(5.0).data.shape[0] == 2
    code, seconds = interrupt(started)
    assert code == 130
    assert seconds < 2
    err = started.stderr.read()
    assert "SIMULATED" in err
    assert "cli-simulate-stimulus" in err
    assert "Traceback" not in err


@pytest.mark.parametrize(
    ("options", "told"),
    [
        (("--channels", "200"), "200"),
        (("--channels", "C3,C99"), "C99"),
        (("--channels", ""), "electrode"),
        (("--sfreq", "20"), "below 100 Hz: 20.0"),
        (("--mains", "55"), "55"),
        (("--paradigm", "nothing"), "nothing"),
    ],
)
def test_a_wrong_option_is_one_message(command: Callable, options: tuple, told: str) -> None:
    outcome = command("simulate", "--paradigm", "ssvep", *options)
    assert outcome.code == 2
    assert told in outcome.err
    assert "Traceback" not in outcome.err


@pytest.mark.slow
def test_a_simulated_recording_replays_as_simulated(process: Process) -> None:
    process("replay", "simulated:mi:0", "--name", "cli-simulated-replay", "--speed", "8")
    stream = resolve_stream("cli-simulated-replay (simulated)", wait=20)
    assert stream.simulated
    assert stream.n_channels == 16
    markers = resolve_stream("cli-simulated-replay (simulated)-markers", kind="markers")
    with MarkerInlet(markers) as inlet:
        labels = [marker.label for marker in inlet.pull(10.0)]
    assert set(labels) <= {"left_hand", "right_hand", "end"}
    assert labels
