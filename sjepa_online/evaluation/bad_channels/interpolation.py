"""Other ways to replace bad channels, for comparison with the decoder's own."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import numpy as np

from sjepa_online.decoding import Decoder
from sjepa_online.decoding.bad_channels.interpolation import ChannelInterpolation
from sjepa_online.protocol import MODEL_SFREQ
from sjepa_online.signal import channel_positions
from sjepa_online.typing import FloatArray

Strategy = Literal["none", "zero", "spline", "dynamic"]
STRATEGIES: tuple[Strategy, ...] = ("none", "zero", "spline", "dynamic")
#: Radius of the head (m), to which spherical splines are indifferent.
HEAD_RADIUS = 0.095


class ZeroFill(ChannelInterpolation):
    """Put zeros in the place of bad channels."""

    def restore(self, X: FloatArray, bad: Sequence[str]) -> FloatArray:
        """Return a copy of ``X (n, channels, samples)`` with zeros in the bad channels.

        Parameters
        ----------
        X : ndarray, shape (n, channels, samples)
            Epochs in µV at 128 Hz.
        bad : sequence of str
            Bad channels.

        Returns
        -------
        ndarray, shape of ``X``
        """
        filled = X.copy()
        filled[:, np.isin(self.ch_names, list(bad))] = 0.0
        return filled


class SplineInterpolation(ChannelInterpolation):
    """Interpolate bad channels with spherical splines (Perrin et al. 1989), as MNE does."""

    def restore(self, X: FloatArray, bad: Sequence[str]) -> FloatArray:
        """Return a copy of ``X (n, channels, samples)`` with interpolated bad channels.

        Parameters
        ----------
        X : ndarray, shape (n, channels, samples)
            Epochs in µV at 128 Hz.
        bad : sequence of str
            Bad channels.

        Returns
        -------
        ndarray, shape of ``X``
        """
        import mne

        info = mne.create_info(list(self.ch_names), MODEL_SFREQ, "eeg")
        positions = HEAD_RADIUS * channel_positions(self.ch_names)
        info.set_montage(
            mne.channels.make_dig_montage(
                dict(zip(self.ch_names, positions, strict=True)), coord_frame="head"
            )
        )
        epochs = mne.EpochsArray(X, info, verbose="error")
        epochs.info["bads"] = list(bad)
        epochs.interpolate_bads(origin=(0.0, 0.0, 0.0), verbose="error")
        restored: FloatArray = epochs.get_data(copy=True)
        return restored


class RestoringDecoder(Decoder):
    """A decoder whose classifier reads estimates of bad channels as if they had been recorded."""

    def predict_proba(self, X: FloatArray, bad: Sequence[str] | None = None) -> FloatArray:
        """Return class probabilities.

        Parameters
        ----------
        X : ndarray, shape (n, channels, samples)
            Epochs in µV at 128 Hz.
        bad : sequence of str
            Bad channels.

        Returns
        -------
        probabilities : ndarray, shape (n, classes)
            Those of :meth:`Decoder.predict_proba` on the restored epochs.
        """
        if not bad:
            return super().predict_proba(X)
        return super().predict_proba(self.interpolation.restore(X, self.check_channels(bad)))


#: What puts something in the place of bad channels, for the strategies that do only that.
FILLINGS: dict[Strategy, type[ChannelInterpolation]] = {
    "zero": ZeroFill,
    "spline": SplineInterpolation,
}


def with_strategy(decoder: Decoder, strategy: Strategy) -> Decoder:
    """Return a decoder that treats bad channels by a strategy, and is else the same.

    Parameters
    ----------
    decoder : Decoder
    strategy : {"none", "zero", "spline", "dynamic"}

    Returns
    -------
    Decoder
    """
    if strategy not in FILLINGS:
        return decoder
    return RestoringDecoder(
        decoder.name,
        decoder.classifier,
        decoder.protocol,
        decoder.ch_names,
        decoder.preprocessing,
        FILLINGS[strategy](decoder.ch_names, decoder.interpolation.kernel),
        decoder.baseline,
        decoder.calibration,
    )
