"""The sampling rate of samples that come regularly though nothing declares it."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from sjepa_online.errors import InputError

#: Rates (Hz) of amplifiers; one that is measured counts as the next of these within 2 %.
USUAL_RATES = (
    100, 125, 128, 160, 200, 250, 256, 300, 500, 512, 600, 1000, 1024, 1200, 2000, 2048, 4096,
)  # fmt: skip
_USUAL_WITHIN = 0.02
#: Seconds of timestamps that a rate is measured from.
MEASURED_SECONDS = 4.0
_MOST_IN_A_BURST = 12


def measured_rate(times: NDArray[np.float64], name: str) -> float:
    """Return the rate of samples that come regularly.

    Parameters
    ----------
    times : ndarray, shape (n_samples,)
        Timestamps (s); samples that come in bursts are counted over whole seconds.
    name : str
        Of the stream, for messages.

    Returns
    -------
    sfreq : float
        Hz.

    Raises
    ------
    InputError
        There are too few samples, or seconds hold different numbers of them.
    """
    first, last = (float(times[0]), float(times[-1])) if len(times) > 1 else (0.0, 0.0)
    n_seconds = int(last - first)
    counts = np.histogram(times, bins=max(n_seconds, 1), range=(first, first + n_seconds))[0]
    rate = float(np.median(counts))
    within = max(0.1 * rate, min(_MOST_IN_A_BURST, 0.25 * rate))
    if n_seconds < 2 or rate < 1 or np.mean(np.abs(counts - rate) <= within) < 0.9:
        raise InputError(
            f"The stream {name} declares no sampling rate, and its samples do not come regularly",
            value=f"{counts.min()} to {counts.max()} samples in a second, over {n_seconds} s",
            remedy="Set the rate in the amplifier's LSL program.",
        )
    rate = float(counts[np.abs(counts - rate) <= within].mean())
    nearest = min(USUAL_RATES, key=lambda usual: abs(usual - rate))
    return float(nearest if abs(nearest - rate) <= _USUAL_WITHIN * nearest else round(rate, 2))
