"""``sjepa-online simulate``: a simulated participant as an LSL stream."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from sjepa_apps.cli.common import ParadigmOption, ScopeOption, configure_lsl, say

if TYPE_CHECKING:
    from sjepa_online.protocol import Protocol


def simulate(
    paradigm: ParadigmOption,
    channels: Annotated[
        str,
        typer.Option(
            help="Number of electrodes, 1 to 128 (the most useful ones first), or names: C3,Cz."
        ),
    ] = "16",
    sfreq: Annotated[
        float, typer.Option(max=4000.0, help="Sampling rate, 100 to 4000 Hz.")
    ] = 250.0,
    seed: Annotated[int, typer.Option(min=0, help="Number of the simulated participant.")] = 0,
    session: Annotated[
        int, typer.Option(min=1, help="Session of that participant; each has its own noise.")
    ] = 1,
    name: Annotated[
        str, typer.Option(help="Name of the stream; ' (simulated)' is added.")
    ] = "sjepa-online-participant",
    markers: Annotated[
        str, typer.Option(help="Marker stream that the participant answers.")
    ] = "sjepa-online-stimulus",
    seconds: Annotated[
        float | None, typer.Option(min=0.1, help="Stop after this time (s).")
    ] = None,
    mains: Annotated[Literal["50", "60"], typer.Option(help="Frequency of the mains (Hz).")] = "50",
    lsl_scope: ScopeOption = None,
) -> None:
    """Simulate a participant who answers the stimulus markers, as an LSL stream in real time."""
    from sjepa_online.data.simulated import SimulatedParticipant
    from sjepa_online.protocol import load_protocol
    from sjepa_online.stream import ParticipantStream

    configure_lsl(lsl_scope)
    protocol = load_protocol(paradigm)
    ch_names = _electrodes(channels, protocol)
    participant = SimulatedParticipant(
        protocol, ch_names, sfreq, seed, session=session, mains=float(mains)
    )
    stream = ParticipantStream(participant, name=name, markers=markers, report=say)
    say(
        f"SIMULATED participant {seed}, session {session}: no person is recorded. "
        f"{len(ch_names)} channels at {sfreq:g} Hz as '{stream.name}', answering the markers of "
        f"'{markers}' by the protocol {protocol.name}. Ctrl-C stops."
    )
    stream.run(math.inf if seconds is None else seconds)


def _electrodes(channels: str, protocol: Protocol) -> Sequence[str]:
    """Read a number of electrodes, or their names."""
    from sjepa_online.data.simulated import simulated_channels
    from sjepa_online.signal.montage import resolve_channel_names

    if channels.isdecimal():
        return simulated_channels(protocol.paradigm, int(channels))
    return resolve_channel_names([name.strip() for name in channels.split(",")])
