"""``sjepa-online population``: other people's labelled recordings as a start for calibrations."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path, PurePath
from typing import TYPE_CHECKING, Annotated, Any

import typer

from sjepa_apps.cli.checks import check_sources, ends_in
from sjepa_apps.cli.common import (
    JsonOption,
    ParadigmOption,
    WeightsOption,
    check_out,
    print_json,
    progress_bar,
    say,
)

if TYPE_CHECKING:
    from sjepa_online.data import Recording
    from sjepa_online.protocol import Protocol


def population(
    source: Annotated[
        list[str],
        typer.Argument(callback=check_sources, help="Recordings (SOURCE...) of other people."),
    ],
    paradigm: ParadigmOption,
    out: Annotated[
        Path, typer.Option(callback=ends_in(".safetensors"), help="Population file to write.")
    ],
    weights: WeightsOption = "default",
    overwrite: Annotated[bool, typer.Option(help="Replace an existing file.")] = False,
    json: JsonOption = False,
) -> None:
    """Make a population from labelled recordings of several people, of any mix of montages.

    For imagery of left and right a network is trained; an interrupted training goes on when the
    command is given again. For SSVEP the weights that the people share are found. People are
    told apart by `sub-XX`, by SxxxRyy, or by the name of the file. Name the result with the
    option `--population` of `calibrate`.
    """
    check_out(out, overwrite)
    from sjepa_online.data import load_sources
    from sjepa_online.protocol import load_protocol

    protocol = load_protocol(paradigm)
    recordings = load_sources(source)
    make = _imagery if protocol.paradigm == "mi" else _ssvep
    told, described = make(recordings, protocol, out, weights)
    if json:
        print_json({**described, "out": str(out)})
        return
    typer.echo(told)
    typer.echo(f"Saved {out}")


def _imagery(
    recordings: Sequence[Recording], protocol: Protocol, out: Path, weights: str
) -> tuple[str, dict[str, Any]]:
    """Train a network of imagery, save it with its card, and say how it decodes others."""
    from sjepa_online.training.imagery_population import (
        group_by_person,
        model_card,
        read_person,
        train_population,
    )
    from sjepa_online.training.population_network import EPOCHS

    del weights  # its first convolution is a bank over the rhythms, whatever was pretrained
    groups = group_by_person(recordings)
    people = []
    with progress_bar("Preprocessing", len(groups)) as advance:
        for name, own in groups.items():
            people.append(read_person(name, own, protocol))
            advance()
    interrupted = out.with_suffix(".training")
    with progress_bar("Training", EPOCHS) as advance:
        made = train_population(people, protocol, resume_from=interrupted, progress=advance)
    made.save(out)
    out.with_suffix(".md").write_text(model_card(out.stem, made.config), encoding="utf-8")
    interrupted.unlink(missing_ok=True)
    score, n_people = made.config.held_out, len(made.config.people)
    told = (
        f"{made.config.n_trials} trials of {n_people} people on "
        f"{', '.join(made.config.ch_names)}\n"
        f"People left out, without a label of theirs: accuracy {score.accuracy:.3f} "
        f"({score.interval[0]:.3f} to {score.interval[1]:.3f}), {score.share_above_070:.0%} of "
        "them at 0.70 or more"
    )
    return told, made.config.model_dump(mode="json")


def _ssvep(
    recordings: Sequence[Recording], protocol: Protocol, out: Path, weights: str
) -> tuple[str, dict[str, Any]]:
    """Find and save the weights that people share over stimulus frequencies."""
    from sjepa_online.data import make_trials
    from sjepa_online.decoding.population import common_channels, fit_population
    from sjepa_online.decoding.sjepa import load_network
    from sjepa_online.signal import PreprocessorConfig

    ch_names = common_channels([recording.ch_names for recording in recordings])
    sessions = []
    with progress_bar("Preprocessing", len(recordings)) as advance:
        for recording in recordings:
            trials = make_trials([recording], protocol, PreprocessorConfig(), ch_names)
            for reason in trials.dropped:
                say(f"left out: {reason}")
            sessions.append((trials.X, trials.y))
            advance()
    made = fit_population(
        sessions,
        protocol,
        ch_names,
        load_network(weights, None, seed=0).local_encoder.first_kernels.numpy(),
        weights=weights,
        sources=[PurePath(recording.name).name for recording in recordings],
        simulated=any(recording.simulated for recording in recordings),
    )
    made.save(out)
    told = (
        f"{made.config.n_trials} trials of {made.config.n_sessions} recordings on "
        f"{', '.join(ch_names)}"
    )
    return told, made.config.model_dump(mode="json")
