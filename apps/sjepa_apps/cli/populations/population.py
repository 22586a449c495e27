"""``sjepa-online population``: other people's labelled recordings as a start for calibrations."""

from __future__ import annotations

from pathlib import Path, PurePath
from typing import TYPE_CHECKING, Annotated

import typer

from sjepa_apps.cli.checks import check_sources, check_weights, ends_in
from sjepa_apps.cli.common import (
    JsonOption,
    OverwriteOption,
    ParadigmOption,
    check_out,
    decoder_option,
    echo,
    print_json,
)
from sjepa_apps.cli.description import describes_signal
from sjepa_apps.cli.populations.imagery import make_imagery_population
from sjepa_apps.cli.populations.responses import common_epochs, make_response_population

if TYPE_CHECKING:
    from sjepa_online.amplifier import AmplifierProfile


def _check_weights(name: str | None) -> str | None:
    return None if name is None else check_weights(name)


@describes_signal(files=True)
def population(
    amplifier: AmplifierProfile,
    source: Annotated[
        list[str],
        typer.Argument(callback=check_sources, help="Recordings (SOURCE...) of other people."),
    ],
    paradigm: ParadigmOption,
    out: Annotated[
        Path, typer.Option(callback=ends_in(".safetensors"), help="Population file to write.")
    ],
    weights: Annotated[
        str | None,
        decoder_option(
            callback=_check_weights,
            metavar="W",
            help="Pretrained weights of the first convolution: name, file or random. By default "
            "cosines for imagery, else default.",
            show_default=False,
        ),
    ] = None,
    overwrite: OverwriteOption = False,
    json: JsonOption = False,
) -> None:
    """Let calibrations start from other people's labelled recordings.

    For imagery of left and right a network is trained, on any mix of montages; an interrupted
    training goes on when the command is given again. People are told apart by `sub-XX`, by
    SxxxRyy, or by the name of the file. For the other paradigms only electrodes that all
    recordings have in common are used. Give the resulting file to `calibrate --population`.
    """
    check_out(out, overwrite)
    from sjepa_online.data import load_sources
    from sjepa_online.decoding.classifiers.network import load_network
    from sjepa_online.decoding.transfer.population import fit_population
    from sjepa_online.protocol import load_protocol

    protocol = load_protocol(paradigm)
    recordings = load_sources(source, amplifier)
    if protocol.paradigm in ("erp", "mi"):
        told, described = (
            make_imagery_population(recordings, protocol, out, weights)
            if protocol.paradigm == "mi"
            else make_response_population(recordings, protocol, out)
        )
        if json:
            print_json({**described, "out": str(out)})
        else:
            echo(f"{told}\nSaved {out}")
        return
    weights = weights or "default"
    ch_names, sessions = common_epochs(recordings, protocol)
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
    if json:
        print_json({**made.config.model_dump(mode="json"), "out": str(out)})
        return
    echo(
        f"{made.config.n_trials} trials of {made.config.n_sessions} recordings on "
        f"{', '.join(ch_names)}"
    )
    echo(f"Saved {out}")
