"""The networks of a population, aligned to one person."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from sjepa_online.decoding.transfer.imagery.completion import Estimate
from sjepa_online.decoding.transfer.imagery.power_network import PowerNetwork
from sjepa_online.decoding.transfer.imagery.rhythm_covariances import upper_triangles
from sjepa_online.decoding.transfer.imagery.rhythm_trials import RhythmTrials
from sjepa_online.decoding.transfer.imagery.spatiotemporal_network import SpatioTemporalNetwork

Floats = NDArray[np.float64]
Floats32 = NDArray[np.float32]


class AlignedNetworks:
    """Read trials of one person; the features of all networks times their weights decide.

    Electrodes that the person lacks are linear in the others, so that filters on the electrodes
    that are there replace them: a decision costs the same whatever is missing.

    Parameters
    ----------
    network : PowerNetwork
    spatiotemporal : SpatioTemporalNetwork or None
    whitening : ndarray, shape (channels, channels)
        The person's alignment.
    mirror : ndarray of int, shape (channels,)
        Each channel's counterpart on the other side.
    estimate : Estimate or None
        How all channels follow from those that are there; None: all are.
    """

    def __init__(
        self,
        network: PowerNetwork,
        spatiotemporal: SpatioTemporalNetwork | None,
        whitening: Floats,
        mirror: NDArray[np.intp],
        estimate: Estimate | None = None,
    ) -> None:
        self._network, self._spatiotemporal, self._estimate = network, spatiotemporal, estimate
        own = whitening if estimate is None else whitening @ estimate.to_all
        self._quadratic = network.quadratic(own, mirror)
        self._rest_power: Floats32 | None = None
        if estimate is not None and estimate.rest is not None:
            whole = network.quadratic(whitening, mirror)
            self._rest_power = upper_triangles(estimate.rest.astype(np.float32)) @ whole
        if spatiotemporal is not None:
            self._filters = spatiotemporal.aligned(own, mirror)

    def features(self, trials: RhythmTrials) -> Floats32:
        """Return the features of trials, those of the power network first.

        Parameters
        ----------
        trials : RhythmTrials
            On the electrodes that are there.

        Returns
        -------
        ndarray, shape (n, features)
            Their sum after multiplication with the networks' flat weights decides.
        """
        features = self._network.features(
            trials.covariances, self._quadratic, self._power_of_rest(trials)
        )
        if self._spatiotemporal is None:
            return features
        others = self._spatiotemporal.features(trials.signals, self._filters)
        return np.concatenate([features, others], axis=1)

    def _power_of_rest(self, trials: RhythmTrials) -> Floats32 | None:
        """Return the power of what cannot be estimated ``(n, kernels, virtual)``."""
        if self._rest_power is None or self._estimate is None:
            return None
        amount = self._estimate.amount_of_rest(trials.covariances)
        return amount[:, np.newaxis, np.newaxis] * self._rest_power
