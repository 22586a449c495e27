"""``sjepa-online calibrate``: from labelled trials to a decoder file."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from sjepa_apps.cli.common import (
    DeviceOption,
    JsonOption,
    ParadigmOption,
    SeedOption,
    WeightsOption,
    print_json,
    progress_bar,
    say,
)
from sjepa_online.errors import InputError


def calibrate(
    paradigm: ParadigmOption,
    source: Annotated[
        list[str] | None,
        typer.Option("--from", help="Recordings (SOURCE...) to calibrate from."),
    ] = None,
    decoder: Annotated[str | None, typer.Option(help="Decoder; `auto` by default.")] = None,
    weights: WeightsOption = "default",
    out: Annotated[Path, typer.Option(help="Decoder file to write.")] = Path("decoder.safetensors"),
    overwrite: Annotated[bool, typer.Option(help="Replace an existing decoder file.")] = False,
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
    protocol = load_protocol(paradigm)
    request = DecoderRequest(decoder or DEFAULT_DECODER, weights, seed, device)
    preprocessing = PreprocessorConfig()
    recordings = load_sources(source)
    with progress_bar("Calibrating", N_FOLDS + 1) as advance:
        calibration = run(recordings, protocol, preprocessing, request, progress=advance)
    for reason in calibration.trials.dropped:
        say(f"left out: {reason}")
    calibration.decoder.save(out)
    if json:
        print_json(
            {
                "paradigm": protocol.name,
                "decoder": calibration.decoder.name,
                "classes": list(calibration.decoder.classes),
                "n_trials": calibration.decoder.calibration.n_trials,
                "cv": calibration.decoder.calibration.cross_validation,
                "fit_s": calibration.fit_seconds,
                "out": str(out),
            }
        )
        return
    for name, scores in calibration.decoder.calibration.cross_validation.items():
        told = ", ".join(f"{key} {value:.3f}" for key, value in scores.items())
        typer.echo(
            f"{name}: {told} ({N_FOLDS}-fold cross-validation, "
            f"{calibration.decoder.calibration.n_trials} trials)"
        )
    typer.echo(f"Saved {out}")


def check_out(out: Path, overwrite: bool) -> None:
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
            remedy="Choose another --out, or add --overwrite.",
        )
    if not out.parent.is_dir():
        raise InputError(
            "The folder of the output file exists",
            value=str(out.parent),
            remedy="Create it, or choose another --out.",
        )
