"""``sjepa-online decode``: headless live decoding."""

from __future__ import annotations

import time
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated

import typer

from sjepa_apps.cli.common import (
    DecoderFileOption,
    JsonOption,
    ScopeOption,
    UnitOption,
    configure_lsl,
    say,
)

if TYPE_CHECKING:
    from sjepa_online.decoding import Decoder
    from sjepa_online.stream import StreamDescription

PROBABILITIES = "sjepa-online-probabilities"
DECISIONS = "sjepa-online-decisions"

# seconds to look for markers without which decoding goes on as well
_GLANCE = 1.0


class Mode(StrEnum):
    """When a window is decoded."""

    SLIDING = "sliding"
    MARKERS = "markers"


ModeOption = Annotated[
    Mode | None,
    typer.Option(
        help="Every step, or once after each marker of a class. By default sliding, but markers "
        "for ERP, and for a decoder with early stopping while one marker stream is in sight: "
        "it decides early only after markers."
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
    marker_stream = find_markers(loaded, mode, markers, wait)
    locked = marker_stream is not None
    marker_inlet = None if marker_stream is None else MarkerInlet(marker_stream)
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
        after = "" if marker_stream is None else f" after the markers of {marker_stream.name}"
        say(
            f"Decoding {signal.stream.name} with {loaded.name}{after}; published as "
            f"'{PROBABILITIES}' and '{DECISIONS}'. Ctrl-C stops."
        )
        end = None if seconds is None else time.monotonic() + seconds
        while end is None or time.monotonic() < end:
            for result in live.poll():
                show(result, json)
                if isinstance(result, StreamLost) and not result.recoverable:
                    raise OperationError(f"Nothing is left to decode: {result.detail}")


def find_markers(
    decoder: Decoder, mode: Mode | None, selector: str | None, wait: float
) -> StreamDescription | None:
    """Find the markers after which to decode; None to decode in a sliding window.

    Parameters
    ----------
    decoder : Decoder
    mode : Mode or None
        What the user wants; None leaves it to the decoder.
    selector : str or None
        The user's choice of a marker stream; see :func:`~sjepa_online.stream.resolve_stream`.
    wait : float
        How long to wait for it (s), where there is no decoding without it.

    Raises
    ------
    InputError
        The markers that are needed, or chosen, are not in sight, or not one stream only.
    """
    from sjepa_online.errors import InputError
    from sjepa_online.stream import resolve_stream

    if mode is Mode.MARKERS or (mode is None and decoder.protocol.paradigm == "erp"):
        return resolve_stream(selector, wait, "markers")
    if mode is Mode.SLIDING or len(decoder.window_lengths) == 1:
        return None
    if selector is not None:
        return resolve_stream(selector, wait, "markers")
    try:
        return resolve_stream(None, _GLANCE, "markers")
    except InputError:
        say(
            "Early stopping needs --mode markers, and not one marker stream is in sight: "
            "whole windows are decoded, in steps."
        )
        return None
