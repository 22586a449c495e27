"""LSL in and out: discovery, inlets, outlets, replay, stimulus streams, recorder."""

from sjepa_online.stream.discovery import (
    StreamDescription,
    find_again,
    find_streams,
    resolve_stream,
)
from sjepa_online.stream.events import (
    ClockJump,
    ClockOffset,
    FrozenTimestamps,
    Gap,
    RateMismatch,
    StreamChanged,
    StreamEvent,
    StreamLost,
    StreamRecovered,
)
from sjepa_online.stream.inlets import Arrivals, Chunk, Marker, MarkerInlet, SignalInlet
from sjepa_online.stream.library import configure, local_clock
from sjepa_online.stream.loopback import loopback_latency
from sjepa_online.stream.outlets import DecisionOutlet, MarkOutlet, ProbabilityOutlet
from sjepa_online.stream.participant import ParticipantStream
from sjepa_online.stream.recording import Recorder, RecorderStatus
from sjepa_online.stream.replay import Replay
from sjepa_online.stream.stimulus import (
    FRAME_STREAM,
    STIMULUS_STREAM,
    FrameOutlet,
    StimulusOutlet,
)

__all__ = [
    "FRAME_STREAM",
    "STIMULUS_STREAM",
    "Arrivals",
    "Chunk",
    "ClockJump",
    "ClockOffset",
    "DecisionOutlet",
    "FrameOutlet",
    "FrozenTimestamps",
    "Gap",
    "MarkOutlet",
    "Marker",
    "MarkerInlet",
    "ParticipantStream",
    "ProbabilityOutlet",
    "RateMismatch",
    "Recorder",
    "RecorderStatus",
    "Replay",
    "SignalInlet",
    "StimulusOutlet",
    "StreamChanged",
    "StreamDescription",
    "StreamEvent",
    "StreamLost",
    "StreamRecovered",
    "configure",
    "find_again",
    "find_streams",
    "local_clock",
    "loopback_latency",
    "resolve_stream",
]
