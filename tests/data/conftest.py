"""Small simulated recordings."""

from __future__ import annotations

from collections.abc import Callable

import mne
import numpy as np
import pytest

from sjepa_online.data.recording import Recording

CH_NAMES = ("Oz", "O1", "O2")
SFREQ = 256.0
ONSETS = (1.5, 8.25, 15.0)
LABELS = ("13", "rest", "21")


def _noise() -> np.ndarray:
    """22 s of white noise of 20 µV, with another offset in each channel."""
    noise = 20.0 * np.random.default_rng(7).standard_normal((3, 22 * 256))
    return noise + 30.0 * np.arange(3)[:, np.newaxis]


@pytest.fixture
def recording() -> Recording:
    return Recording(
        name="simulated",
        data=_noise().astype(np.float32),
        unit="uV",
        sfreq=SFREQ,
        ch_names=CH_NAMES,
        onsets=np.array(ONSETS),
        labels=LABELS,
        breaks=np.empty(0),
        simulated=True,
    )


@pytest.fixture
def make_raw() -> Callable[..., mne.io.RawArray]:
    """The same recording as MNE has it, in volts."""

    def make(
        ch_names: tuple[str, ...] = CH_NAMES, first_samp: int = 0, annotate: bool = True
    ) -> mne.io.RawArray:
        info = mne.create_info(list(ch_names), SFREQ, "eeg")
        raw = mne.io.RawArray(_noise() * 1e-6, info, first_samp=first_samp, verbose="error")
        if annotate:
            raw.set_annotations(mne.Annotations(ONSETS, [5.0] * 3, LABELS))
        return raw

    return make
