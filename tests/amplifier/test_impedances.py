"""Impedances among the channels of a stream."""

from __future__ import annotations

import numpy as np
import pytest

from sjepa_online.amplifier import Declaration, ImpedanceReader


@pytest.fixture
def reader() -> ImpedanceReader:
    return ImpedanceReader(
        Declaration.of(
            "amplifier",
            6,
            ["Oz", "Imp Oz", "Z_O1", "O2", "Cz", "ground"],
            ["uV", "kohm", "ohm", "", "uV", "kOhm"],
            ["EEG", "Impedance", "impedance", "imp", "EEG", "impedance"],
        )
    )


def test_the_newest_impedance_of_each_electrode_in_kiloohms(reader: ImpedanceReader) -> None:
    samples = np.array([[1.0, 99.0, 9900.0, 100.0, 1.0, 1.0], [1.0, 12.0, 4500.0, 800.0, 1.0, 3.0]])
    assert reader.read(samples) == pytest.approx({"Oz": 12.0, "O1": 4.5, "O2": 0.8, "ground": 3.0})


@pytest.mark.parametrize("value", [-1.0, np.nan, np.inf])
def test_what_was_not_measured_is_left_out(reader: ImpedanceReader, value: float) -> None:
    samples = np.array([[1.0, value, 4500.0, 800.0, 1.0, 3.0]])
    assert set(reader.read(samples)) == {"O1", "O2", "ground"}


def test_nothing_has_come_yet(reader: ImpedanceReader) -> None:
    assert reader.read(np.empty((0, 6))) == {}
