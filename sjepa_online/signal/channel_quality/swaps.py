"""Swapped channels, and channels that are unrelated to the others."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from sjepa_online.signal.channel_quality.predictability import ChannelPredictor
from sjepa_online.typing import BoolMask, Floats, Indices

#: Blocks over which the correlation is averaged, exponentially.
MEMORY = 16
#: Gain of the log-likelihood (nats a sample) from which on a swap of two channels is undone, and
#: share of unpredicted power from which on a channel does not predict the others.
UNDONE_LIKELIHOOD = 0.15
UNRELIABLE_SHARE = 0.8

#: Share of its highest correlation in calibration below which a channel resembles no other.
LONELY = 0.5

# in amplitudes of the calibration; larger signals enter with this size
_LARGEST = 3.0
_NO_AMPLITUDE = 1e-9
_LEAST_CHANNELS = 2


@dataclass(frozen=True)
class SwapFindings:
    """Swapped and unrelated channels in the last seconds.

    Attributes
    ----------
    likelihood_gain : ndarray, shape (channels,)
        Gain of the log-likelihood (nats a sample) when this channel and its partner are swapped
        back; 0 where no swap is evident.
    partner : ndarray of int, shape (channels,)
        The partner, or the channel itself.
    unexplained : ndarray, shape (channels,)
        Power that the other channels do not predict, over the channel's power: above 1 the
        prediction is worse than none. 0 for channels that are not compared.
    """

    likelihood_gain: Floats
    partner: Indices
    unexplained: Floats


class SwapDetector:
    """Average the correlation of the channels and compare it with the calibration's.

    Parameters
    ----------
    n_channels : int
        Number of channels.
    """

    def __init__(self, n_channels: int) -> None:
        self._seen = np.zeros((n_channels, n_channels))
        self._n_seen = np.zeros(n_channels, dtype=np.int64)

    @property
    def known(self) -> BoolMask:
        """Channels, shape (channels,), of which enough has been seen."""
        known: BoolMask = self._n_seen >= MEMORY
        return known

    def update(self, spectra: Floats, ordinary: BoolMask) -> None:
        """Take in a block.

        Every block has the same weight, and no channel dominates its block.

        Parameters
        ----------
        spectra : ndarray, shape (channels, values)
            Divided by the channels' amplitudes in calibration.
        ordinary : ndarray of bool, shape (channels,)
            Channels to update. The averages of the others stay, so that a fault does not
            count against its channel after its end.
        """
        size = np.sqrt(np.sum(spectra**2, axis=1))
        scaled = spectra * np.minimum(1.0, _LARGEST / np.maximum(size, _LARGEST))[:, np.newaxis]
        scaled /= np.sqrt(np.sum(scaled[ordinary] ** 2) / len(scaled)) + _NO_AMPLITUDE
        self._n_seen += ordinary
        share = ordinary / np.clip(self._n_seen, 1, MEMORY)
        self._seen += (scaled @ scaled.T - self._seen) * np.minimum.outer(share, share)

    def find(self, predictor: ChannelPredictor) -> SwapFindings:
        """Compare the channels that the predictor trusts.

        Swaps are undone one by one, the most evident first, since a wrong channel also
        makes its neighbours look wrong; rings of swapped channels come apart into pairs.
        Channels that are not predicted even then are taken out in the same way.

        Parameters
        ----------
        predictor : ChannelPredictor
            Trusts the channels to compare, all of which are known.

        Returns
        -------
        SwapFindings
        """
        n_channels = len(self._seen)
        itself = np.arange(n_channels)
        swaps = SwapFindings(np.zeros(n_channels), itself, np.zeros(n_channels))
        if predictor.trusted.sum() < _LEAST_CHANNELS:
            return swaps
        size = np.sqrt(np.maximum(np.diag(self._seen), _NO_AMPLITUDE))
        normalised = self._seen / np.outer(size, size)
        predictor = _without_loners(predictor, normalised, swaps)
        order = self._undo_swaps(predictor, swaps, normalised)
        seen = normalised[np.ix_(order, order)]
        while predictor.trusted.sum() > _LEAST_CHANNELS:
            unexplained = predictor.unexplained(seen)
            worst = int(np.argmax(unexplained))
            swaps.unexplained[worst] = unexplained[worst]
            if unexplained[worst] <= UNRELIABLE_SHARE:
                break
            predictor = predictor.without(worst)
        return swaps

    def _undo_swaps(
        self, predictor: ChannelPredictor, swaps: SwapFindings, seen: Floats
    ) -> Indices:
        """Note the evident swaps, and return the order of channels that undoes them."""
        order = np.arange(len(self._seen))
        for _ in range(int(predictor.trusted.sum()) // 2):
            gain = predictor.likelihood_gain_of_swap(seen[np.ix_(order, order)])
            one, other = np.unravel_index(int(np.argmax(gain)), gain.shape)
            if gain[one, other] <= UNDONE_LIKELIHOOD:
                break
            for channel, partner in ((one, other), (other, one)):
                swaps.likelihood_gain[channel] = gain[one, other]
                swaps.partner[channel] = partner
            order[[one, other]] = order[[other, one]]
        return order


def _without_loners(
    predictor: ChannelPredictor, seen: Floats, swaps: SwapFindings
) -> ChannelPredictor:
    """Take out channels that resemble no other: they are noise, and no swap explains them."""
    among = np.outer(predictor.trusted, predictor.trusted)
    np.fill_diagonal(among, False)
    now, usual = (
        np.where(among, np.abs(one), 0.0).max(axis=1) for one in (seen, predictor.correlation)
    )
    unexplained = predictor.unexplained(seen)
    for channel in np.flatnonzero(predictor.trusted & (now < LONELY * usual)):
        if predictor.trusted.sum() <= _LEAST_CHANNELS:
            break
        swaps.unexplained[channel] = unexplained[channel]
        predictor = predictor.without(int(channel))
    return predictor
