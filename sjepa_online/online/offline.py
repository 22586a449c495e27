"""A recording through the engine, as if it were live."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from sjepa_online.data import Recording
from sjepa_online.decoding import Decoder
from sjepa_online.online.engine import STEP, Engine
from sjepa_online.online.events import EngineResult, Mode
from sjepa_online.validation import check_type


def decode_recording(
    decoder: Decoder,
    recording: Recording,
    *,
    mode: Mode = "markers",
    step: float = STEP,
    monitor: bool = True,
    bad: Sequence[str] = (),
    adapt: bool = True,
) -> list[EngineResult]:
    """Decode a recording in one piece; times are seconds after its first sample.

    Parameters
    ----------
    decoder : Decoder
    recording : Recording
        With the decoder's channels.
    mode, step, monitor, adapt
        As for :class:`Engine`.
    bad : sequence of str
        Channels to leave out, whatever is found.

    Returns
    -------
    list of Decision, SymbolDecision or EngineEvent

    Raises
    ------
    InputError
        Too many channels of the decoder are missing, or a name in ``bad`` is not among them.
    """
    check_type("decoder", decoder, Decoder, "Read it: load_decoder(path).")
    check_type("recording", recording, Recording, "Read it: load_recording(SOURCE).")
    engine = Engine(
        decoder,
        recording.ch_names,
        recording.sfreq,
        recording.unit,
        mode=mode,
        step=step,
        monitor=monitor,
        adapt=adapt,
    )
    if bad:
        engine.set_bad(bad)
    for label, onset in zip(recording.labels, recording.onsets, strict=True):
        engine.push_marker(label, float(onset))
    timestamps = np.arange(recording.data.shape[1]) / recording.sfreq
    breaks = np.searchsorted(timestamps, recording.breaks).tolist()
    return engine.push(recording.data.astype(np.float64), timestamps, breaks)
