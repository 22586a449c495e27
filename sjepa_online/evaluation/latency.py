"""How late decisions are, through real LSL: a simulated amplifier in a process of its own."""

from __future__ import annotations

import multiprocessing
import os
import signal
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import psutil
from numpy.typing import NDArray

from sjepa_online.data import Recording
from sjepa_online.decoding import (
    CalibrationSummary,
    Decoder,
    DecoderRequest,
)
from sjepa_online.decoding.bad_channels.interpolation import ChannelInterpolation
from sjepa_online.errors import InputError, OperationError
from sjepa_online.model import PRETRAINING_CHANNELS
from sjepa_online.online.events import LiveDecision
from sjepa_online.online.live import LiveDecoder, use_one_thread
from sjepa_online.parent import end_with_parent
from sjepa_online.protocol import Protocol
from sjepa_online.signal import PreprocessorConfig
from sjepa_online.signal.channel_quality.baseline import Baseline
from sjepa_online.signal.montage import electrode_names
from sjepa_online.stream import Replay, configure

STREAM = "sjepa-online-latency"
#: Decisions in the first seconds meet cold caches and an unfilled window.
WARM_UP_SECONDS = 2.0
#: As many channels as large amplifiers have.
MOST_CHANNELS = 128
N_TRIALS = 40
#: Seconds of simulated noise, which the amplifier sends again and again.
NOISE_SECONDS = 30.0


@dataclass(frozen=True, slots=True)
class TimedDecision:
    """When a decision was due (s, LSL clock), and how late it was (s), see ``LiveDecision``."""

    time: float
    latency: float
    end_to_end: float


@dataclass
class Timing:
    """Times measured while a stream was decoded to its end.

    Attributes
    ----------
    decisions : list of TimedDecision
    received : int
        Samples that arrived.
    seconds : float
    cpu_share : float
        Of one core, for everything that decoded.
    more : dict
        What else was measured; becomes part of the JSON document.
    """

    decisions: list[TimedDecision] = field(default_factory=list)
    received: int = 0
    seconds: float = 0.0
    cpu_share: float = 0.0
    more: dict[str, Any] = field(default_factory=dict)


#: Decodes the stream of this name, which has so many samples, and calls the last about once a
#: second.
TimedDecoding = Callable[[Decoder, str, int, Callable[[], None]], Timing]


def measure_latency(
    protocol: Protocol,
    request: DecoderRequest,
    n_channels: int,
    sfreq: float,
    seconds: float,
    progress: Callable[[], None] = lambda: None,
    decode: TimedDecoding | None = None,
) -> dict[str, Any]:
    """Stream simulated noise over LSL in real time and decode it in a sliding window.

    The signal is simulated noise, as the time that a decision takes does not depend on it.

    Parameters
    ----------
    protocol : Protocol
        Which window, and which kind of decoder.
    request : DecoderRequest
        The decoder, which is fitted on simulated noise.
    n_channels : int
        Channels of the stream, at most 128: those of the network, and with more the electrodes
        between them.
    sfreq : float
        Rate of the stream (Hz).
    seconds : float
        How long to decode.
    progress : callable
        Called about once a second.
    decode : callable or None
        What decodes the stream; None: this process, without a window.

    Returns
    -------
    dict
        The JSON document of ``evaluate latency``.

    Raises
    ------
    InputError
        More channels than 128, or too short a time.
    OperationError
        The stream ended early.
    """
    if not 1 <= n_channels <= MOST_CHANNELS or seconds < 1:
        raise InputError(
            "Latency cannot be measured on so many channels, or in so short a time",
            value=f"{n_channels} channels, {seconds} s",
            remedy=f"Choose 1 to {MOST_CHANNELS} --channels, and 1 or more --seconds.",
        )
    configure("machine")
    decoder = noise_decoder(protocol, request, _electrodes(n_channels), sfreq)
    total = seconds + protocol.window.length + WARM_UP_SECONDS
    context = multiprocessing.get_context("spawn")
    # two measurements on one machine must not see each other
    name = f"{STREAM}-{os.getpid()}"
    source = context.Process(
        target=_stream_noise, args=(name, n_channels, sfreq, total), daemon=True
    )
    source.start()
    try:
        n_samples = round(total * sfreq)
        timing = (decode or decode_headless)(decoder, f"{name} (simulated)", n_samples, progress)
    finally:
        source.terminate()
        source.join(timeout=5)
    return _document(timing, decoder.classifier.device, n_channels, sfreq, n_samples)


def noise_decoder(
    protocol: Protocol, request: DecoderRequest, ch_names: tuple[str, ...], sfreq: float
) -> Decoder:
    """Fit a decoder on simulated noise: it decides nothing of use, as fast as any other.

    Parameters
    ----------
    protocol : Protocol
    request : DecoderRequest
    ch_names : tuple of str
    sfreq : float
        Rate (Hz) of the signal that it is to decode.

    Returns
    -------
    Decoder
    """
    generator = np.random.default_rng(request.random_state)
    X = 10 * generator.standard_normal((N_TRIALS, len(ch_names), protocol.n_times))
    y = np.resize(np.array(protocol.class_names), N_TRIALS)
    classifier = request.make(protocol, ch_names).fit(X.astype(np.float32), y)
    summary = CalibrationSummary(
        n_trials=N_TRIALS, sfreq=sfreq, sources=("noise",), simulated=True, amplitude=10.0
    )
    raw = 10 * generator.standard_normal((len(ch_names), round(10 * sfreq)))
    return Decoder(
        request.name,
        classifier,
        protocol,
        ch_names,
        PreprocessorConfig(),
        ChannelInterpolation(ch_names, np.eye(len(ch_names))),
        Baseline.fit([raw], ch_names, sfreq, "uV"),
        summary,
    )


def decode_headless(
    decoder: Decoder, stream: str, n_samples: int, progress: Callable[[], None]
) -> Timing:
    """Decode a stream to its end in this process, as ``decode`` does.

    Parameters
    ----------
    decoder : Decoder
    stream : str
        Name of the stream.
    n_samples : int
        Samples until it is over.
    progress : callable
        Called about once a second.

    Returns
    -------
    Timing
    """
    use_one_thread()
    timing = Timing()
    # two measurements on one machine publish under different names
    suffix = f"-latency-{os.getpid()}"
    with LiveDecoder.open(decoder, stream, mode="sliding", wait=60.0, publish=suffix) as live:
        process = psutil.Process()
        busy, started, last = sum(process.cpu_times()[:2]), time.monotonic(), time.monotonic()
        while live.signal.received < n_samples and not live.signal.lost:
            timing.decisions += [
                TimedDecision(event.time, event.latency, event.end_to_end)
                for event in live.poll()
                if isinstance(event, LiveDecision)
            ]
            if time.monotonic() - last >= 1:
                last = time.monotonic()
                progress()
        timing.seconds = time.monotonic() - started
        timing.cpu_share = (sum(process.cpu_times()[:2]) - busy) / timing.seconds
        timing.received = live.signal.received
    return timing


def _document(
    timing: Timing, device: str, n_channels: int, sfreq: float, n_samples: int
) -> dict[str, Any]:
    first = timing.decisions[0].time if timing.decisions else 0.0
    warm = [one for one in timing.decisions if one.time >= first + WARM_UP_SECONDS]
    if not warm:
        raise OperationError(
            f"The simulated stream ended after {timing.received} of {n_samples} samples"
        )
    return {
        "device": device,
        "n_channels": n_channels,
        "sfreq": sfreq,
        "seconds": timing.seconds,
        "decisions": len(warm),
        "decision_ms": _percentiles([one.latency for one in warm]),
        "end_to_end_ms": _percentiles([one.end_to_end for one in warm]),
        "cpu_share": timing.cpu_share,
        "samples_sent": n_samples,
        "samples_received": timing.received,
        **timing.more,
    }


def _percentiles(seconds: list[float]) -> dict[str, float]:
    milliseconds = 1e3 * np.array(seconds)
    shares = {"p50": 50.0, "p99": 99.0, "p99_9": 99.9, "max": 100.0}
    return {name: float(np.percentile(milliseconds, share)) for name, share in shares.items()}


def _electrodes(n_channels: int) -> tuple[str, ...]:
    """Return so many electrodes: those of the network, then others, the better known first."""
    others = [name for name in electrode_names() if name not in PRETRAINING_CHANNELS]
    return (*PRETRAINING_CHANNELS, *others)[:n_channels]


def _stream_noise(name: str, n_channels: int, sfreq: float, seconds: float) -> None:
    """Be the amplifier: simulated noise in real time, in a process of its own."""
    # a terminal's Ctrl-C reaches this process too; the one that measures ends it
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    end_with_parent()
    noise = 10 * np.random.default_rng(0).standard_normal(
        (n_channels, round(NOISE_SECONDS * sfreq)), dtype=np.float32
    )
    recording = Recording(
        name="noise",
        # a length without memory: the samples are those of the noise, again and again
        data=np.broadcast_to(np.float32(0), (n_channels, round(seconds * sfreq))),
        unit="uV",
        sfreq=sfreq,
        ch_names=_electrodes(n_channels),
        onsets=np.empty(0),
        labels=(),
        breaks=np.empty(0),
        simulated=True,
    )

    def take(chunk: NDArray[np.float32], start: int) -> NDArray[np.float32]:
        return noise[:, (start + np.arange(chunk.shape[1])) % noise.shape[1]]

    Replay([recording], name=name, wait_for_consumers=60.0, transform=take).run()
