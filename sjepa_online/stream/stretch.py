"""A stretch of a live stream as a recording: what aligns a decoder without labels."""

from __future__ import annotations

import time
from collections.abc import Callable

import numpy as np

from sjepa_online.amplifier import AS_DECLARED, AmplifierProfile
from sjepa_online.data.recording import Recording
from sjepa_online.errors import OperationError
from sjepa_online.stream.discovery import StreamDescription
from sjepa_online.stream.events import ClockJump, Gap
from sjepa_online.stream.inlets import SignalInlet

#: Seconds of signal that align a decoder without labels.
ALIGNMENT_SECONDS = 60
#: Seconds longer than the stretch itself after which a stream that sends too little is given up.
PATIENCE = 10.0


def record_stretch(
    stream: StreamDescription,
    seconds: float,
    amplifier: AmplifierProfile = AS_DECLARED,
    progress: Callable[[], None] = lambda: None,
    meanwhile: Callable[[], None] = lambda: None,
) -> Recording:
    """Take some seconds of a stream's electrodes.

    Parameters
    ----------
    stream : StreamDescription
    seconds : float
    amplifier : AmplifierProfile
        What is known beside what the stream declares.
    progress : callable
        Called for each second that has arrived.
    meanwhile : callable
        Called a few times a second, whether anything arrives or not; an exception of it ends
        the recording.

    Returns
    -------
    Recording

    Raises
    ------
    InputError
        The stream is no EEG, or has no unit.
    OperationError
        The stream sends too little.
    """
    chunks, breaks, n_samples, told = [], [], 0, 0
    with SignalInlet(stream, amplifier=amplifier) as inlet:
        end = time.monotonic() + seconds + PATIENCE
        while n_samples < seconds * inlet.sfreq:
            if time.monotonic() > end:
                raise OperationError(
                    f"The stream {stream.name} sent {n_samples / inlet.sfreq:.0f} s of signal in "
                    f"{seconds + PATIENCE:.0f} s: check the amplifier and its connection"
                )
            meanwhile()
            chunk = inlet.pull(0.2)
            breaks += [
                (n_samples + event.index) / inlet.sfreq
                for event in chunk.events
                if isinstance(event, Gap | ClockJump) and n_samples + event.index > 0
            ]
            chunks.append(chunk.data)
            n_samples += chunk.data.shape[1]
            while told < min(int(n_samples / inlet.sfreq), int(seconds)):
                told += 1
                progress()
        return Recording(
            name=stream.name,
            data=np.concatenate(chunks, axis=1).astype(np.float32),
            unit=inlet.unit_of(),
            sfreq=inlet.sfreq,
            ch_names=inlet.ch_names,
            onsets=np.empty(0),
            labels=(),
            breaks=np.array(breaks),
            simulated=stream.simulated,
            notes=inlet.notes,
        )


def clock_shift(stream: StreamDescription, seconds: float = 2.0) -> float:
    """Return the shift of a stream's recorded timestamps to LSL's clock; 0 where they are of it.

    Parameters
    ----------
    stream : StreamDescription
    seconds : float
        How long to wait for its samples.

    Returns
    -------
    shift : float
        s, to be added.

    Raises
    ------
    OperationError
        The stream does not answer.
    """
    with SignalInlet(stream, recover=False) as inlet:
        end = time.monotonic() + seconds
        while not inlet.clock_is_compared and time.monotonic() < end:
            inlet.pull(0.1)
        return inlet.raw_clock_shift
