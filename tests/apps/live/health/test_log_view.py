"""The event log; the engine's messages are made up."""

from __future__ import annotations

import csv
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from PyQt6.QtWidgets import QFileDialog

from sjepa_online.online.events import EngineEvent

START = 1000.0


def test_the_log_is_filtered_and_exported(
    opened: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, say: Callable[..., None]
) -> None:
    say(opened, EngineEvent(time=START, event="channel-bad", detail="O1 is left out: flat"))
    view = opened.log
    everything = view.model.rowCount()
    view.level.setCurrentText("warnings only")
    assert 1 <= view.model.rowCount() < everything
    view.level.setCurrentIndex(0)
    view.search.setText("LEFT OUT")
    assert view.model.rowCount() == 1
    path = tmp_path / "log.csv"
    monkeypatch.setattr(QFileDialog, "getSaveFileName", lambda *_: (str(path), ""))
    view.export.click()
    (row,) = csv.DictReader(path.read_text().splitlines())
    assert row["detail"] == "O1 is left out: flat"
