from __future__ import annotations

import gc
import json
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil
import pytest

from sjepa_apps import cli
from sjepa_online.data import load_source


@dataclass
class Outcome:
    """What a command left behind."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)


@pytest.fixture
def command(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> Callable[..., Outcome]:
    """Run the command line in this process."""

    def run(*arguments: object) -> Outcome:
        monkeypatch.setattr(sys, "argv", ["sjepa-online", *map(str, arguments)])
        code = 0
        try:
            cli.main()
        except SystemExit as ended:
            code = ended.code if isinstance(ended.code, int) else int(ended.code is not None)
        captured = capsys.readouterr()
        return Outcome(code, captured.out, captured.err)

    return run


@pytest.fixture
def process() -> Iterator[Callable[..., subprocess.Popen[str]]]:
    """Start the command line in a process of its own."""
    with ExitStack() as stack:

        def start(*arguments: object) -> subprocess.Popen[str]:
            words = [sys.executable, "-m", "sjepa_apps", *map(str, arguments)]
            started = stack.enter_context(
                subprocess.Popen(words, text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
            )
            stack.callback(started.kill)
            return started

        yield start


@pytest.fixture
def interrupt() -> Callable[[subprocess.Popen[str]], tuple[int, float]]:
    """Press Ctrl-C; give the exit code and the seconds until the command ended."""

    def press(started: subprocess.Popen[str]) -> tuple[int, float]:
        begun = time.monotonic()
        started.send_signal(signal.SIGINT)
        code = started.wait(timeout=10)
        return code, time.monotonic() - begun

    return press


@pytest.fixture
def no_leaks(request: pytest.FixtureRequest) -> Iterator[None]:
    """Fail a test that leaves a thread, a process, a running timer or a window behind.

    Close what you open: a window by its ``close()``, a thread by its ``stop()``.
    """
    threads, processes = set(threading.enumerate()), _processes()
    yield
    left = set(threading.enumerate()) - threads
    assert not left, f"threads were not joined: {left}"
    running = _processes() - processes
    assert not running, f"processes were not ended: {running}"
    if "qapp" not in request.fixturenames:
        return
    from PyQt6 import sip
    from PyQt6.QtCore import QTimer
    from PyQt6.QtGui import QGuiApplication

    timers = [
        one
        for one in gc.get_objects()
        if type(one) is QTimer and not sip.isdeleted(one) and one.isActive()
    ]
    assert not timers, f"timers were not stopped, parents: {[one.parent() for one in timers]}"
    shown = [one for one in QGuiApplication.allWindows() if one.isVisible()]
    assert not shown, f"windows were not closed: {shown}"


def _processes() -> set[psutil.Process]:
    children = psutil.Process().children(recursive=True)
    return {one for one in children if one.status() != psutil.STATUS_ZOMBIE}


@pytest.fixture(scope="session")
def short_sample(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The third session of the sample up to its eighth trial, as a .fif file."""
    import mne

    (recording,) = load_source("sample:3")
    stop = float(recording.onsets[7]) + 8.0
    info = mne.create_info(list(recording.ch_names), recording.sfreq, "eeg")
    n_samples = round(stop * recording.sfreq)
    raw = mne.io.RawArray(1e-6 * recording.data[:, :n_samples], info, verbose="error")
    raw.set_annotations(
        mne.Annotations(recording.onsets[:8], 5.0, recording.labels[:8]), verbose="error"
    )
    path = tmp_path_factory.mktemp("sample") / "short_raw.fif"
    raw.save(path, verbose="error")
    return path


@pytest.fixture(scope="session")
def decoder_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A Riemannian decoder of the first sample session."""
    from sjepa_online.decoding import DecoderRequest
    from sjepa_online.protocol import load_protocol
    from sjepa_online.signal import PreprocessorConfig
    from sjepa_online.training import calibrate

    path = tmp_path_factory.mktemp("decoder") / "riemann.safetensors"
    calibration = calibrate(
        load_source("sample:1"),
        load_protocol("ssvep-exo"),
        PreprocessorConfig(),
        DecoderRequest("riemann"),
    )
    calibration.decoder.save(path)
    return path
