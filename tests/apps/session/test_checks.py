from __future__ import annotations

import numpy as np
import pytest

from sjepa_apps.session.checks import check_channels, require_room
from sjepa_online.data import Recording
from sjepa_online.errors import InputError
from sjepa_online.stream import Replay, resolve_stream


def replay_of(name, factor=1.0):
    """Noise of 10 µV with one flat, one loud and one humming channel."""
    times = np.arange(10_000) / 250.0
    data = 10 * np.random.default_rng(0).standard_normal((6, len(times)))
    data[1] = 0.0
    data[2] *= 8
    data[3] += 60 * np.sin(2 * np.pi * 50 * times)
    recording = Recording(
        name="noise",
        data=(factor * data).astype(np.float32),
        unit="uV",
        sfreq=250.0,
        ch_names=("Fz", "Cz", "Pz", "Oz", "O1", "O2"),
        onsets=np.empty(0),
        labels=(),
        breaks=np.empty(0),
    )
    return Replay([recording], name=name)


def test_bad_channels_are_named():
    with replay_of("check-channels") as replay:
        check = check_channels(resolve_stream(replay.name), seconds=4.0)
    assert [complaint.split()[0] for complaint in check.complaints[:2]] == ["Cz", "Pz"]
    assert "mains" in check.complaints[2]
    assert len(check.complaints) == 3
    lines = check.table().splitlines()
    assert [line.split()[0] for line in lines[1:]] == list(check.recording.ch_names)


def test_a_unit_that_cannot_be_right_is_refused():
    with (
        replay_of("check-unit", factor=1e6) as replay,
        pytest.raises(InputError, match="by the unit"),
    ):
        check_channels(resolve_stream(replay.name), seconds=2.0)


def test_a_disk_without_room_is_refused(tmp_path):
    with replay_of("check-room") as replay:
        stream = resolve_stream(replay.name)
    require_room(tmp_path, stream, 1.0)
    with pytest.raises(InputError, match="room"):
        require_room(tmp_path, stream, 1e12)
