"""``sjepa-online streams`` and ``replay``: list LSL streams, and replay recordings as such."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from sjepa_apps.cli.common import (
    JsonOption,
    ScopeOption,
    SourcesArgument,
    configure_lsl,
    echo,
    print_json,
    say,
)
from sjepa_apps.cli.description import describes_signal

if TYPE_CHECKING:
    from sjepa_online.amplifier import AmplifierProfile
    from sjepa_online.stream import StreamDescription


@describes_signal()
def streams(
    amplifier: AmplifierProfile,
    wait: Annotated[float, typer.Option(min=0.5, help="Time to look for streams (s).")] = 1.0,
    lsl_scope: ScopeOption = None,
    json: JsonOption = False,
) -> None:
    """List the LSL streams in sight."""
    from sjepa_online.stream import find_streams

    configure_lsl(lsl_scope)
    found = find_streams(wait)
    if json:
        print_json([stream.summary() for stream in found])
        return
    if not found:
        say("No stream is in sight. Start the amplifier's LSL program, or `sjepa-online replay`.")
        return
    for one in found:
        rate = f"{one.sfreq:g} Hz" if one.sfreq else "irregular"
        echo(
            f"{one.name}\n"
            f"    {one.type}, channels: {one.n_channels}, rate: {rate}, "
            f"unit: {one.unit or 'not declared'}\n"
            f"    host: {one.host}, source id: {one.source_id or 'none'}"
        )
        of_decoder = one.type == "Probability"  # what `decode` and `live` publish
        if one.is_kind("signal") and not of_decoder and (told := how_it_is_read(one, amplifier)[1]):
            echo(f"    {told}")


def how_it_is_read(stream: StreamDescription, amplifier: AmplifierProfile) -> tuple[bool, str]:
    """Tell whether a stream can be read, with its electrodes; or what is missing."""
    from sjepa_online.amplifier import fitting_profile, pick_channels
    from sjepa_online.errors import InputError

    fitting = fitting_profile(stream.declaration)
    fits = "" if fitting is None else f"; the profile {fitting} fits"
    try:
        picked = pick_channels(stream.declaration, amplifier)
    except InputError as error:
        return False, str(error)
    notes = "".join(f"; {note}" for note in picked.notes)
    names = ", ".join(picked.ch_names)
    return True, f"electrodes in {picked.unit}: {names}{fits}{notes}"


@describes_signal(files=True)
def replay(
    amplifier: AmplifierProfile,
    source: SourcesArgument,
    name: Annotated[str, typer.Option(help="Name of the stream.")] = "sjepa-online-replay",
    speed: Annotated[float, typer.Option(help="Speed of the replay; 1 is real time.")] = 1.0,
    loop: Annotated[bool, typer.Option(help="Begin again at the end.")] = False,
    corrupt: Annotated[
        str | None,
        typer.Option(
            help="Faults to inject, as in C3:flat@10-20,Oz:noise@30-, with times in seconds of "
            "signal from the start of the replay."
        ),
    ] = None,
    lsl_scope: ScopeOption = None,
) -> None:
    """Replay recordings as an LSL stream in real time, with their events as markers."""
    from sjepa_online.data import load_sources
    from sjepa_online.data.corruption import Corruption, parse_faults
    from sjepa_online.stream import Replay

    faults = () if corrupt is None else parse_faults(corrupt)
    configure_lsl(lsl_scope)
    recordings = load_sources(source, amplifier)
    transform = Corruption(faults, recordings) if faults else None
    replaying = Replay(recordings, name=name, speed=speed, loop=loop, transform=transform)
    say(
        f"Replaying {replaying.duration:.0f} s of {len(replaying.ch_names)} channels at "
        f"{replaying.sfreq:g} Hz as '{replaying.name}', markers as '{replaying.marker_name}'. "
        "Ctrl-C stops."
    )
    replaying.run()
