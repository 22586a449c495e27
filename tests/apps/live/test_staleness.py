"""Nothing that is older than two seconds is shown as current: the stream stops, and every view."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from sjepa_online.online.events import Channels, Decoding, Health
from sjepa_online.stream import Chunk


@pytest.fixture
def stopped(
    opened: Any,
    say: Callable[..., None],
    states: Callable[..., Channels],
    decided: Callable[..., Any],
    wait_for: Callable[..., None],
) -> Any:
    """A window whose stream has sent twelve seconds, was decoded, and has just stopped."""
    opened.docks["Analysis"].raise_()
    opened.session._reader.send(12.0)
    wait_for(lambda: opened.session.store.seconds > 11)
    for step in range(20):
        say(opened, decided(1010.0 + step / 10))
    say(opened, states("O1"))
    health = {"sfreq": 250.0, "received": 3000, "lost": False, "clock_offset": 0.001}
    say(opened, Health(**health, cpu=0.1, memory=100.0, gpu=None))
    assert opened.session.states.bad == ("O1",)
    assert opened.decoder.decision.text() == "12 Hz"
    wait_for(lambda: opened.session.silent)
    begun = time.monotonic()
    wait_for(lambda: opened.decoder.decision.text() == "–" and opened.status.bad.text())
    wait_for(lambda: "Not current" in opened.analysis.state.toolTip())
    wait_for(lambda: not opened.session.states.reports)
    assert time.monotonic() - begun < 2.0
    return opened


def test_no_view_shows_a_stopped_stream_as_current(stopped: Any) -> None:
    window = stopped
    assert window.status.data.text().startswith("● no data for")
    assert "unknown" in window.status.bad.toolTip()
    assert window.status.latency.text() == ""
    assert not window.session.states.reports
    assert "Unknown: no data arrives" in window.scalp.summary.toolTip()
    assert window.scalp.canvas._values is None
    assert "no data arrives" in window.decoder.detail.toolTip()
    assert window.decoder.bars._probabilities == {}
    for name in ("decision", "end_to_end", "rate", "clock"):
        assert window.health.figures[name].text() == "–"
    assert "No data" in window.signals.canvas._notice


def test_reports_that_still_come_from_the_engine_change_nothing(
    stopped: Any, say: Callable[..., None], states: Callable[..., Channels]
) -> None:
    say(stopped, states())
    say(
        stopped,
        Health(sfreq=9.0, received=1, lost=True, clock_offset=None, cpu=0, memory=1, gpu=None),
    )
    assert not stopped.session.states.reports
    assert stopped.health.figures["rate"].text() == "–"


def test_what_is_known_comes_back_with_the_data(
    stopped: Any, wait_for: Callable[..., None]
) -> None:
    stopped.session._reader.send(1.0)
    wait_for(lambda: stopped.session.states.bad == ("O1",))


def test_a_spectrum_without_a_whole_signal_is_said_not_to_be_there(
    opened: Any, wait_for: Callable[..., None]
) -> None:
    opened.show_view("Analysis")
    told = opened.analysis.pages[0].told
    opened.session._reader.send(12.0)
    wait_for(lambda: "Oz, O1, O2; last 8 s. Power" in told.text())
    start = 1012.0

    def is_told_while_the_signal_goes_on() -> bool:
        # a page that is late must not find a silent signal
        nonlocal start
        n = 2000 if start == 1012.0 else 5
        times = start + np.arange(n) / 250.0
        opened.session._reader.chunks.append(Chunk(np.full((3, n), np.nan), times))
        start += n / 250.0
        return "no good channel" in told.text()

    wait_for(is_told_while_the_signal_goes_on)
    assert "nan" not in told.text()


def test_the_history_moves_on_and_breaks_where_nothing_was_decided(
    opened: Any, decided: Callable[..., Any], say: Callable[..., None]
) -> None:
    history = opened.decoder.history
    for moment in (1000.0, 1000.1, 1000.2, 1009.0, 1009.1):
        say(opened, decided(moment))
    history._newest = (1009.1, time.monotonic() - 20.0)
    history.refresh()
    x, _ = history._curves[0].getData()
    assert np.nanmax(x) == pytest.approx(-20.0, abs=0.5)
    # a break between the decisions before and after the pause
    assert np.isnan(x).sum() == 1
    history._newest = (1009.1, time.monotonic() - 90.0)
    history.refresh()
    x, _ = history._curves[0].getData()
    assert x is None or not len(x)


def test_another_stream_begins_with_an_empty_history(
    opened: Any, decided: Callable[..., Any], say: Callable[..., None], describe: Callable[..., Any]
) -> None:
    say(opened, decided(1000.0))
    opened.connect_view.open_stream(describe("another"))
    say(opened, Decoding(stream="another", mode="sliding", step=0.125, delay=0.05))
    assert not any(opened.decoder.history._points)


def test_a_recording_that_is_over_is_no_fault(opened: Any, wait_for: Callable[..., None]) -> None:
    opened.session._reader.send(3.0)
    opened.session.replay_ended = lambda: True
    wait_for(lambda: "recording has ended" in opened.status.data.text())
    wait_for(lambda: "The recording has ended" in opened.signals.canvas._notice)
    assert "has ended" in opened.decoder.detail.toolTip()
