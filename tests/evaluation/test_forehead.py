"""What the forehead explains, on simulated signals."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from sjepa_online.decoding.classifiers.riemann import RiemannClassifier
from sjepa_online.evaluation.forehead import ForeheadCheck, check_forehead, forehead_electrodes
from sjepa_online.protocol import load_protocol
from sjepa_online.training.cross_validation import DECISION, cross_validate

CH_NAMES = ("Fp1", "Fp2", "C3", "Cz", "C4")
PROTOCOL = load_protocol("mi")


def _make(ch_names: Sequence[str]) -> RiemannClassifier:
    del ch_names
    return RiemannClassifier(PROTOCOL.paradigm, PROTOCOL.frequencies, PROTOCOL.class_names)


def _check(source: str) -> ForeheadCheck | None:
    """Simulate trials in which one electrode is stronger for one class, and check them."""
    rng = np.random.default_rng(0)
    X = rng.normal(scale=10, size=(60, 5, 536))
    y: NDArray[np.str_] = np.array(PROTOCOL.class_names)[np.arange(60) % 2]
    X[y == "left_hand", CH_NAMES.index(source)] *= 1.3
    features = _make(CH_NAMES).features(X)
    decoded = cross_validate(_make(CH_NAMES), features, y)[DECISION]
    return check_forehead(X, y, CH_NAMES, PROTOCOL, decoded, _make)


def test_what_the_eyes_show_is_told() -> None:
    check = _check("Fp1")
    assert check is not None
    assert check.explains
    assert "eye movements may explain" in str(check)


def test_what_the_cortex_shows_is_not_explained() -> None:
    check = _check("C3")
    assert check is not None
    assert check.decoder.above_chance
    assert not check.explains
    assert "eye" not in str(check)


def test_a_montage_without_electrodes_near_the_eyes_has_no_forehead() -> None:
    assert forehead_electrodes(("Fz", "C3", "C4")) == ()
    assert forehead_electrodes(("F8", "Fz", "C3")) == ("F8", "Fz")
