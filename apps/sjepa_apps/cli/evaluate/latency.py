"""``sjepa-online evaluate latency``: the speed of decisions on the user's own machine."""

from __future__ import annotations

from functools import partial
from typing import Annotated, Literal

import typer

from sjepa_apps.cli.checks import check_decoder_name, check_paradigm
from sjepa_apps.cli.common import (
    DeviceOption,
    JsonOption,
    WeightsOption,
    echo,
    print_json,
    progress_bar,
)
from sjepa_apps.cli.windows import paint_offscreen_without_display
from sjepa_online.errors import InputError


def latency(
    paradigm: Annotated[
        str,
        typer.Option(
            "--paradigm", "-p", callback=check_paradigm, help="Protocol whose window is decoded."
        ),
    ] = "mi",
    decoder: Annotated[
        str, typer.Option(callback=check_decoder_name, help="Decoder to time.")
    ] = "pre-local",
    channels: Annotated[int, typer.Option(min=1, max=128, help="Channels of the stream.")] = 62,
    sfreq: Annotated[
        float, typer.Option(min=100.0, max=4000.0, help="Rate of the stream in Hz.")
    ] = 1000.0,
    seconds: Annotated[
        float, typer.Option(min=1.0, max=86400.0, help="Time to decode (s).")
    ] = 60.0,
    weights: WeightsOption = "default",
    device: DeviceOption = "auto",
    with_window: Annotated[
        bool, typer.Option("--with-window", help="Decode in the live window, and time that too.")
    ] = False,
    view: Annotated[
        Literal["signals", "connect", "scalp", "decoder", "trials", "health", "log", "analysis"]
        | None,
        typer.Option(help="View in front, with --with-window."),
    ] = None,
    json: JsonOption = False,
) -> None:
    """Time decisions on a simulated stream through real LSL."""
    if view is not None and not with_window:
        raise InputError(
            "There is no window to show a view in",
            value=f"--view {view}",
            remedy="Add --with-window.",
        )
    from sjepa_online.decoding import DecoderRequest
    from sjepa_online.decoding.classifiers.fine_tuning import choose_device
    from sjepa_online.evaluation.latency import TimedDecoding, measure_latency
    from sjepa_online.protocol import load_protocol

    request = DecoderRequest(decoder, weights, 0, choose_device(device))
    decode: TimedDecoding | None = None
    if with_window:
        paint_offscreen_without_display()
        from sjepa_apps.live.benchmark import decode_in_window

        decode = partial(decode_in_window, view=view.capitalize()) if view else decode_in_window
    with progress_bar("Decoding simulated noise over LSL", round(seconds)) as advance:
        result = measure_latency(
            load_protocol(paradigm), request, channels, sfreq, seconds, advance, decode
        )
    if json:
        print_json(result)
        return
    for name in ("decision_ms", "end_to_end_ms"):
        told = ", ".join(f"{key} {value:.2f}" for key, value in result[name].items())
        echo(f"{name}: {told}")
    echo(
        f"{result['decisions']} decisions, {result['samples_received']} of "
        f"{result['samples_sent']} samples, {100 * result['cpu_share']:.0f} % of a core"
    )
    if with_window:
        window = result["window"]
        echo(
            f"window: {window['frames_per_s']:.1f} frames a second, longest gap "
            f"{window['longest_gap_ms']:.0f} ms, memory grew by "
            f"{window['memory_growth_mb']:.1f} MB, {100 * window['cpu_share']:.0f} % of a core"
        )
