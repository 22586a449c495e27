"""``sjepa-online decode``: headless live decoding."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Literal

import typer

from sjepa_apps.cli.common import (
    AdaptOption,
    DecoderFileOption,
    ScopeOption,
    configure_lsl,
    output_option,
    say,
)
from sjepa_apps.cli.description import describes_signal

if TYPE_CHECKING:
    from sjepa_online.amplifier import AmplifierProfile

ModeOption = Annotated[
    Literal["sliding", "markers"] | None,
    typer.Option(
        help="Decode every step, or once after each marker of a class. By default sliding, but "
        "markers for ERP, and for a decoder with dynamic stopping while one marker stream is in "
        "sight: it decides early only after markers."
    ),
]


@describes_signal()
def decode(
    amplifier: AmplifierProfile,
    decoder: DecoderFileOption,
    stream: Annotated[
        str | None, typer.Option(help="Stream to decode; needed when several are in sight.")
    ] = None,
    mode: ModeOption = None,
    step: Annotated[
        float, typer.Option(min=1 / 128, max=60.0, help="Seconds between sliding decisions.")
    ] = 0.125,
    wait: Annotated[float, typer.Option(min=0.5, help="Seconds to wait for the stream.")] = 10.0,
    seconds: Annotated[
        float | None, typer.Option(min=0.0, help="Stop after so many seconds.")
    ] = None,
    adapt: AdaptOption = True,
    lsl_scope: ScopeOption = None,
    json: Annotated[
        bool, output_option("--json", help="Print a JSON object a line, nothing else.")
    ] = False,
) -> None:
    """Decode a live stream and publish probabilities and decisions over LSL."""
    from sjepa_apps.cli.live_output import show
    from sjepa_online.errors import OperationError
    from sjepa_online.online import DECISIONS, PROBABILITIES, LiveDecoder, use_one_thread

    configure_lsl(lsl_scope)
    use_one_thread()
    with LiveDecoder.open(
        decoder,
        stream,
        mode=mode,
        step=step,
        amplifier=amplifier,
        wait=wait,
        publish="",
        adapt=adapt,
    ) as live:
        after = f" after the markers of {live.markers.stream.name}" if live.markers else ""
        say(
            f"Decoding {live.signal.stream.name} with {live.engine.decoder.name}{after}; published "
            f"as '{PROBABILITIES}' and '{DECISIONS}'. Ctrl-C stops."
        )
        for event in live.events(float("inf") if seconds is None else seconds):
            show(event, json)
        if live.ended:
            raise OperationError(f"Nothing is left to decode: {live.ended}")
