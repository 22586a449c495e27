"""Names that nobody expects, and a window that is closed in the middle of anything."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from PyQt6.QtWidgets import QApplication

from sjepa_apps.live.actions import VIEWS
from sjepa_apps.live.keys import KeysDialog
from sjepa_online.online.events import DecoderReady, Refused
from sjepa_online.stream import Marker

LONG, RIGHT_TO_LEFT, EMOJI = "x" * 300, "קצר\u202eמאוד", "🧠🫠"


@pytest.mark.parametrize("name", [LONG, RIGHT_TO_LEFT, EMOJI, "<b>&bold</b>", "a\nb"])
def test_any_name_of_stream_channel_and_marker_is_shown_and_the_window_keeps_its_size(
    opened: Any, describe: Callable[..., Any], wait_for: Callable[..., None], name: str
) -> None:
    before = opened.size()
    stream = describe(name, ch_names=(name, "O1", "O2"), host=name)
    opened.connect_view.show_streams([stream])
    opened.connect_view.open_stream(stream)
    opened.session._start_reader()
    opened.session._reader.send(4.0)
    wait_for(lambda: opened.session.store.seconds > 3)
    opened.session.mark(name)
    opened.session.log("refused", name, "bad")
    for view in VIEWS:
        opened.show_view(view)
        QApplication.processEvents()
        opened.grab()
    # a channel that is no electrode is not shown, and asking for it does nothing
    shown = opened.signals.canvas.names
    opened.signals.zoom("no such channel")
    assert opened.signals.canvas.names == shown
    opened.signals.zoom(shown[0])
    assert opened.signals.canvas.names == shown[:1]
    opened.grab()
    assert opened.size() == before
    assert opened.signals.canvas.area.left() < 300


def test_markers_of_any_text_are_averaged_by_class_up_to_a_limit(
    make_window: Callable[..., Any],
    amplifier: None,
    sent: list[Any],
    describe: Callable[..., Any],
    wait_for: Callable[..., None],
) -> None:
    window = make_window()
    window.connect_view.open_stream(describe())
    session = window.session
    session._read_markers(describe("markers"))
    session._reader.send(60.0)
    session._marker_reader.markers.extend(
        Marker(label=f"{EMOJI}{number % 20}/{LONG}", time=1005.0 + number) for number in range(40)
    )
    window.show_view("Analysis")
    window.analysis.kind.setCurrentIndex(2)
    page = window.analysis.pages[2]
    wait_for(lambda: page._collector is not None and page._collector.averages.by_class)
    wait_for(lambda: sum(one.n for one in page._collector.averages.by_class.values()) == 16)
    window.grab()


STATES: dict[str, Callable[[Any], object]] = {
    "nothing is open": lambda window: window.session.close_stream(),
    "the stream is silent": lambda window: setattr(window.session, "_heard", 0.0),
    "paused": lambda window: window.signals.pause.setChecked(True),
    "the list of keys is open": lambda window: window.controls.show_keys(),
    "one channel": lambda window: window.signals.zoom("O1"),
    "refused": lambda window: window.session._take_message(
        Refused(command="open-stream", reason="no channel")
    ),
    "the engine has ended": lambda window: window.session.engine.ended.emit("signal 9"),
    "a view floats": lambda window: window.docks["Analysis"].setFloating(True),
    "a view is closed": lambda window: window.docks["Decoder"].close(),
}


@pytest.mark.parametrize("page", range(5))
def test_the_window_closes_with_every_page_of_the_analysis_open(opened: Any, page: int) -> None:
    opened.session._reader.send(5.0)
    opened.session.poll()
    opened.show_view("Analysis")
    opened.analysis.kind.setCurrentIndex(page)
    opened._refresh()
    opened.close()
    assert not opened.isVisible()


@pytest.mark.parametrize("state", STATES)
def test_the_window_closes_in_every_state(opened: Any, qtbot: Any, state: str) -> None:
    opened.session._reader.send(5.0)
    opened.session.poll()
    STATES[state](opened)
    qtbot.wait(60)
    for dialog in opened.findChildren(KeysDialog):
        dialog.close()
    opened.close()
    assert not opened.isVisible()


def test_a_decoder_with_one_channel_and_long_classes_fits(
    opened: Any, say: Callable[..., None], ready: DecoderReady, decided: Callable[..., Any]
) -> None:
    before = opened.size()
    protocol = ready.protocol.model_copy(
        update={
            "classes": tuple(
                one.model_copy(update={"name": f"{LONG}_{number}", "frequency": None})
                for number, one in enumerate(ready.protocol.classes)
            )
        }
    )
    names = protocol.class_names
    say(
        opened, ready.model_copy(update={"protocol": protocol, "ch_names": ("Oz",), "patterns": ()})
    )
    say(opened, decided(1.0, names[0], probabilities=dict(zip(names, (0.8, 0.2), strict=True))))
    opened.grab()
    assert opened.size() == before
    assert np.isfinite(opened.decoder.bars.width())
