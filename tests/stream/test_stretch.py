"""A stretch of a live stream becomes a recording."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest

from sjepa_online.data import Recording
from sjepa_online.errors import OperationError
from sjepa_online.stream import Replay, resolve_stream, stretch


def test_a_stretch_holds_the_samples_of_the_electrodes(
    counting_recording: Callable[..., Recording],
) -> None:
    sent = replace(counting_recording(1000), ch_names=("C3", "Cz"))
    seconds: list[int] = []
    with Replay([sent], name="stretch", wait_for_consumers=10):
        stream = resolve_stream("stretch")
        recording = stretch.record_stretch(stream, 2.0, progress=lambda: seconds.append(1))
    assert recording.ch_names == ("C3", "Cz")
    assert (recording.sfreq, recording.unit) == (250.0, "uV")
    assert recording.data.shape[1] >= 500
    assert len(seconds) == 2
    np.testing.assert_array_equal(np.diff(recording.data, axis=1), 1)
    assert recording.labels == ()
    assert not recording.simulated


def test_a_stretch_of_a_simulated_stream_is_simulated(
    counting_recording: Callable[..., Recording],
) -> None:
    sent = replace(counting_recording(500), ch_names=("C3", "Cz"), simulated=True)
    with Replay([sent], name="pretended", wait_for_consumers=10) as replay:
        assert stretch.record_stretch(resolve_stream(replay.name), 0.5).simulated


def test_a_stream_that_stops_is_given_up(
    counting_recording: Callable[..., Recording], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(stretch, "PATIENCE", 0.5)
    sent = replace(counting_recording(250), ch_names=("C3", "Cz"))
    with Replay([sent], name="short", wait_for_consumers=10):
        stream = resolve_stream("short")
        with pytest.raises(OperationError, match=r"sent 1 s of signal in 2 s"):
            stretch.record_stretch(stream, 1.5)


def test_who_records_may_end_it(counting_recording: Callable[..., Recording]) -> None:
    sent = replace(counting_recording(1000), ch_names=("C3", "Cz"))

    def stop() -> None:
        raise OperationError("enough")

    with Replay([sent], name="stopped", wait_for_consumers=10):
        stream = resolve_stream("stopped")
        with pytest.raises(OperationError, match="enough"):
            stretch.record_stretch(stream, 60.0, meanwhile=stop)
