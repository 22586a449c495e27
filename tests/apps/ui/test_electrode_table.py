"""Which channel is which electrode; no stream is opened."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from PyQt6.QtWidgets import QDialogButtonBox

from sjepa_apps.ui.electrode_table import ElectrodeTable
from sjepa_online.amplifier import describe, load_profile
from sjepa_online.stream import StreamDescription

LABELS = ("C3", "aux", "", "Ch4")


@pytest.fixture
def make_table(qtbot: Any) -> Any:
    def make(labels: tuple[str, ...] = LABELS, profile: Any = None, **fields: Any) -> Any:
        stream = StreamDescription(
            fields.pop("name", "amp"), "EEG", len(labels), 250.0, "float32", "here",
            fields.pop("source_id", "7"), "u", ch_names=labels if any(labels) else (),
            units=("uV",) * len(labels),
        )  # fmt: skip
        data = np.random.default_rng(0).standard_normal((len(labels), 500))
        data[:, 100] = np.nan
        reader = SimpleNamespace(
            problems=[], start=lambda: None, stop=lambda: None, latest=lambda: data
        )
        table = ElectrodeTable(stream, profile or describe(), None, reader)
        qtbot.addWidget(table)
        return table

    return make


def ok(table: Any) -> bool:
    return bool(table.buttons.button(QDialogButtonBox.StandardButton.Ok).isEnabled())


def test_the_table_begins_with_what_the_labels_say(make_table: Any) -> None:
    table = make_table()
    assert [field.text() for field in table.electrodes] == ["C3", "", "", ""]
    assert [box.isChecked() for box in table.used] == [True, False, False, False]
    assert table.profile.channels == ("C3", "-", "-", "-")


def test_channels_are_named_and_left_out(make_table: Any) -> None:
    table = make_table(profile=describe(unit="mV", markers="channel:aux"))
    table.electrodes[3].setText("oz")
    table.used[3].setChecked(True)
    table.used[0].setChecked(False)
    assert ok(table)
    made = table.profile
    assert (made.channels, made.unit, made.markers) == (("-", "-", "-", "oz"), "mV", "channel:aux")


@pytest.mark.parametrize(("name", "told"), [("C3", "given twice: C3"), ("Q7", "'Q7'")])
def test_what_cannot_be_is_told_and_not_taken(make_table: Any, name: str, told: str) -> None:
    table = make_table()
    table.electrodes[1].setText(name)
    table.used[1].setChecked(True)
    assert told in table.told.text()
    assert not ok(table)
    table.used[1].setChecked(False)
    assert ok(table)


def test_without_labels_the_profile_that_fits_is_proposed(make_table: Any) -> None:
    table = make_table(("",) * 8, name="obci_eeg1", source_id="openbcigui")
    assert table.profiles.currentText() == "openbci-cyton"
    assert table.profile.channels == load_profile("openbci-cyton").channels


def test_the_table_is_saved_as_a_profile(
    make_table: Any, tmp_path: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sjepa_online.amplifier.library.user_folder", lambda _: tmp_path)
    table = make_table()
    table.save("my cap")
    assert load_profile("my cap").channels == ("C3", "-", "-", "-")
    table.save("../x")
    assert "letters, digits" in table.told.text()


def test_the_signal_stands_beside_its_channel(make_table: Any) -> None:
    table = make_table()
    table._show_signal()
    drawn = [trace.values for trace in table.traces]
    assert all(len(values) > 50 and np.isfinite(values).all() for values in drawn)
    assert table.traces[0].grab().toImage() != table.traces[1].grab().toImage()
