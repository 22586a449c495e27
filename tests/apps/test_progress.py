"""Long work tells how far it is: lines with a clock of the test, and a bar on a terminal."""

from __future__ import annotations

import io
import threading
import time

import pytest
from rich.console import Console

from sjepa_apps.cli import progress
from sjepa_apps.cli.common import progress_bar
from sjepa_apps.cli.progress import ProgressBar, ProgressLines


class Clock:
    now = 0.0

    def __call__(self):
        return self.now


@pytest.fixture
def lines():
    clock, told = Clock(), []
    return clock, told, lambda total: ProgressLines("Working", total, told.append, 30.0, clock)


def test_a_line_comes_every_thirty_seconds_with_the_remaining_time(lines):
    clock, told, make = lines
    work = make(4)
    for second in range(1, 96):
        clock.now = float(second)
        if second == 20:
            work.advance()
        work.tell_if_due()
    assert told == [
        "Working: 1 of 4, 30 s so far, about 90 s left",
        "Working: 1 of 4, 60 s so far, about 3 min left",
        "Working: 1 of 4, 90 s so far, about 4 min left",
    ]


def test_quick_work_prints_nothing(lines):
    clock, told, make = lines
    work = make(2)
    clock.now = 29.0
    work.advance()
    work.tell_if_due()
    assert told == []


def test_before_the_first_step_and_without_steps_no_time_is_promised(lines):
    clock, told, make = lines
    steps, unknown = make(3), make(0)
    clock.now = 31.0
    steps.tell_if_due()
    unknown.tell_if_due()
    assert told == ["Working: 0 of 3, 31 s so far", "Working: 31 s so far"]


def test_the_remaining_time_starts_anew_with_each_epoch(lines):
    clock, told, make = lines
    work = make(0)
    work.update("epoch 1", 10, 10)
    clock.now = 1000.0
    work.update("epoch 2", 0, 10)
    clock.now = 1040.0
    work.update("epoch 2", 5, 10)
    work.tell_if_due()
    assert told == ["epoch 2: 5 of 10, 40 s so far, about 40 s left"]


def test_lines_come_while_one_step_lasts_and_end_with_the_work(monkeypatch, capsys):
    monkeypatch.setattr(progress, "TICK", 0.01)
    with progress_bar("Fitting", 2, interval=0.05):
        time.sleep(0.5)
    said = capsys.readouterr().err.splitlines()
    assert said
    assert all(line.startswith("Fitting: 0 of 2") for line in said)
    assert "progress" not in {thread.name for thread in threading.enumerate()}


def test_work_that_fails_leaves_no_thread():
    with pytest.raises(ZeroDivisionError), progress_bar("Fitting", 2):
        raise ZeroDivisionError
    assert "progress" not in {thread.name for thread in threading.enumerate()}


def test_the_bar_shows_steps_and_no_markup_of_file_names():
    console = Console(file=io.StringIO(), force_terminal=True, width=120)
    with progress._bar(console) as bar:
        display = ProgressBar(bar, "Reading", 3)
        display.advance()
        display.update("[red]x\x1b[2J", 2, 3)
    shown = console.file.getvalue()
    assert "2/3" in shown
    assert "[red]x" in shown
    assert "\x1b[2J" not in shown
