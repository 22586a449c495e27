"""``sjepa-online demo``: the whole loop on this machine, with no hardware."""

from __future__ import annotations

import time
from functools import partial
from typing import TYPE_CHECKING, Annotated

import typer

from sjepa_apps.cli.common import (
    JsonOption,
    configure_lsl,
    print_json,
    progress_bar,
    say,
)
from sjepa_apps.cli.windows import display_problem, has_packages
from sjepa_online.errors import InputError

if TYPE_CHECKING:
    from sjepa_online.evaluation.demo import DemoDecoding

# as in sjepa_online.evaluation.demo, whose import takes too long for a help text
SAMPLE_PROTOCOL = "ssvep-exo"
#: Time between two lines of progress where there is no terminal (s).
TOLD_EVERY = 10.0


def demo(
    paradigm: Annotated[
        str, typer.Option("--paradigm", "-p", help="Protocol of the demo; ssvep-exo.")
    ] = SAMPLE_PROTOCOL,
    headless: Annotated[bool, typer.Option(help="Open no window.")] = False,
    speed: Annotated[
        float,
        typer.Option(min=0.1, max=8.0, help="Seconds of recording per second: 1 is real time."),
    ] = 4.0,
    json: JsonOption = False,
) -> None:
    """Calibrate on two recorded sessions, decode a third live over LSL, compare with the truth."""
    if paradigm != SAMPLE_PROTOCOL:
        raise InputError(
            "There are no recordings of this paradigm among those that ship with the project",
            value=f"--paradigm {paradigm}",
            remedy=f"Leave it out or say {SAMPLE_PROTOCOL}; `replay` takes any recording.",
        )
    say("Loading the decoder's libraries; the first time this takes half a minute.")
    configure_lsl("machine")
    started = time.monotonic()
    decode: DemoDecoding | None = None
    if not headless and _can_show():
        from sjepa_apps.live.demo import decode_in_window

        decode = decode_in_window
    from sjepa_online.evaluation.demo import run_demo

    result = run_demo(speed, partial(progress_bar, interval=TOLD_EVERY), say, decode)
    result["seconds"] = time.monotonic() - started
    if json:
        print_json(result)
        return
    typer.echo(
        f"{result['n_decoded']} trials decoded live: accuracy {result['accuracy']:.2f} "
        f"(chance {result['chance']:.2f}), decision latency {result['latency_ms']['p50']:.1f} ms "
        f"(p99 {result['latency_ms']['p99']:.1f} ms), {result['samples_lost']} samples lost, "
        f"{result['seconds']:.0f} s in all."
    )


def _can_show() -> bool:
    problem = display_problem() if has_packages() else "PyQt6 and pyqtgraph are not installed"
    if problem:
        say(f"No window opens here ({problem}): the demo goes on without.")
    return not problem
