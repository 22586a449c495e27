from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from sjepa_online.data import Recording
from sjepa_online.decoding import DecoderRequest
from sjepa_online.evaluation.report import ReportContent, collect
from sjepa_online.protocol import Protocol
from sjepa_online.signal import PreprocessorConfig
from sjepa_online.training import calibrate

#: As many electrodes as are asked for, those of every lab first.
# fmt: off
ELECTRODES = (
    "C3", "C4", "Cz", "Pz", "Oz", "Fz", "O1", "O2", "PO7", "PO8", "P3", "P4", "F3", "F4", "T7",
    "T8", "FC1", "FC2", "CP1", "CP2",
)
# fmt: on
TRIAL_SECONDS = 2.0
CLASSES = {
    "mi": ({"name": "left_hand"}, {"name": "right_hand"}),
    "erp": ({"name": "Target"}, {"name": "NonTarget"}),
    "ssvep": ({"name": "9", "frequency": 9.0}, {"name": "13", "frequency": 13.0}, {"name": "rest"}),
}


@pytest.fixture
def protocol_of() -> Callable[[str], Protocol]:
    """Make a protocol of a paradigm, with a short window."""

    def make(paradigm: str) -> Protocol:
        return Protocol.model_validate(
            {
                "name": paradigm,
                "paradigm": paradigm,
                "electrodes": "all",
                "window": {"start": 0.25, "length": 1.5},
                "classes": CLASSES[paradigm],
            }
        )

    return make


@pytest.fixture
def scalp_recording() -> Callable[..., Recording]:
    """Make a recording of many electrodes whose classes differ as the paradigm's do.

    ``strength`` (µV) is the amplitude of what differs: an evoked response at the first electrode,
    a rhythm at the first or the second, or a flicker at the fifth.
    """

    def make(
        paradigm: str,
        n_channels: int = 8,
        strength: float = 30.0,
        n_trials: int = 36,
        seed: int = 0,
    ) -> Recording:
        rng = np.random.default_rng(seed)
        sfreq = 200.0
        names = [spec["name"] for spec in CLASSES[paradigm]]
        # of every three flashes, one is a target
        order = [0, 1, 1] if paradigm == "erp" else range(len(names))
        labels = [names[order[index % len(order)]] for index in range(n_trials)]
        onsets = 1.0 + TRIAL_SECONDS * np.arange(n_trials)
        n_samples = round((onsets[-1] + TRIAL_SECONDS + 1) * sfreq)
        data = 10 * rng.standard_normal((n_channels, n_samples))
        seconds = np.arange(round(TRIAL_SECONDS * sfreq)) / sfreq
        for onset, label in zip(onsets, labels, strict=True):
            first, phase = round(onset * sfreq), rng.uniform(0, 2 * np.pi)
            piece = data[:, first : first + len(seconds)]
            if paradigm == "mi":
                rhythm = np.cos(2 * np.pi * 11 * seconds + phase)
                piece[names.index(label)] += strength * rhythm
            elif paradigm == "erp" and label == "Target":
                piece[0] += strength * np.exp(-(((seconds - 0.6) / 0.06) ** 2))
            elif paradigm == "ssvep" and label != "rest":
                flicker = np.cos(2 * np.pi * float(label) * seconds + phase)
                piece[min(4, n_channels - 1)] += strength * flicker
        return Recording(
            name="made", data=data.astype(np.float32), unit="uV", sfreq=sfreq,
            ch_names=ELECTRODES[:n_channels], onsets=onsets, labels=tuple(labels),
            breaks=np.empty(0), simulated=True,
        )  # fmt: skip

    return make


@pytest.fixture
def content_of(protocol_of) -> Callable[..., ReportContent]:
    """Calibrate the quick decoder on a recording, and collect what its report shows."""

    def make(paradigm: str, recording: Recording) -> ReportContent:
        calibration = calibrate(
            [recording], protocol_of(paradigm), PreprocessorConfig(), DecoderRequest("riemann")
        )
        return collect(calibration, [recording])

    return make
