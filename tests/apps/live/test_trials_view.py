"""The trial log and its figures; the engine's messages are made up."""

from __future__ import annotations

import csv
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from PyQt6.QtWidgets import QFileDialog

from sjepa_apps.live import trials as trials_module
from sjepa_apps.live.messages import (
    Decoding,
)
from sjepa_online.stream import Marker

START = 1000.0


def test_trials_are_counted_and_exported(
    opened: Any,
    decided: Callable[..., Any],
    describe_markers: Callable[..., Any],
    wait_for: Callable[..., None],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    say: Callable[..., None],
) -> None:
    opened.session._reader.send(1.0)
    opened.session.use_markers(describe_markers())
    for onset, label in ((START, "12"), (START + 5, "15")):
        opened.session._marker_reader.markers.append(Marker(label, onset))
    wait_for(lambda: len(opened.session.store.lines) == 2)
    say(opened, decided(START + 2.55, "12"))
    say(opened, decided(START + 7.55, "12"))
    assert opened.trials.accuracy.text() == "0.50"
    assert opened.trials.table.rowCount() == 2
    assert opened.trials.table.item(0, 1).text() == "15"
    path = tmp_path / "trials.csv"
    monkeypatch.setattr(QFileDialog, "getSaveFileName", lambda *_: (str(path), ""))
    opened.trials.export.click()
    rows = list(csv.DictReader(path.read_text().splitlines()))
    assert [(row["truth"], row["decided"]) for row in rows] == [("12", "12"), ("15", "12")]


def test_trials_are_shown_and_numbered_after_the_log_is_full(
    opened: Any,
    decided: Callable[..., Any],
    monkeypatch: pytest.MonkeyPatch,
    say: Callable[..., None],
) -> None:
    monkeypatch.setattr(trials_module, "MOST_TRIALS", 5)
    opened.session.trials = None
    say(opened, Decoding(stream="amplifier", mode="markers", step=0.125, delay=0.05))
    for n in range(8):
        say(opened, decided(START + n, "12", onset=START + n - 2, truth="12" if n < 7 else "15"))
    assert len(opened.session.trials.trials) == 5
    assert opened.trials.accuracy.text() == "0.80"
    table = opened.trials.table
    numbers = [table.item(row, 0).text() for row in range(table.rowCount())]
    assert numbers == [str(number) for number in range(8, 0, -1)]
