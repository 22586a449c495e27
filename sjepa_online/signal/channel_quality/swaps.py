"""Does each channel still behave like itself: exchanged channels, and unrelated ones."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from sjepa_online.signal.channel_quality.predictability import Array, CrossPrediction

#: Quarters of a second over which the correlation is averaged, exponentially.
MEMORY = 16
#: Gain of the likelihood (nats a sample) from which on an exchange of two channels is undone,
#: and share of unexplained power from which on a channel does not predict the others.
UNDONE_GAIN = 0.15
UNRELIABLE_SHARE = 0.8

#: Share of its highest correlation in calibration below which a channel resembles no other.
LONELY = 0.5

# in amplitudes of the calibration; larger signals enter with this size
_LARGEST = 3.0
_NO_AMPLITUDE = 1e-9
_LEAST_CHANNELS = 2


@dataclass(frozen=True)
class Likeness:
    """What the last seconds say of each channel.

    Attributes
    ----------
    gain : ndarray, shape (channels,)
        By how many nats a sample the signal is likelier with this channel and its partner
        exchanged; 0 where no exchange is evident.
    partner : ndarray of int, shape (channels,)
        The partner, or the channel itself.
    unexplained : ndarray, shape (channels,)
        Power of what the other channels do not predict, over the channel's power: above 1 the
        prediction is worse than none. 0 for channels that are not compared.
    """

    gain: Array
    partner: NDArray[np.intp]
    unexplained: Array


class LikenessWatch:
    """Average the correlation of the channels and hold it against the calibration's.

    Parameters
    ----------
    n_channels : int
        Number of channels.
    """

    def __init__(self, n_channels: int) -> None:
        self._seen = np.zeros((n_channels, n_channels))
        self._n_seen = np.zeros(n_channels, dtype=np.int64)

    @property
    def known(self) -> NDArray[np.bool_]:
        """Channels, shape (channels,), of which enough has been seen."""
        known: NDArray[np.bool_] = self._n_seen >= MEMORY
        return known

    def update(self, spectra: Array, ordinary: NDArray[np.bool_]) -> None:
        """Take in a quarter of a second.

        Every quarter counts alike, and within it no channel much more than another.

        Parameters
        ----------
        spectra : ndarray, shape (channels, values)
            Divided by the channels' amplitudes in calibration.
        ordinary : ndarray of bool, shape (channels,)
            Channels to update; what is known of the others stays, so that a fault is not
            held against a channel when it is over.
        """
        size = np.sqrt(np.sum(spectra**2, axis=1))
        scaled = spectra * np.minimum(1.0, _LARGEST / np.maximum(size, _LARGEST))[:, np.newaxis]
        scaled /= np.sqrt(np.sum(scaled[ordinary] ** 2) / len(scaled)) + _NO_AMPLITUDE
        self._n_seen += ordinary
        share = ordinary / np.clip(self._n_seen, 1, MEMORY)
        self._seen += (scaled @ scaled.T - self._seen) * np.minimum.outer(share, share)

    def judge(self, prediction: CrossPrediction) -> Likeness:
        """Compare the channels that the prediction trusts.

        Exchanges are undone one by one, the most evident first, since a wrong channel also
        makes its neighbours look wrong; rings of exchanged channels come apart into pairs.
        Channels that even so are not predicted at all are taken out in the same way.

        Parameters
        ----------
        prediction : CrossPrediction
            Trusts the channels to compare, all of which are known.
        """
        n_channels = len(self._seen)
        itself = np.arange(n_channels)
        likeness = Likeness(np.zeros(n_channels), itself, np.zeros(n_channels))
        if prediction.trusted.sum() < _LEAST_CHANNELS:
            return likeness
        size = np.sqrt(np.maximum(np.diag(self._seen), _NO_AMPLITUDE))
        normalised = self._seen / np.outer(size, size)
        prediction = _without_loners(prediction, normalised, likeness)
        order = self._undo_exchanges(prediction, likeness, normalised)
        seen = normalised[np.ix_(order, order)]
        while prediction.trusted.sum() > _LEAST_CHANNELS:
            unexplained = prediction.unexplained(seen)
            worst = int(np.argmax(unexplained))
            likeness.unexplained[worst] = unexplained[worst]
            if unexplained[worst] <= UNRELIABLE_SHARE:
                break
            prediction = prediction.without(worst)
        return likeness

    def _undo_exchanges(
        self, prediction: CrossPrediction, likeness: Likeness, seen: Array
    ) -> NDArray[np.intp]:
        """Note the evident exchanges, and return the order of channels that undoes them."""
        order = np.arange(len(self._seen))
        for _ in range(int(prediction.trusted.sum()) // 2):
            gain = prediction.gain_of_exchange(seen[np.ix_(order, order)])
            one, other = np.unravel_index(int(np.argmax(gain)), gain.shape)
            if gain[one, other] <= UNDONE_GAIN:
                break
            for channel, partner in ((one, other), (other, one)):
                likeness.gain[channel] = gain[one, other]
                likeness.partner[channel] = partner
            order[[one, other]] = order[[other, one]]
        return order


def _without_loners(
    prediction: CrossPrediction, seen: Array, likeness: Likeness
) -> CrossPrediction:
    """Take out channels that resemble no other, as noise does: no exchange explains them."""
    among = np.outer(prediction.trusted, prediction.trusted)
    np.fill_diagonal(among, False)
    now, usual = (
        np.where(among, np.abs(one), 0.0).max(axis=1) for one in (seen, prediction.correlation)
    )
    unexplained = prediction.unexplained(seen)
    for channel in np.flatnonzero(prediction.trusted & (now < LONELY * usual)):
        if prediction.trusted.sum() <= _LEAST_CHANNELS:
            break
        likeness.unexplained[channel] = unexplained[channel]
        prediction = prediction.without(int(channel))
    return prediction
