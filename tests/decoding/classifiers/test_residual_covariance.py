"""What no good channel can tell of the bad ones is put back into second-order features."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from numpy.typing import NDArray

from sjepa_online.decoding.classifiers.readouts.base import Readout
from sjepa_online.decoding.classifiers.readouts.power import BandPower, StimulusPower
from sjepa_online.decoding.classifiers.readouts.responses import TemplateCovariance
from sjepa_online.decoding.classifiers.riemann import RiemannClassifier
from sjepa_online.decoding.features.tangent_space import TangentSpace

Floats = NDArray[np.float64]
KERNELS = np.stack([np.hanning(32), np.cos(2 * np.pi * 10 / 128 * np.arange(32))])
READOUTS: dict[str, Callable[[], Readout]] = {
    "template-covariance": lambda: TemplateCovariance(KERNELS),
    "band-power": lambda: BandPower(KERNELS),
    "stimulus-power": lambda: StimulusPower(KERNELS, (9.0, 13.0)),
    "riemann of erp": lambda: RiemannClassifier("erp", (), "ab").readout_,
    "riemann of mi": lambda: RiemannClassifier("mi", (), "ab").readout_,
    "riemann of ssvep": lambda: RiemannClassifier("ssvep", (9.0, 13.0), "ab").readout_,
}


class _Recorder(TangentSpace):
    """Keeps the covariances that it maps."""

    def transform(self, covariances: Floats) -> Floats:
        self.seen = covariances.copy()
        return super().transform(covariances)


@pytest.mark.parametrize("name", READOUTS)
def test_while_channels_are_bad_the_power_of_virtual_channels_stays(name: str) -> None:
    """Channels that know nothing of each other (simulated): the estimate of a bad one is zero."""
    rng = np.random.default_rng(0)
    X = 10 * rng.standard_normal((60, 4, 192))
    readout = READOUTS[name]()
    readout.fit(readout.features(X), np.arange(60) % 2, 2)
    recorder = _Recorder(readout.tangent.references)  # type: ignore[attr-defined]
    readout.tangent = recorder  # type: ignore[attr-defined]
    n_virtual = len(readout.filter.spatial)
    powers = []
    for bad in (None, np.array([True, False, False, True])):
        readout.log_proba_of(X, bad)
        virtual = recorder.seen[..., -n_virtual:, -n_virtual:]
        powers.append(np.trace(virtual.mean(axis=0), axis1=-2, axis2=-1))
    np.testing.assert_allclose(powers[1], powers[0], rtol=0.05)
