"""A recording through the engine, as if it were live."""

from __future__ import annotations

import numpy as np

from sjepa_online.data import Recording
from sjepa_online.decoding import Decoder
from sjepa_online.online.engine import STEP, Engine, Mode, Result


def decode_recording(
    decoder: Decoder, recording: Recording, *, mode: Mode = "markers", step: float = STEP
) -> list[Result]:
    """Decode a recording in one piece; times are seconds after its first sample.

    Parameters
    ----------
    decoder : Decoder
    recording : Recording
        With the decoder's channels.
    mode, step
        As for :class:`Engine`.

    Raises
    ------
    InputError
        Too many channels of the decoder are missing.
    """
    engine = Engine(
        decoder, recording.ch_names, recording.sfreq, recording.unit, mode=mode, step=step
    )
    for label, onset in zip(recording.labels, recording.onsets, strict=True):
        engine.push_marker(label, float(onset))
    timestamps = np.arange(recording.data.shape[1]) / recording.sfreq
    breaks = np.searchsorted(timestamps, recording.breaks).tolist()
    return engine.push(recording.data.astype(np.float64), timestamps, breaks)
