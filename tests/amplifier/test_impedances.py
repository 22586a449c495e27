"""Impedances among the channels of a stream."""

from __future__ import annotations

import numpy as np
import pytest

from sjepa_online.amplifier import Declaration, ImpedanceReader, pick_channels


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


def _one(unit: str, label: str = "Imp Oz", value: float = 2.0) -> dict[str, float]:
    declaration = Declaration.of("amplifier", 1, [label], [unit], ["impedance"])
    return ImpedanceReader(declaration).read(np.array([[value]]))


@pytest.mark.parametrize(
    ("units", "kiloohms"),
    [
        (("kOhm", " kohm", "KOHM", "kΩ", "k\N{OHM SIGN}", "kilo-ohms", "kilohm", "k", "3"), 2.0),
        (("MOhm", "MΩ", "megaohms", "megohm", "Mega Ohm", "6"), 2000.0),
        (("", "Ohm", "ohms", "Ω", "0"), 0.002),
    ],
)
def test_units_of_resistance(units: tuple[str, ...], kiloohms: float) -> None:
    for unit in units:
        assert _one(unit) == pytest.approx({"Oz": kiloohms}), unit


@pytest.mark.parametrize("unit", ["mohm", "uV", "%", "-6", "kHz"])
def test_another_unit_than_of_resistance_is_not_told(unit: str) -> None:
    assert _one(unit) == {}


@pytest.mark.parametrize("label", ["Oz", "OZ", "Imp Oz", "imp-Oz", "Z: Oz", "zOz", "Impedance_Oz"])
def test_labels_of_an_electrode(label: str) -> None:
    assert _one("k", label) == {"Oz": 2.0}


def test_a_channel_without_a_label_tells_nothing() -> None:
    assert _one("k", "") == {}


def test_of_several_impedances_of_an_electrode_the_highest_is_told() -> None:
    labels = ["Imp Oz", "Oz", "Z Oz"]
    reader = ImpedanceReader(Declaration.of("amplifier", 3, labels, ["k"] * 3, ["imp"] * 3))
    assert reader.read(np.array([[5.0, 80.0, -1.0]])) == {"Oz": 80.0}
    assert reader.read(np.array([[5.0, 0.0, -1.0]])) == {"Oz": 5.0}
    assert reader.read(np.array([[0.0, np.nan, -1.0]])) == {"Oz": 0.0}


def test_impedances_labelled_as_the_electrodes_are_no_further_electrodes() -> None:
    types = ["", "", "impedance", "imp"]
    declaration = Declaration.of("amplifier", 4, ["Oz", "O1"] * 2, ["uV", "uV", "k", "k"], types)
    picked = pick_channels(declaration)
    assert picked.rows.tolist() == [0, 1]
