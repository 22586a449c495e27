"""What the decoder thinks, as bars, symbols and decisions; the engine's messages are made up."""

from __future__ import annotations

import csv
from collections.abc import Callable
from pathlib import Path
from typing import Any

from sjepa_apps.ui.theme import LIGHT
from sjepa_online.online.events import Decoding
from sjepa_online.protocol import load_protocol

START = 1000.0


def test_a_speller_shows_flashes_symbols_and_what_was_spelled(
    opened: Any,
    ready: Any,
    decided: Callable[..., Any],
    tmp_path: Path,
    say: Callable[..., None],
    log_of: Callable[..., list[str]],
) -> None:
    from sjepa_apps.live.decoder.paradigm_views import SpellerView
    from sjepa_online.online.events import SymbolDecision

    protocol = load_protocol("erp")
    say(opened, ready.model_copy(update={"protocol": protocol, "path": "/speller"}))
    say(opened, Decoding(stream="amplifier", mode="markers", step=0.125, delay=0.05))
    view = opened.decoder._paradigm
    assert isinstance(view, SpellerView)
    symbols = protocol.speller.symbols
    so_far = dict.fromkeys(symbols, 0.02) | {"N": 0.3}
    say(
        opened,
        decided(
            START, "Target", probabilities={"Target": 0.7, "NonTarget": 0.3}, lit="ANX",
            symbols=so_far, onset=START - 1.2, truth="Target",
        ),
    )  # fmt: skip
    assert (view._lit, view._symbols) == ("ANX", so_far)
    assert opened.decoder.decision.text() == "–"
    assert opened.trials.table.item(0, 1).text() == "Target"
    assert opened.trials.accuracy.text() == "1.00"
    for symbol in "NE":
        say(
            opened,
            SymbolDecision(
                time=START, symbol=symbol, probability=0.97, n_flashes=14, truth="N",
                probabilities=dict.fromkeys(symbols, 0.0) | {symbol: 0.97},
            ),
        )  # fmt: skip
    assert opened.decoder.decision.text() == "NE"
    assert view._chosen == "E"
    assert [line for line in log_of(opened) if line.startswith("symbol")] == [
        "symbol: N, asked for N: p = 0.97, 14 flashes",
        "symbol: E, asked for N: p = 0.97, 14 flashes",
    ]
    assert opened.trials.accuracy.text() == "0.50"
    told_of_symbols, told_of_flashes = opened.trials.interval.text().split("\n")
    assert told_of_symbols.startswith("1 of 2 right")
    assert told_of_symbols.endswith("chance 0.03")
    assert told_of_flashes.startswith("flashes: 1 of 1 right")
    rows = [
        [opened.trials.table.item(row, column).text() for column in range(5)]
        for row in range(opened.trials.table.rowCount())
    ]
    assert rows == [
        ["2", "N", "✗ E", "0.97", "14 flashes"],
        ["1", "N", "✓ N", "0.97", "14 flashes"],
    ]
    assert opened.trials.table.sizeHintForColumn(4) <= opened.trials.table.columnWidth(4)
    opened.trials.save(tmp_path / "trials.csv")
    saved = list(csv.DictReader((tmp_path / "trials.csv").read_text().splitlines()))
    assert [(row["kind"], row["truth"], row["decided"], row["flashes"]) for row in saved] == [
        ("trial", "Target", "Target", ""),
        ("symbol", "N", "N", "14"),
        ("symbol", "N", "E", "14"),
    ]
    image = view.grab().toImage()
    colours = {
        image.pixelColor(x, y).name() for x in range(image.width()) for y in range(image.height())
    }
    # the tile of the chosen symbol stands out
    assert LIGHT.good in colours


def test_flashes_that_do_not_tell_their_symbols_are_decisions_themselves(
    opened: Any, ready: Any, decided: Callable[..., Any], say: Callable[..., None]
) -> None:
    protocol = load_protocol("erp")
    say(opened, ready.model_copy(update={"protocol": protocol, "path": "/speller"}))
    say(opened, Decoding(stream="amplifier", mode="markers", step=0.125, delay=0.05))
    symbols = dict.fromkeys(protocol.speller.symbols, 1 / len(protocol.speller.symbols))
    probabilities = {"Target": 0.3, "NonTarget": 0.7}
    say(opened, decided(START, "NonTarget", probabilities=probabilities, symbols=symbols))
    assert opened.decoder.decision.text() == "NonTarget"
    # no symbol stands out
    image = opened.decoder._paradigm.grab().toImage()
    colours = {
        image.pixelColor(x, y).name() for x in range(image.width()) for y in range(image.height())
    }
    assert LIGHT.accent not in colours


def test_decisions_reach_every_view(
    opened: Any,
    decided: Callable[..., Any],
    wait_for: Callable[..., None],
    say: Callable[..., None],
) -> None:
    say(opened, decided(START, "15", bad_channels=("O1",)))
    assert opened.decoder.decision.text() == "15 Hz"
    assert "0.80" in opened.decoder.detail.toolTip()
    assert "O1" in opened.decoder.detail.toolTip()
    opened.show_view("Health")
    wait_for(lambda: opened.health.figures["decision"].text() == "4.0 / 4.0 ms")
    assert "4.0" in opened.status.latency.text()
