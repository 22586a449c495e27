"""``sjepa-online decode``: headless live decoding."""

from __future__ import annotations

import time
from enum import StrEnum
from typing import Annotated

import typer

from sjepa_apps.cli.common import (
    DecoderFileOption,
    JsonOption,
    ScopeOption,
    UnitOption,
    configure_lsl,
    say,
)

PROBABILITIES = "sjepa-online-probabilities"
DECISIONS = "sjepa-online-decisions"


class Mode(StrEnum):
    """When a window is decoded."""

    SLIDING = "sliding"
    MARKERS = "markers"


ModeOption = Annotated[
    Mode | None,
    typer.Option(
        help="Every step, or once after each marker of a class. "
        "By default markers for ERP, sliding else."
    ),
]


def decode(
    decoder: DecoderFileOption,
    stream: Annotated[
        str | None, typer.Option(help="Stream to decode; needed when several are in sight.")
    ] = None,
    markers: Annotated[
        str | None, typer.Option(help="Marker stream; needed when several are in sight.")
    ] = None,
    mode: ModeOption = None,
    step: Annotated[
        float, typer.Option(min=1 / 128, max=60.0, help="Seconds between sliding decisions.")
    ] = 0.125,
    unit: UnitOption = None,
    wait: Annotated[float, typer.Option(min=0.5, help="Seconds to wait for the stream.")] = 10.0,
    seconds: Annotated[
        float | None, typer.Option(min=0.0, help="Stop after so many seconds.")
    ] = None,
    lsl_scope: ScopeOption = None,
    json: JsonOption = False,
) -> None:
    """Decode a live stream and publish probabilities and decisions over LSL."""
    from sjepa_apps.cli.live_output import show
    from sjepa_online.decoding import load_decoder
    from sjepa_online.errors import OperationError
    from sjepa_online.online.live import LiveDecoder, use_one_thread
    from sjepa_online.stream import (
        DecisionOutlet,
        MarkerInlet,
        ProbabilityOutlet,
        SignalInlet,
        StreamLost,
        resolve_stream,
    )

    configure_lsl(lsl_scope)
    use_one_thread()
    loaded = load_decoder(decoder)
    locked = loaded.protocol.paradigm == "erp" if mode is None else mode is Mode.MARKERS
    marker_inlet = MarkerInlet(resolve_stream(markers, wait, "markers")) if locked else None
    with (
        SignalInlet(resolve_stream(stream, wait), unit=unit) as signal,
        ProbabilityOutlet(PROBABILITIES, loaded.classes, 0.0 if locked else 1 / step) as outlet,
        DecisionOutlet(DECISIONS) as decisions,
    ):
        live = LiveDecoder(
            loaded,
            signal,
            marker_inlet,
            mode="markers" if locked else "sliding",
            step=step,
            probabilities=outlet,
            decisions=decisions,
        )
        say(
            f"Decoding {signal.stream.name} with {loaded.name}; published as "
            f"'{PROBABILITIES}' and '{DECISIONS}'. Ctrl-C stops."
        )
        end = None if seconds is None else time.monotonic() + seconds
        while end is None or time.monotonic() < end:
            for result in live.poll():
                show(result, json)
                if isinstance(result, StreamLost) and not result.recoverable:
                    raise OperationError(f"Nothing is left to decode: {result.detail}")
