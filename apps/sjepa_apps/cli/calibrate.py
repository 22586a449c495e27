"""``sjepa-online calibrate``: from labelled trials to a decoder file."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from sjepa_apps.cli.common import (
    DeviceOption,
    EarlyOption,
    JsonOption,
    ParadigmOption,
    PopulationOption,
    SeedOption,
    WeightsOption,
    print_json,
    progress_bar,
    say,
)
from sjepa_online.errors import InputError

if TYPE_CHECKING:
    from sjepa_online.data import Recording
    from sjepa_online.training import Calibration


def calibrate(
    paradigm: ParadigmOption,
    source: Annotated[
        list[str] | None,
        typer.Option("--from", help="Recordings (SOURCE...) to calibrate from."),
    ] = None,
    decoder: Annotated[str | None, typer.Option(help="Decoder; `auto` by default.")] = None,
    weights: WeightsOption = "default",
    population: PopulationOption = "auto",
    early_stopping: EarlyOption = False,
    out: Annotated[Path, typer.Option(help="Decoder file to write.")] = Path("decoder.safetensors"),
    report: Annotated[
        Path | None,
        typer.Option(help="HTML page to write: how good the calibration is, and what to do."),
    ] = None,
    overwrite: Annotated[bool, typer.Option(help="Replace existing files.")] = False,
    seed: SeedOption = 0,
    device: DeviceOption = "auto",
    json: JsonOption = False,
) -> None:
    """Train a decoder, cross-validate it, and save it."""
    from sjepa_online.data import load_sources
    from sjepa_online.decoding import DEFAULT_DECODER, DecoderRequest
    from sjepa_online.protocol import load_protocol
    from sjepa_online.signal import PreprocessorConfig
    from sjepa_online.training import N_FOLDS
    from sjepa_online.training import calibrate as run

    if not source:
        raise InputError(
            "Calibration needs recordings",
            value="no --from",
            remedy="Give them with --from SOURCE...; `--from sample` is there for a try.",
        )
    check_out(out, overwrite)
    if report is not None:
        check_out(report, overwrite, "--report")
    protocol = load_protocol(paradigm)
    request = DecoderRequest(decoder or DEFAULT_DECODER, weights, seed, device, population)
    preprocessing = PreprocessorConfig()
    recordings = load_sources(source)
    with progress_bar("Calibrating", N_FOLDS + 1) as advance:
        calibration = run(
            recordings, protocol, preprocessing, request, early=early_stopping, progress=advance
        )
    for reason in calibration.trials.dropped:
        say(f"left out: {reason}")
    calibration.decoder.save(out)
    if report is not None:
        write_report(report, calibration, recordings)
    summary = calibration.decoder.calibration
    if json:
        print_json(
            {
                "paradigm": protocol.name,
                "decoder": calibration.decoder.name,
                "classes": list(calibration.decoder.classes),
                "n_trials": summary.n_trials,
                "cv": summary.cross_validation,
                "early": summary.early,
                "choice": summary.choice,
                "population": summary.population,
                "fit_s": calibration.fit_seconds,
                "out": str(out),
                **({} if report is None else {"report": str(report)}),
            }
        )
        return
    for name, scores in summary.cross_validation.items():
        told = ", ".join(f"{key} {value:.3f}" for key, value in scores.items())
        typer.echo(f"{name}: {told} ({N_FOLDS}-fold cross-validation, {summary.n_trials} trials)")
    if summary.early:
        told = ", ".join(f"{key} {value:.3f}" for key, value in summary.early.items())
        typer.echo(f"deciding early: {told}")
    if summary.choice:
        typer.echo(f"Chosen: {summary.choice}")
    typer.echo(f"Population: {summary.population}")
    typer.echo(f"Saved {out}")
    if report is not None:
        typer.echo(f"Report: {report}")


def write_report(path: Path, calibration: Calibration, recordings: Sequence[Recording]) -> None:
    """Write the calibration report as one HTML page."""
    from sjepa_online.evaluation.report import collect, render
    from sjepa_online.files import atomic_write

    say("Writing the report")
    page = render(collect(calibration, recordings), datetime.now())
    atomic_write(path, page.encode())


def check_out(out: Path, overwrite: bool, option: str = "--out") -> None:
    """Refuse to replace a file unasked, before any time is spent.

    Raises
    ------
    InputError
        The file exists, or its folder does not.
    """
    if out.exists() and not overwrite:
        raise InputError(
            "An existing file is not replaced unasked",
            value=str(out),
            remedy=f"Choose another {option}, or add --overwrite.",
        )
    if not out.parent.is_dir():
        raise InputError(
            "The folder of the output file exists",
            value=str(out.parent),
            remedy=f"Create it, or choose another {option}.",
        )
