"""Every view of the live window can be read: nothing cut, nothing faint."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from PyQt6.QtWidgets import QApplication

from sjepa_apps.live.actions import VIEWS
from sjepa_apps.ui.theme import THEMES
from sjepa_online.online.events import Decoding, Health, Refused
from sjepa_online.protocol import load_protocol

SIZES = {"1280x760": (1280, 760), "1280x800": (1280, 800), "1920x1080": (1920, 1080)}
#: Electrodes of a large amplifier.
NAMES = tuple(
    f"{row}{column}"
    for row in ("F", "FC", "C", "CP", "P", "PO")
    for column in ("5", "3", "1", "z", "2", "4", "6")
)


@pytest.fixture
def fill(
    make_window: Callable[..., Any],
    amplifier: None,
    sent: list[Any],
    say: Callable[..., None],
    ready: Any,
    describe: Callable[..., Any],
    decided: Callable[..., Any],
    wait_for: Callable[..., None],
) -> Callable[..., Any]:
    """Open a window that decodes a protocol, with long names and figures everywhere."""

    def make(protocol: str, size: tuple[int, int], theme: str = "light") -> Any:
        window = make_window(theme=theme)
        window.resize(*size)
        names = NAMES
        spec = load_protocol(protocol)
        about = ready.model_dump() | {"protocol": spec, "ch_names": names, "patterns": ()}
        say(window, type(ready)(**about))
        stream = describe(n_channels=len(names), ch_names=names, units=("microvolts",) * len(names))
        other = replace(stream, name="another amplifier " * 10, uid="another", source_id="8")
        window.connect_view.show_streams([stream, other])
        window.connect_view.table.selectRow(0)
        window.connect_view.connect_button.click()
        say(window, Decoding(stream="amplifier", mode="sliding", step=0.125, delay=0.05))
        window.session._reader.send(3.0, len(names))
        wait_for(lambda: window.session.store.seconds > 2)
        labels = [one.name for one in spec.classes]
        share = {label: 1 / len(labels) for label in labels}
        say(window, decided(1002.0, labels[0], probabilities=share, bad_channels=names[:9]))
        health = {"sfreq": 250.0, "received": 123456789, "lost": False, "clock_offset": 0.001}
        say(window, Health(**health, cpu=1.0, memory=12345.0, gpu=None))
        say(window, Refused(command="load-decoder", reason="It is damaged: " + 20 * "a reason "))
        return window

    return make


def look(window: Any, view: str) -> None:
    window.show_view(view)
    # the signal has not stopped while a slow machine draws
    window.session._heard = time.monotonic()
    window._refresh()
    for _ in range(3):
        QApplication.processEvents()


@pytest.mark.parametrize("size", SIZES.values(), ids=list(SIZES))
@pytest.mark.parametrize("protocol", ["mi", "erp", "ssvep"])
def test_nothing_is_cut_in_any_view(
    fill: Callable[..., Any], looks: Any, protocol: str, size: tuple[int, int]
) -> None:
    window = fill(protocol, size)
    for view in VIEWS:
        look(window, view)
        assert looks.cut(window) == [], view
    assert (window.width(), window.height()) == size


@pytest.mark.parametrize("theme", list(THEMES))
@pytest.mark.parametrize("protocol", ["mi", "erp", "ssvep"])
def test_every_text_stands_out(
    fill: Callable[..., Any], looks: Any, protocol: str, theme: str
) -> None:
    window = fill(protocol, (1280, 760), theme)
    for view in VIEWS:
        look(window, view)
        assert looks.faint(window) == [], view


def test_before_a_decoder_and_a_stream_nothing_is_cut_or_faint(
    make_window: Callable[..., Any], looks: Any
) -> None:
    window = make_window()
    window.resize(1280, 760)
    for view in VIEWS:
        look(window, view)
        assert looks.cut(window) == [], view
        assert looks.faint(window) == [], view
