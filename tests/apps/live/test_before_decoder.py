"""The time before there is a decoder: electrodes are judged, with reason and remedy."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from sjepa_apps.live.quality import ChannelQuality
from sjepa_apps.live.signals.reader import shown_channels
from sjepa_apps.ui.channel_states import ChannelSummary
from sjepa_online.stream import Chunk


@pytest.fixture
def without_decoder(
    make_window: Callable[..., Any], amplifier: None, sent: list[Any], describe: Callable[..., Any]
) -> Any:
    window = make_window()
    window.connect_view.show_streams([describe()])
    window.connect_view.connect_button.click()
    return window


def test_electrodes_are_judged_in_the_first_second(
    without_decoder: Any, wait_for: Callable[..., None]
) -> None:
    window = without_decoder
    signal = 10 * np.random.default_rng(0).standard_normal((3, 250))
    signal[1] = 7.0
    window.session._reader.chunks.append(Chunk(signal, 1000.0 + np.arange(250) / 250.0))
    wait_for(lambda: window.session.states.reports)
    assert window.session.states.bad == ("O1",)
    assert window.scalp.summary.toolTip() == "<span>2 of 3 good, bad: O1</span>"
    assert "Check the plug" in window.scalp.remedy.toolTip()
    wait_for(lambda: "O1 (flat)" in window.status.bad.toolTip())
    told = window.session.states.describe("O1")
    assert "O1 is bad: flat" in told
    assert "Check the plug" in told
    assert window.signals.canvas.frames.count > 0


def test_the_operator_may_overrule_what_is_found(
    without_decoder: Any, wait_for: Callable[..., None]
) -> None:
    window = without_decoder
    window.session._reader.send(2.0)
    wait_for(lambda: window.session.states.reports)
    window.scalp.canvas.channel_clicked.emit("Oz")
    assert window.session.states.bad == ("Oz",)
    window.scalp.canvas.channel_clicked.emit("Oz")
    assert window.session.states.bad == ()


def test_impedances_are_told_with_and_without_a_decoder(describe: Callable[..., Any]) -> None:
    stream = describe(
        n_channels=4,
        ch_names=("Oz", "O1", "Imp Oz", "Imp O1"),
        ch_types=("EEG", "EEG", "impedance", "impedance"),
        units=("microvolts", "microvolts", "kohm", "kohm"),
    )
    channels = shown_channels(stream)
    assert channels.names == ("Oz", "O1")
    quality = ChannelQuality(channels, stream)
    data = 10 * np.random.default_rng(0).standard_normal((4, 500))
    measured = {"Oz": 12.0, "O1": 4.5}
    assert quality.take(Chunk(data, np.arange(500) / 250.0, impedances=measured))
    assert "12 kΩ" in quality.states({}).describe("Oz")
    assert "4.5 kΩ" in quality.states({}).describe("O1")
    quality.decoded = [ChannelSummary("Oz", bad=False, reasons=(), amplitude=1.0)]
    assert "12 kΩ" in quality.states({}).describe("Oz")


def test_a_stream_without_a_unit_or_too_slow_is_shown_all_the_same(
    describe: Callable[..., Any],
) -> None:
    for stream in (describe(units=()), describe(sfreq=50.0)):
        quality = ChannelQuality(shown_channels(stream), stream)
        quality.take(Chunk(np.ones((3, 500)), np.arange(500) / stream.sfreq))
        bad = quality.states({}).bad
        assert bad == (("Oz", "O1", "O2") if stream.sfreq > 100 else ())
