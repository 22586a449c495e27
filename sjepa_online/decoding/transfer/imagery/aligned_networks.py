"""The networks of a population, aligned to one person."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from sjepa_online.decoding.transfer.imagery.power_network import PowerNetwork
from sjepa_online.decoding.transfer.imagery.rhythm_trials import RhythmTrials
from sjepa_online.decoding.transfer.imagery.spatiotemporal_network import SpatioTemporalNetwork

Floats = NDArray[np.float64]
Floats32 = NDArray[np.float32]


class AlignedNetworks:
    """Read trials of one person; the features of all networks times their weights decide.

    Parameters
    ----------
    network : PowerNetwork
    spatiotemporal : SpatioTemporalNetwork or None
    whitening : ndarray, shape (channels, channels)
        The person's alignment.
    mirror : ndarray of int, shape (channels,)
        Each channel's counterpart on the other side.
    """

    def __init__(
        self,
        network: PowerNetwork,
        spatiotemporal: SpatioTemporalNetwork | None,
        whitening: Floats,
        mirror: NDArray[np.intp],
    ) -> None:
        self._network, self._spatiotemporal = network, spatiotemporal
        self._quadratic = network.quadratic(whitening, mirror)
        if spatiotemporal is not None:
            self._filters = spatiotemporal.aligned(whitening, mirror)

    def features(self, trials: RhythmTrials) -> Floats32:
        """Return the features of trials, those of the power network first.

        Parameters
        ----------
        trials : RhythmTrials

        Returns
        -------
        ndarray, shape (n, features)
            Their sum after multiplication with the networks' flat weights decides.
        """
        features = self._network.features(trials.covariances, self._quadratic)
        if self._spatiotemporal is None:
            return features
        others = self._spatiotemporal.features(trials.signals, self._filters)
        return np.concatenate([features, others], axis=1)
