"""A program that is killed leaves no process behind for more than 5 s."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager

import psutil
import pytest

from sjepa_online.decoding.classifiers.riemann import RiemannClassifier

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="kills as POSIX does")

#: Seconds after which nothing of a killed program may be left.
LIMIT = 5.0

DECODER_THAT_SEARCHES = """
import sys
from pathlib import Path
from sjepa_apps.session.decoder_process import DecoderProcess
DecoderProcess(Path(sys.argv[1]), "no-such-stream", "no-such-markers", print)
"""

WINDOW = """
import sys
from PyQt6.QtCore import QCoreApplication
from sjepa_apps.live.engine.{module} import {name}
application = QCoreApplication([])
{use}
application.exec()
"""
COMMANDS = WINDOW.format(
    module="commands",
    name="CommandRunner",
    use="CommandRunner(application).run('replay', ['replay', 'sample:3', '--name', 'orphan'])",
)
ENGINE = WINDOW.format(
    module="client",
    name="EngineClient",
    use="EngineClient(parent=application).start()",
)


@contextmanager
def running(*words: str) -> Iterator[psutil.Popen]:
    program = psutil.Popen(
        [sys.executable, *words], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    try:
        yield program
    finally:
        for one in [*program.children(recursive=True), program] if program.is_running() else ():
            one.kill()
        program.wait()


def children(program: psutil.Popen) -> list[psutil.Process]:
    """Wait for a child that has loaded what it needs: it uses little of the processor then."""
    end = time.monotonic() + 60.0
    while True:
        assert time.monotonic() < end
        assert program.is_running()
        found = [
            one
            for one in program.children(recursive=True)
            if "resource_tracker" not in " ".join(one.cmdline())
        ]
        if found and all(one.num_threads() > 1 for one in found):
            time.sleep(1.0)
            return program.children(recursive=True)
        time.sleep(0.1)


@pytest.mark.slow
@pytest.mark.parametrize(
    "words",
    [
        ("-m", "sjepa_apps", "evaluate", "latency", "--decoder", "riemann", "--seconds", "60"),
        ("-c", COMMANDS),
        ("-c", ENGINE),
    ],
    ids=["latency", "command of a window", "engine of a window"],
)
def test_nothing_is_left_of_a_program_that_was_killed(words: tuple[str, ...]) -> None:
    with running(*words) as program:
        assert_all_end(program)


@pytest.mark.slow
def test_no_decoder_is_left_that_still_looks_for_its_streams(
    tmp_path, make_decoder, simulated_recording, protocol
) -> None:
    classifier = RiemannClassifier("mi", (), protocol.class_names)
    path = tmp_path / "decoder.safetensors"
    make_decoder(simulated_recording(n_trials=12), classifier=classifier).save(path)
    with running("-c", DECODER_THAT_SEARCHES, str(path)) as program:
        assert_all_end(program)


def assert_all_end(program: psutil.Popen) -> None:
    orphans = children(program)
    assert orphans
    program.kill()
    program.wait()
    _, left = psutil.wait_procs(orphans, LIMIT)
    assert not left
