from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from PyQt6.QtWidgets import QFileDialog

from sjepa_apps.live.connect.calibrate_dialog import CalibrateDialog
from sjepa_online.amplifier import AmplifierProfile, load_profile


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
    dialog = CalibrateDialog(tmp_path, "amplifier")
    qtbot.addWidget(dialog)
    dialog.from_session.click()
    arguments, out = dialog.command()
    assert arguments[arguments.index("--stream") + 1] == "amplifier"
    assert arguments[arguments.index("--folder") + 1] == str(out.parent)
    assert "--from" not in arguments
    assert "--amplifier" not in arguments


def test_a_session_gets_all_that_was_said_of_the_amplifier(qtbot: Any, tmp_path: Path) -> None:
    said = AmplifierProfile(
        channels={"Ch0": "Fp1", "aux": "-"},
        unit="mV",
        scale=0.5,
        markers="channel:Trig1",
        events={"7": "left_hand"},
    )
    folder = tmp_path / "new"
    dialog = CalibrateDialog(folder, "amplifier", said)
    qtbot.addWidget(dialog)
    dialog.from_session.click()
    with qtbot.waitSignal(dialog.accepted_command) as asked:
        dialog.start.click()
    arguments, out = asked.args
    path = arguments[arguments.index("--amplifier") + 1]
    written = load_profile(path)
    for field in ("channels", "unit", "scale", "markers", "events"):
        assert getattr(written, field) == getattr(said, field)
    # a session begins in a folder of its own
    assert not out.parent.exists()


def test_a_folder_that_cannot_be_written_to_is_told(qtbot: Any, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    dialog = CalibrateDialog(tmp_path / "file", "amplifier", AmplifierProfile(unit="mV"))
    qtbot.addWidget(dialog)
    dialog.from_session.click()
    dialog.show()
    dialog.start.click()
    assert dialog.isVisible()
    assert "cannot be written" in dialog.problem.text()
