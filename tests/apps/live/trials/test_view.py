"""The trial log and its figures; the engine's messages are made up."""

from __future__ import annotations

import csv
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from PyQt6.QtWidgets import QFileDialog

from sjepa_apps.live.trials import model as trials_module
from sjepa_apps.live.trials.view import CAPTION
from sjepa_apps.ui.theme import LIGHT
from sjepa_online.online.events import Decoding
from sjepa_online.protocol import load_protocol
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
    assert opened.trials.table.item(0, 1).text() == "15 Hz"
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


def test_columns_are_as_wide_as_the_names_of_the_classes(
    opened: Any, ready: Any, decided: Callable[..., Any], say: Callable[..., None]
) -> None:
    protocol = load_protocol("mi")
    say(opened, ready.model_copy(update={"protocol": protocol, "path": "/hands"}))
    say(opened, Decoding(stream="amplifier", mode="markers", step=0.125, delay=0.05))
    for n, name in enumerate(protocol.class_names):
        chances = {"left_hand": 0.2, "right_hand": 0.2} | {name: 0.8}
        say(opened, decided(START + n, name, probabilities=chances, onset=START, truth="left_hand"))
    table = opened.trials.table
    for column in (1, 2):
        assert table.sizeHintForColumn(column) <= table.columnWidth(column)
        assert table.horizontalHeader().sectionSizeHint(column) <= table.columnWidth(column)
    # right and wrong differ in more than their colour
    assert [table.item(row, 2).text() for row in range(2)] == ["✗ right hand", "✓ left hand"]


def test_the_confusion_matrix_says_what_its_sides_are(
    opened: Any, decided: Callable[..., Any], say: Callable[..., None]
) -> None:
    opened.session.trials = None
    say(opened, Decoding(stream="amplifier", mode="markers", step=0.125, delay=0.05))
    for n, (truth, name) in enumerate([("12", "12"), ("12", "15"), ("15", "15"), ("15", "15")]):
        say(opened, decided(START + n, name, onset=START, truth=truth))
    matrix = opened.trials.matrix
    matrix.resize(240, 160)
    image = matrix.grab().toImage()
    background = image.pixelColor(image.width() - 1, 2).name()

    def paints(left: int, top: int, right: int, bottom: int) -> bool:
        return any(
            image.pixelColor(x, y).name() != background
            for x in range(left, right)
            for y in range(top, bottom)
        )

    assert paints(60, 1, 200, CAPTION - 1)
    assert paints(1, 60, CAPTION - 1, 150)

    def cell(row: int, column: int) -> Any:
        left, top = image.width() - 170, CAPTION + 16
        x = left + (2 * column + 1) * 170 // 4 - 20
        y = top + (2 * row + 1) * (image.height() - top) // 4 - 12
        return image.pixelColor(x, y)

    # right decisions are green, wrong ones red, what never happened neither
    assert cell(0, 0).green() > cell(0, 0).red()
    assert cell(0, 1).red() > cell(0, 1).green()
    assert cell(1, 1).green() > cell(1, 1).red()
    assert cell(1, 0).name() == LIGHT.raised
