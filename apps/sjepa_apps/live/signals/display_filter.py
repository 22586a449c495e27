"""What the eye sees of the signal: reference and causal filters for the display only."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.signal import butter, iirnotch, sosfilt, sosfilt_zi, tf2sos

from sjepa_apps.live.signals.references import Reference

Floats = NDArray[np.float64]
#: The lower and the upper edge (Hz) of a band; None for no edge.
Band = tuple[float | None, float | None]

BANDS: dict[str, Band] = {
    "0.5-40 Hz": (0.5, 40.0),
    "1-30 Hz": (1.0, 30.0),
    "above 0.5 Hz": (0.5, None),
    "raw": (None, None),
}
NOTCHES: dict[str, float | None] = {"off": None, "50 Hz": 50.0, "60 Hz": 60.0}
_ORDER = 2
_NOTCH_QUALITY = 15.0
#: Edges above this share of the rate are left out.
_TOP = 0.45


@dataclass(frozen=True)
class DisplaySettings:
    """How the signal is shown; decoding and recording are not concerned.

    Attributes
    ----------
    band : tuple of float or None
        Lower and upper edge (Hz); None for no edge.
    notch : float or None
        Frequency (Hz) that is taken out.
    reference : str
        One of :data:`~sjepa_apps.live.signals.references.REFERENCES`.
    """

    band: Band = (0.5, 40.0)
    notch: float | None = None
    reference: Reference = "as recorded"

    @property
    def keeps_level(self) -> bool:
        """Whether the offset of a channel stays in what is shown."""
        return self.band[0] is None


class DisplayFilter:
    """Reference, notch and band, which go on where the last chunk ended.

    A missing value holds the last good one within the filter, and stays missing in the output.

    Parameters
    ----------
    settings : DisplaySettings
    n_channels : int
        Channels that come in.
    sfreq : float
        Rate of the stream (Hz).
    weights : ndarray, shape (shown channels, n_channels), or None
        What the channels are multiplied by; None shows them as they are.
    """

    def __init__(
        self,
        settings: DisplaySettings,
        n_channels: int,
        sfreq: float,
        weights: Floats | None = None,
    ) -> None:
        self.weights = weights
        self._sections = _sections(settings, sfreq)
        self._state: Floats | None = None
        self._last = np.full(n_channels, np.nan)

    def update(self, data: Floats) -> Floats:
        """Filter the next samples ``(channels, n)``."""
        if data.shape[1] == 0 or (self._sections is None and self.weights is None):
            return data if self.weights is None else data[: len(self.weights)]
        missing = ~np.isfinite(data)
        filled = self._hold(data, missing) if missing.any() else data
        self._last = filled[:, -1]
        shown = filled if self.weights is None else self.weights @ filled
        if self._sections is not None:
            if self._state is None:
                # as if the first value had always been there
                self._state = sosfilt_zi(self._sections)[:, np.newaxis, :] * shown[:, :1]
            shown, self._state = sosfilt(self._sections, shown, axis=1, zi=self._state)
        if missing.any():
            shown = np.where(missing[: len(shown)], np.nan, shown)
        return np.asarray(shown)

    def _hold(self, data: Floats, missing: NDArray[np.bool_]) -> Floats:
        start = np.nan_to_num(self._last)[:, np.newaxis]
        padded = np.concatenate([start, data], axis=1)
        gone = np.concatenate([np.zeros((len(data), 1), dtype=bool), missing], axis=1)
        places = np.maximum.accumulate(np.where(gone, 0, np.arange(padded.shape[1])), axis=1)
        return np.take_along_axis(padded, places, axis=1)[:, 1:]


def _sections(settings: DisplaySettings, sfreq: float) -> Floats | None:
    """Return the second-order sections of band and notch; None for neither."""
    low, high = settings.band
    if high is not None and high >= _TOP * sfreq:
        high = None
    parts = []
    if settings.notch is not None and settings.notch < _TOP * sfreq:
        parts.append(tf2sos(*iirnotch(settings.notch, _NOTCH_QUALITY, fs=sfreq)))
    if low is not None and high is not None:
        parts.append(butter(_ORDER, (low, high), "bandpass", fs=sfreq, output="sos"))
    elif low is not None:
        parts.append(butter(_ORDER, low, "highpass", fs=sfreq, output="sos"))
    elif high is not None:
        parts.append(butter(_ORDER, high, "lowpass", fs=sfreq, output="sos"))
    return np.concatenate(parts) if parts else None
