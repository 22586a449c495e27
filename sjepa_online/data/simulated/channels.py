"""Which electrodes a simulated participant wears."""

from __future__ import annotations

import numpy as np

from sjepa_online.errors import InputError
from sjepa_online.protocol import Paradigm
from sjepa_online.signal.montage import channel_positions

MOST_CHANNELS = 128

#: The electrodes that matter to a paradigm, those that matter most first.
_FIRST = {
    "ssvep": "Oz O1 O2 POz PO7 PO8 PO3 PO4 Pz",
    "erp": "Pz Cz PO7 PO8 Oz Fz C3 C4 P3 P4",
    "mi": "C3 C4 Cz FC3 FC4 CP3 CP4 C1 C2 C5 C6",
}
_TEN_TWENTY = "Fp1 Fp2 F7 F3 Fz F4 F8 T7 C3 Cz C4 T8 P7 P3 Pz P4 P8 O1 O2"
#: The electrodes of the 10-10 system.
TEN_TEN = (
    "Fp1 Fpz Fp2 AF7 AF3 AFz AF4 AF8 F7 F5 F3 F1 Fz F2 F4 F6 F8 FT7 FC5 FC3 FC1 FCz FC2 FC4 "
    "FC6 FT8 T7 C5 C3 C1 Cz C2 C4 C6 T8 TP7 CP5 CP3 CP1 CPz CP2 CP4 CP6 TP8 P7 P5 P3 P1 Pz P2 "
    "P4 P6 P8 PO7 PO3 POz PO4 PO8 O1 Oz O2 Iz P9 P10 FT9 FT10 F9 F10 TP9 TP10 PO9 PO10 T9 T10"
)
_BETWEEN = (
    "AFF1h AFF2h AFF5h AFF6h FFC1h FFC2h FFC3h FFC4h FFC5h FFC6h FCC1h FCC2h FCC3h FCC4h "
    "FCC5h FCC6h CCP1h CCP2h CCP3h CCP4h CCP5h CCP6h CPP1h CPP2h CPP3h CPP4h CPP5h CPP6h "
    "PPO1h PPO2h PPO5h PPO6h POO1 POO2 FFT7h FFT8h FTT7h FTT8h TTP7h TTP8h TPP7h TPP8h "
    "AFp1 AFp2 AFp3h AFp4h POO3h POO4h POO9h POO10h OI1h OI2h FTT9h FTT10h"
)


def simulated_channels(paradigm: Paradigm, n_channels: int) -> tuple[str, ...]:
    """Choose electrodes for a paradigm.

    First come those that matter to it, then the rest of the 10-20 system, of the 10-10 system, and
    some between them, each as far as possible from those before.

    Parameters
    ----------
    paradigm : {"ssvep", "erp", "mi"}
    n_channels : int
        From 1 to 128.

    Returns
    -------
    ch_names : tuple of str

    Raises
    ------
    InputError
        The number is out of range.
    """
    if not 1 <= n_channels <= MOST_CHANNELS:
        raise InputError(
            f"A simulated participant cannot wear so many electrodes, only 1 to {MOST_CHANNELS}",
            value=n_channels,
            remedy="Choose a number in this range, such as 16.",
        )
    chosen = _FIRST[paradigm].split()
    for system in (_TEN_TWENTY, TEN_TEN, _BETWEEN):
        chosen += _spread_out(chosen, system.split())
    return tuple(chosen[:n_channels])


def _spread_out(chosen: list[str], candidates: list[str]) -> list[str]:
    """Order candidates so that each is as far as possible from those before it."""
    left = [name for name in candidates if name not in chosen]
    places = channel_positions(left)
    distances = np.linalg.norm(
        places[:, np.newaxis] - channel_positions(chosen)[np.newaxis], axis=-1
    ).min(axis=1)
    order = []
    for _ in left:
        farthest = int(np.argmax(distances))
        order.append(left[farthest])
        distances = np.minimum(distances, np.linalg.norm(places - places[farthest], axis=1))
        distances[farthest] = -1.0
    return order
