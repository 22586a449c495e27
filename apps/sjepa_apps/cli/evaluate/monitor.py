"""``sjepa-online evaluate monitor``: false alarms and detections of the channel monitor."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from sjepa_apps.cli.checks import check_sources
from sjepa_apps.cli.common import JsonOption, SeedOption, echo, print_json, progress_bar
from sjepa_apps.cli.description import describes_signal
from sjepa_apps.cli.evaluate.comparison import load_sides

if TYPE_CHECKING:
    from sjepa_online.amplifier import AmplifierProfile


@describes_signal(files=True)
def monitor(
    amplifier: AmplifierProfile,
    train: Annotated[
        list[str],
        typer.Option(
            "--train", callback=check_sources, help="Recordings (SOURCE...) to learn from."
        ),
    ],
    test: Annotated[
        list[str] | None,
        typer.Option(
            "--test",
            callback=check_sources,
            help="Recordings (SOURCE...) to monitor. By default the monitor learns from the first "
            "half of each recording of --train, and monitors the second half.",
        ),
    ] = None,
    draws: Annotated[int, typer.Option(min=1, help="Number of faults of each kind.")] = 20,
    seed: SeedOption = 0,
    json: JsonOption = False,
) -> None:
    """Measure false alarms on clean recordings, and how well inserted faults are detected."""
    from sjepa_online.evaluation.bad_channels.monitor import evaluate_monitor, halves, n_steps

    calibration, monitored = load_sides(train, test or (), amplifier)
    if not monitored:
        parts = [halves(recording) for recording in calibration]
        calibration, monitored = [part[0] for part in parts], [part[1] for part in parts]
    with progress_bar("Monitoring", n_steps(len(monitored))) as advance:
        result = evaluate_monitor(calibration, monitored, draws, seed, advance)
    document = result.to_json()
    if json:
        print_json(document)
    else:
        _print(document)


def _print(document: dict[str, Any]) -> None:
    echo(
        f"{len(document['false_alarms'])} false alarms in {document['channel_hours']:.2f} "
        f"channel-hours, channels bad for {document['bad_share']:.3%} of the time"
    )
    for alarm in document["false_alarms"]:
        reasons = ", ".join(alarm["reasons"])
        echo(f"  {alarm['recording']} at {alarm['time']:.1f} s: {alarm['channel']} {reasons}")
    for kind, entry in document["faults"].items():
        if entry["delay_median_s"] is None:
            echo(f"{kind}: none of {entry['draws']} detected")
            continue
        echo(
            f"{kind}: {entry['detected']:.1%} of {entry['draws']} detected, "
            f"{entry['within_1.5_s']:.1%} within 1.5 s; "
            f"median {entry['delay_median_s']:.2f} s, 95 % {entry['delay_95_s']:.2f} s"
            + (f"; {entry['scaled_back']:.1%} scaled back" if entry["scaled_back"] else "")
        )
