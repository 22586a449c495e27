"""What a recording holds."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, ClassVar

import pytest

from sjepa_apps.live.engine import recording as module
from sjepa_apps.live.engine.recording import Recording, RecordingState, worth_recording
from sjepa_online.errors import InputError, OperationError
from sjepa_online.stream.recording import RecorderStatus


def test_the_signal_as_it_is_in_sight_and_what_is_said_about_it(
    describe: Callable[..., Any],
) -> None:
    markers = describe("markers", type="Markers", sfreq=0.0, n_channels=1, format="string")
    classes = describe("classes", type="Probability", sfreq=8.0)
    other = describe("other amplifier", source_id="serial 8")
    restarted = describe(uid="another uid")
    in_sight = [markers, other, restarted, classes]
    assert worth_recording(describe(), in_sight) == [restarted, markers, classes]


@pytest.mark.parametrize(
    ("n_sources", "problem"), [(0, "is not in sight"), (2, "Several streams in sight")]
)
def test_a_signal_that_is_away_or_there_twice_is_refused(
    describe: Callable[..., Any], n_sources: int, problem: str
) -> None:
    in_sight = [describe(uid=f"uid {number}") for number in range(n_sources)]
    with pytest.raises(InputError, match=f"{problem}.*: amplifier@serial 7"):
        worth_recording(describe(), [*in_sight, describe("other amplifier", source_id="8")])


class Dying:
    """Stands in for the recorder: it says what a test wants."""

    made: ClassVar[list[Dying]] = []

    def __init__(self, path: Path, *_: object) -> None:
        self.path, self.running, self.stopped = path, True, False
        self.made.append(self)

    def start(self) -> None:
        pass

    def stop(self) -> None:
        self.stopped = True

    def status(self, received: bool) -> RecorderStatus:
        problem = "" if self.running else f"The recorder hangs: {self.path} does not grow"
        return RecorderStatus(100, self.running, problem)


@pytest.fixture
def recording(
    qtbot: Any, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, describe: Callable[..., Any]
) -> Iterator[Recording]:
    """A recording that has begun, by recorders that stand in."""
    Dying.made.clear()
    monkeypatch.setattr(module, "Recorder", Dying)
    monkeypatch.setattr(module, "find_streams", lambda: [describe()])
    monkeypatch.setattr(module, "clock_shift", lambda _: 0.0)
    monkeypatch.setattr(module, "LOOK_EVERY", 0.0)
    one = Recording()
    one.start(tmp_path, describe())
    qtbot.waitUntil(lambda: polled(one) is RecordingState.RUNNING, timeout=10_000)
    yield one
    one.close()


def polled(recording: Recording) -> RecordingState:
    recording.poll(0)
    return recording.state


def test_after_a_recorder_that_hangs_a_new_part_begins(recording: Recording, qtbot: Any) -> None:
    told: list[str] = []
    recording.problem.connect(told.append)
    first = recording.path
    assert first is not None
    Dying.made[0].running = False
    qtbot.waitUntil(lambda: polled(recording) and len(Dying.made) == 2, timeout=10_000)
    qtbot.waitUntil(lambda: polled(recording) is RecordingState.RUNNING, timeout=10_000)
    assert recording.path == first.with_stem(f"{first.stem}_part-2")
    assert Dying.made[0].stopped
    assert told == [f"The recorder hangs: {first} does not grow"]


def test_recorders_that_all_hang_end_the_recording(recording: Recording, qtbot: Any) -> None:
    told: list[str] = []
    recording.problem.connect(told.append)

    def ended() -> bool:
        Dying.made[-1].running = False
        return polled(recording) is RecordingState.IDLE

    qtbot.waitUntil(ended, timeout=10_000)
    assert len(Dying.made) == module.ATTEMPTS + 1
    assert "The recording has ended" in told[-1]
    # the operator may begin another one
    qtbot.waitUntil(lambda: all(one.stopped for one in Dying.made), timeout=10_000)


def test_a_part_that_cannot_begin_is_tried_again_a_few_times(
    recording: Recording, qtbot: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(self: Dying) -> None:
        raise OperationError("The stream has just ended")

    told: list[str] = []
    recording.problem.connect(told.append)
    monkeypatch.setattr(Dying, "start", fail)
    Dying.made[0].running = False
    qtbot.waitUntil(lambda: polled(recording) is RecordingState.IDLE, timeout=10_000)
    assert told.count("The stream has just ended") == module.ATTEMPTS
    assert "The recording has ended" in told[-1]
