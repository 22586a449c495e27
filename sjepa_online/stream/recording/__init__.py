"""Streams into XDF files, in processes that outlive this one."""

from sjepa_online.stream.recording.recorder import FULL_BELOW, Recorder, RecorderStatus, hung_after

__all__ = ["FULL_BELOW", "Recorder", "RecorderStatus", "hung_after"]
