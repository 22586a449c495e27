"""Between streams and views, in any order; streams and the engine's messages are made up."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from sjepa_apps.live.engine.client import EngineClient
from sjepa_online.online.commands import ChooseChannel, CloseStream, OpenStream, UseMarkers
from sjepa_online.online.events import EngineEvent
from sjepa_online.stream import Marker


def test_markers_that_appear_after_the_signal_are_used(
    opened: Any,
    sent: list[Any],
    see: Callable[..., None],
    say: Callable[..., None],
    describe: Callable[..., Any],
    describe_markers: Callable[..., Any],
    log_of: Callable[[Any], list[str]],
    wait_for: Callable[..., None],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(EngineClient, "running", True)
    session = opened.session
    opened.connect_view.disconnect_button.click()
    assert sent[-1] == CloseStream()
    opened.connect_view.connect_button.click()
    assert sent[-1] == OpenStream(selector="amplifier@serial 7")
    assert opened.trials.interval.text() == "waiting for markers"
    say(opened, EngineEvent(time=0.0, event="waiting-for-markers", detail="none is in sight"))
    assert "waiting for markers" in opened.decoder.detail.toolTip()
    assert not session.opening
    see(opened, describe(), describe_markers(source_id="pad 1"))
    assert sent[-1] == UseMarkers(selector="response pad@pad 1")
    assert "markers: from response pad on here" in log_of(opened)
    assert opened.trials.interval.text() == "no trial with a known truth yet"
    session._marker_reader.markers.append(Marker("12", 1000.0))
    wait_for(lambda: [line.text for line in session.store.lines] == ["12"])
    # one that is used stays, whatever else comes
    see(opened, describe(), describe_markers("another", source_id="2"))
    assert isinstance(sent[-1], UseMarkers)
    assert session.markers.name == "response pad"


def test_of_two_marker_streams_the_chosen_one_is_used(
    opened: Any,
    sent: list[Any],
    see: Callable[..., None],
    describe: Callable[..., Any],
    describe_markers: Callable[..., Any],
) -> None:
    see(opened, describe(), describe_markers("a", source_id="1"), describe_markers("b"))
    assert opened.session.markers is None
    opened.connect_view.markers.setCurrentText("b")
    assert sent[-1] == UseMarkers(selector="b@serial 7")


def test_forced_channels_are_those_of_one_stream(
    opened: Any,
    sent: list[Any],
    describe: Callable[..., Any],
    log_of: Callable[[Any], list[str]],
) -> None:
    opened.session.choose("Oz", "bad")
    opened.session.choose("O1", "good")
    opened.session.choose("O1", "automatic")
    sent.clear()
    opened.connect_view.open_stream(describe(uid="restarted"))
    assert [command.kind for command in sent] == ["open-stream"]
    opened.connect_view.open_stream(describe("another"))
    assert sent[1] == ChooseChannel(channel="Oz", choice="automatic")
    assert "operator: Oz: judged automatically, as the stream is another" in log_of(opened)
    opened.connect_view.open_stream(describe())
    assert [command.kind for command in sent[2:]] == ["open-stream", "open-stream"]
