"""Electrodes over the sensorimotor cortex."""

from __future__ import annotations

import pytest

from sjepa_online.signal.cortex import cortex_among, is_over_cortex


@pytest.mark.parametrize("name", ["FC5", "FCz", "C3", "Cz", "CP6", "CPz", "FCC3h", "CCP1"])
def test_rows_fc_to_cp(name: str) -> None:
    assert is_over_cortex(name)


@pytest.mark.parametrize("name", ["Fp1", "F3", "Fz", "T7", "FT7", "TP8", "P3", "Pz", "Oz", "CPP1h"])
def test_other_rows(name: str) -> None:
    assert not is_over_cortex(name)


def test_three_electrodes_of_both_sides_are_the_least() -> None:
    assert cortex_among(("Fz", "C4", "Cz", "C3", "Pz")) == ("C4", "Cz", "C3")
    assert cortex_among(("C3", "C4", "Pz")) == ()
    assert cortex_among(("C3", "C1", "Cz", "FC3")) == ()
