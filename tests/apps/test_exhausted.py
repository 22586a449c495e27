"""Standard streams that are closed or full, and too few files that may be open."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full")


def run(redirection: str, *words: str) -> subprocess.CompletedProcess[str]:
    script = f'exec "$0" -m sjepa_apps "$@" {redirection}'
    return subprocess.run(
        ["sh", "-c", script, sys.executable, *words], capture_output=True, text=True, check=False
    )


@pytest.mark.parametrize("json", [(), ("--json",)])
def test_a_result_that_cannot_be_written_is_told_in_one_line(json: tuple[str, ...]) -> None:
    ended = run("> /dev/full", "amplifiers", "list", *json)
    assert ended.returncode == 1
    assert ended.stderr.splitlines() == [
        "Error: The result cannot be written to standard output: No space left on device"
    ]


@pytest.mark.parametrize("redirection", ["2>&-", "2> /dev/full"])
def test_without_a_place_for_messages_results_and_exit_codes_stay(redirection: str) -> None:
    whole = run("", "amplifiers", "list", "--json")
    assert run(redirection, "amplifiers", "list", "--json").stdout == whole.stdout != ""
    assert run(redirection, "amplifiers", "show", "no-such-amplifier").returncode == 2


def test_too_few_files_end_in_one_message() -> None:
    script = 'ulimit -n 24; exec "$0" -m sjepa_apps streams --lsl-scope machine'
    ended = subprocess.run(
        ["sh", "-c", script, sys.executable], capture_output=True, text=True, check=False
    )
    assert "Traceback" not in ended.stderr
