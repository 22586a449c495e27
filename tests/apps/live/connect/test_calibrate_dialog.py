from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from PyQt6.QtWidgets import QFileDialog

from sjepa_apps.live.connect.calibrate_dialog import CalibrateDialog


def test_recordings_become_the_command(
    qtbot: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    dialog = CalibrateDialog(tmp_path, None)
    qtbot.addWidget(dialog)
    assert not dialog.start.isEnabled()
    assert not dialog.from_session.isEnabled()
    dialog.protocol.setCurrentText("mi")
    dialog.decoder.setCurrentText("riemann")
    dialog.sources.setText("sample:1")
    monkeypatch.setattr(QFileDialog, "getOpenFileNames", lambda *_: (["/a b.xdf"], ""))
    dialog.browse.click()
    with qtbot.waitSignal(dialog.accepted_command) as asked:
        dialog.start.click()
    arguments, out = asked.args
    assert arguments[:5] == ["calibrate", "--paradigm", "mi", "--decoder", "riemann"]
    assert arguments[5:9] == ["--from", "sample:1", "--from", "/a b.xdf"]
    assert arguments[9:] == ["--out", str(out)]
    assert out.parent == tmp_path


def test_an_own_protocol_is_chosen_by_its_file(
    qtbot: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    dialog = CalibrateDialog(tmp_path, None)
    qtbot.addWidget(dialog)
    before = dialog.protocol.currentText()
    path = str(tmp_path / "mine.toml")
    for chosen, shown in (("", before), (path, path), (path, path)):
        monkeypatch.setattr(QFileDialog, "getOpenFileName", lambda *_, one=chosen: (one, ""))
        dialog.other.click()
        assert dialog.protocol.currentText() == shown
    texts = [dialog.protocol.itemText(row) for row in range(dialog.protocol.count())]
    assert texts.count(path) == 1
    arguments, out = dialog.command()
    assert arguments[arguments.index("--paradigm") + 1] == path
    assert out is not None
    assert out.parent == tmp_path
    assert out.name.startswith("mine_")


def test_a_session_uses_the_connected_stream(qtbot: Any, tmp_path: Path) -> None:
    dialog = CalibrateDialog(tmp_path, "amplifier", "mV")
    qtbot.addWidget(dialog)
    dialog.from_session.click()
    arguments, out = dialog.command()
    assert arguments[arguments.index("--stream") + 1] == "amplifier"
    assert arguments[arguments.index("--unit") + 1] == "mV"
    assert arguments[arguments.index("--folder") + 1] == str(out.parent)
    assert "--from" not in arguments
