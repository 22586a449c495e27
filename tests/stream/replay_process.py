"""Replays, in a process of its own, a recording whose first channel counts the samples."""

from __future__ import annotations

import json
import sys
from typing import Any

import numpy as np

from sjepa_online.data.recording import Recording
from sjepa_online.stream import Replay


def counting_recording(
    n_samples: int,
    sfreq: float = 250.0,
    onsets: tuple[float, ...] = (),
    labels: tuple[str, ...] = (),
    n_channels: int = 2,
    **fields: Any,
) -> Recording:
    """Channel k holds the sample's index plus k times 100,000."""
    data = np.arange(n_samples) + 100_000 * np.arange(n_channels)[:, np.newaxis]
    return Recording(
        name="counting",
        data=data.astype(np.float32),
        unit="uV",
        sfreq=sfreq,
        ch_names=tuple(f"E{k}" for k in range(n_channels)),
        onsets=np.array(onsets, dtype=float),
        labels=labels,
        breaks=np.array(fields.pop("breaks", ()), dtype=float),
        **fields,
    )


if __name__ == "__main__":
    options = json.loads(sys.argv[1])
    recording = counting_recording(**options.pop("recording"))
    Replay([recording], **options).run()
