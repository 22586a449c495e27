"""``sjepa-online record``: streams as an XDF file, without a window."""

from __future__ import annotations

import shutil
import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from sjepa_apps.cli.checks import ends_in
from sjepa_apps.cli.common import JsonOption, ScopeOption, configure_lsl, print_json, say
from sjepa_apps.cli.description import describes_signal

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sjepa_online.amplifier import AmplifierProfile
    from sjepa_online.stream import Arrivals, Recorder, StreamDescription

#: Seconds between two looks at the recording.
LOOK_EVERY = 0.5
#: Seconds between two lines of progress.
TELL_EVERY = 10.0
#: Seconds for which a file is waited for after Ctrl-C, which ends every command within 2 s.
CLOSED_WITHIN = 1.4


@describes_signal()
def record(
    amplifier: AmplifierProfile,
    out: Annotated[Path, typer.Option(callback=ends_in(".xdf"), help="File to write (.xdf).")],
    stream: Annotated[
        str | None, typer.Option(help="EEG stream; needed when several are in sight.")
    ] = None,
    also: Annotated[
        list[str] | None, typer.Option("--also", help="A further stream to record; repeated.")
    ] = None,
    wait: Annotated[float, typer.Option(min=0.5, help="Seconds to wait for the streams.")] = 10.0,
    seconds: Annotated[
        float | None, typer.Option(min=0.0, help="Stop after so many seconds.")
    ] = None,
    lsl_scope: ScopeOption = None,
    json: JsonOption = False,
) -> None:
    """Record EEG and markers as XDF until Ctrl-C, which ends the file whole."""
    from sjepa_online.amplifier import pick_channels
    from sjepa_online.stream import Arrivals, resolve_stream

    configure_lsl(lsl_scope)
    eeg = resolve_stream(stream, wait, prefers=amplifier.prefers)
    picked = pick_channels(eeg.declaration, amplifier)
    for note in picked.notes:
        say(note)
    others = [resolve_stream(name, wait) for name in also or ()]
    chosen = _distinct([eeg, *_markers(amplifier, wait), *others])
    recorder = _recorder(out, eeg, chosen)
    problem, interrupted = "", False
    try:
        recorder.start(max(20.0, wait))
        say(f"Recording {', '.join(one.name for one in chosen)} to {out}. Ctrl-C stops.")
        with Arrivals(eeg) as arrivals:
            problem = _watch(recorder, arrivals, out, seconds)
    except KeyboardInterrupt:
        interrupted = True
        say("Closing the file")
        if not recorder.leave(CLOSED_WITHIN):
            say("A stream is lost or slow: the file will be whole within 9 s")
    finally:
        recorder.stop()
    _tell(out, chosen, picked.ch_names, problem, json)
    if interrupted:
        # as any command that runs until Ctrl-C
        raise KeyboardInterrupt


def _recorder(out: Path, eeg: StreamDescription, chosen: Sequence[StreamDescription]) -> Recorder:
    """Make a recorder of streams that knows by which clock the signal is stamped."""
    from sjepa_online.stream import Recorder
    from sjepa_online.stream.recording import hung_after
    from sjepa_online.stream.stretch import clock_shift

    shift = clock_shift(eeg)
    if shift:
        say(f"{eeg.name} has another clock, {-shift:+.3f} s off; the file tells it")
    shifts = {eeg.uid: shift} if shift else None
    return Recorder(out, [one.uid for one in chosen], shifts, hung_after(eeg))


def _markers(amplifier: AmplifierProfile, wait: float) -> list[StreamDescription]:
    """Return the marker stream that is named, or all that are in sight but this program's own."""
    from sjepa_online.markers import DECISION_SOURCE, MARK_SOURCE
    from sjepa_online.stream import find_streams, resolve_stream

    if amplifier.trigger is not None:
        return []
    if amplifier.marker_stream is not None:
        return [resolve_stream(amplifier.marker_stream, wait, "markers")]
    own = (DECISION_SOURCE, MARK_SOURCE)
    found = [one for one in find_streams() if one.is_kind("markers")]
    usable = [one for one in found if not one.source_id.startswith(own)]
    for one in usable:
        if one.problem or not one.asked:
            say(f"{one.name} is not recorded: {one.problem or 'its source does not answer'}")
    return [one for one in usable if one.asked and not one.problem]


def _distinct(streams: Sequence[StreamDescription]) -> list[StreamDescription]:
    return list({one.uid: one for one in streams}.values())


def _watch(recorder: Recorder, arrivals: Arrivals, out: Path, seconds: float | None) -> str:
    """Tell how the recording goes on until its end; return what has ended it, if anything."""
    began = told = time.monotonic()
    while seconds is None or time.monotonic() - began < seconds:
        time.sleep(LOOK_EVERY)
        status = recorder.status(arrivals.any())
        if status.problem:
            return status.problem
        if time.monotonic() - told >= TELL_EVERY:
            told = time.monotonic()
            free = shutil.disk_usage(out.parent).free
            say(
                f"{told - began:.0f} s, {status.n_bytes / 1e6:.1f} MB; "
                f"{free / 1e9:.1f} GB free on the disk"
            )
    return ""


def _tell(
    out: Path,
    streams: Sequence[StreamDescription],
    ch_names: Sequence[str],
    problem: str,
    json: bool,
) -> None:
    from sjepa_online.errors import OperationError

    if problem:
        raise OperationError(f"The recording has ended: {problem}")
    size = out.stat().st_size
    if json:
        names = [one.name for one in streams]
        print_json({"out": str(out), "bytes": size, "streams": names, "channels": list(ch_names)})
        return
    say(f"Wrote {out}: {size / 1e6:.1f} MB")
