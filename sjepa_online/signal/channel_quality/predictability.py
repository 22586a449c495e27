"""Predictability: predict each channel from the others and compare it with its prediction."""

from __future__ import annotations

from typing import Self

import numpy as np

from sjepa_online.typing import BoolMask, Floats

#: λ of the regression, in units of the channels' variance.
_REGULARISATION = 0.01
_NO_POWER = 1e-12
#: Largest share of a channel's power that others may leave unexplained in calibration for it to
#: be compared with its prediction.
_PREDICTABLE = 0.6


class ChannelPredictor:
    """Regularised linear prediction of every channel from the trusted ones.

    With R the correlation of the calibration and P = (R + λI)^-1 over the trusted channels,
    the residual of a trusted channel given all other trusted ones is (P x)_i / P_ii, of
    variance 1 / P_ii, so that no regression is computed channel by channel. A channel i that
    is not trusted is predicted by R_iG P x, with the variance 1 + λ - R_iG P R_Gi.

    Parameters
    ----------
    correlation : ndarray, shape (channels, channels)
        Correlation of the channels in calibration.
    precision : ndarray, shape (channels, channels)
        P, with zeros in the rows and columns of channels that are not trusted.
    trusted : ndarray of bool, shape (channels,)
        Channels that predict.

    Attributes
    ----------
    correlation, trusted
        As given.
    log_expected : ndarray, shape (channels,)
        Log of the standard deviation of each residual that follows from the correlation.
    """

    def __init__(self, correlation: Floats, precision: Floats, trusted: BoolMask) -> None:
        self.correlation = correlation
        self._precision = precision
        self.trusted = trusted
        others = ~trusted
        diagonal = np.where(trusted, np.diag(precision), 1.0)
        self._residual = precision / diagonal[:, np.newaxis]
        to_others = correlation[others] @ precision
        self._residual[others] = np.eye(len(trusted))[others] - to_others
        expected = 1 / diagonal
        expected[others] = 1 + _REGULARISATION - np.sum(to_others * correlation[others], axis=1)
        self.log_expected: Floats = 0.5 * np.log(expected)

    @property
    def predictable(self) -> BoolMask:
        """Channels, shape (channels,), that the others predict well enough for a comparison."""
        predictable: BoolMask = self.log_expected <= 0.5 * np.log(_PREDICTABLE)
        return predictable

    @classmethod
    def fit(cls, correlation: Floats, trusted: BoolMask) -> Self:
        """Invert the correlation of the trusted channels.

        Parameters
        ----------
        correlation : ndarray, shape (channels, channels)
            Correlation in calibration.
        trusted : ndarray of bool, shape (channels,)
            Channels that predict.
        """
        precision = np.zeros_like(correlation)
        among = np.ix_(trusted, trusted)
        ridge = _REGULARISATION * np.eye(int(trusted.sum()))
        precision[among] = np.linalg.inv(correlation[among] + ridge)
        return cls(correlation, precision, trusted.copy())

    def without(self, channel: int) -> ChannelPredictor:
        """Return the predictor that does not use one of the trusted channels.

        Parameters
        ----------
        channel : int
            Index of the channel.

        Returns
        -------
        ChannelPredictor
        """
        trusted = self.trusted.copy()
        trusted[channel] = False
        row = self._precision[channel]
        # the inverse of a matrix without one of its rows and columns
        precision = self._precision - np.outer(row, row) / row[channel]
        precision[channel] = precision[:, channel] = 0.0
        return ChannelPredictor(self.correlation, precision, trusted)

    def disagreement(self, spectra: Floats) -> Floats:
        """Return the log of each channel's residual over its expected size.

        Parameters
        ----------
        spectra : ndarray, shape (..., channels, values)
            Divided by the channels' amplitudes in calibration; squares sum up to the power.

        Returns
        -------
        ndarray, shape (..., channels)
            0 where a channel is as predictable as in calibration.
        """
        power = np.sum((self._residual @ spectra) ** 2, axis=-1)
        result: Floats = 0.5 * np.log(np.maximum(power, _NO_POWER)) - self.log_expected
        return result

    def regression(self, spectra: Floats) -> tuple[Floats, Floats]:
        """Regress each channel on its prediction.

        Parameters
        ----------
        spectra : ndarray, shape (channels, values)
            Divided by the channels' amplitudes in calibration.

        Returns
        -------
        slope, correlation : ndarray, shape (channels,)
            Slope of the regression, near 1 for a channel as in calibration, and the
            correlation with the prediction; 0 without a prediction.
        """
        predicted = spectra - self._residual @ spectra
        shared = np.sum(spectra * predicted, axis=1)
        power, own = np.sum(predicted**2, axis=1), np.sum(spectra**2, axis=1)
        slope: Floats = shared / np.maximum(power, _NO_POWER)
        correlation: Floats = shared / np.sqrt(np.maximum(power * own, _NO_POWER))
        return slope, correlation

    def unexplained(self, correlation: Floats) -> Floats:
        """Return the power of each trusted channel's residual over the power of the channel.

        Parameters
        ----------
        correlation : ndarray, shape (channels, channels)
            Correlation of the present signal, in the units of the calibration's correlation.

        Returns
        -------
        ndarray, shape (channels,)
            1 where the prediction is as good as none; 0 for channels that are not trusted, or
            that even in calibration the others hardly predict.
        """
        residual = np.sum((self._residual @ correlation) * self._residual, axis=1)
        power = np.maximum(np.diag(correlation), _NO_POWER)
        return np.where(self.trusted & self.predictable, residual / power, 0.0)

    def likelihood_gain_of_swap(self, correlation: Floats) -> Floats:
        """Return how much likelier the signal is if two trusted channels are swapped.

        The Gaussian log-likelihood of the observed correlation S under the calibration is
        -tr(P S) / 2; this is its change when rows and columns i and j of S change places, for
        all pairs from the one product P S.

        Parameters
        ----------
        correlation : ndarray, shape (channels, channels)
            S: the correlation of the present signal, in the units of the calibration's.

        Returns
        -------
        ndarray, shape (channels, channels)
            Nats a sample, above 0 where the swapped channels are likelier; -inf on the diagonal
            and for channels that are not trusted.
        """
        P, S = self._precision, correlation
        p, s = np.diag(P), np.diag(S)
        product = P @ S
        own = np.diag(product)
        exchanged = product + product.T - np.add.outer(own, own)
        # the sums above run over all channels; those with i and j themselves differ
        within_i = np.outer(p, np.ones_like(s)) * S + P * s[:, np.newaxis] - P * S
        within_i -= (p * s)[:, np.newaxis]
        crossed = np.subtract.outer(p, p) * np.subtract.outer(s, s)
        gain = -(exchanged - within_i - within_i.T) + crossed / 2
        gain[~np.outer(self.trusted, self.trusted)] = -np.inf
        np.fill_diagonal(gain, -np.inf)
        result: Floats = gain
        return result
