"""What can happen to a stream, as typed events: nothing of it passes in silence."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class StreamEvent:
    """Something happened to a stream.

    Attributes
    ----------
    time : float
        When, on LSL's local clock (s).
    detail : str
        What happened, for people.
    """

    time: float
    detail: str


@dataclass(frozen=True, kw_only=True)
class StreamLost(StreamEvent):
    """The stream has stopped sending.

    Attributes
    ----------
    recoverable : bool
        True when the stream may go on, and its inlet with it; False when it never sends again,
        so that its inlet can be closed.
    """

    recoverable: bool


@dataclass(frozen=True, kw_only=True)
class StreamRecovered(StreamEvent):
    """A lost stream sends again.

    Attributes
    ----------
    silence : float
        How long nothing arrived (s).
    """

    silence: float


@dataclass(frozen=True, kw_only=True)
class Gap(StreamEvent):
    """Samples are missing; ``time`` is that of the first sample after the gap.

    Attributes
    ----------
    missing : int
        Number of samples that are missing.
    index : int
        Place of the first sample after the gap in the chunk that brought it.
    """

    missing: int
    index: int


@dataclass(frozen=True, kw_only=True)
class ClockJump(StreamEvent):
    """The timestamps jumped back, or further ahead than any gap can explain.

    Attributes
    ----------
    seconds : float
        The size of the jump; negative when time went back.
    index : int
        Place of the first sample after the jump in the chunk that brought it.
    """

    seconds: float
    index: int


@dataclass(frozen=True, kw_only=True)
class FrozenTimestamps(StreamEvent):
    """Samples come, but their timestamps stand still."""


@dataclass(frozen=True, kw_only=True)
class RateMismatch(StreamEvent):
    """Samples come at another rate than the stream declares.

    Attributes
    ----------
    declared, measured : float
        Sampling rates (Hz).
    """

    declared: float
    measured: float


@dataclass(frozen=True, kw_only=True)
class ClockOffset(StreamEvent):
    """The samples are stamped by another clock than LSL's; it was measured and is corrected.

    Attributes
    ----------
    seconds : float
        What is added to the stream's timestamps.
    """

    seconds: float


@dataclass(frozen=True, kw_only=True)
class StreamChanged(StreamEvent):
    """The stream is back with other labels, order or unit, and is read by them from now on."""
