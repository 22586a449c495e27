"""Streams into XDF files, in processes that outlive this one."""

from sjepa_online.stream.recording.recorder import FULL_BELOW, Recorder, RecorderStatus

__all__ = ["FULL_BELOW", "Recorder", "RecorderStatus"]
