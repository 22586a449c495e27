"""Options, inputs and outputs of the commands that train on some recordings and test on others."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from sjepa_apps.cli.common import check_out, decoder_option, output_option, say
from sjepa_apps.cli.progress import show_progress

if TYPE_CHECKING:
    from sjepa_online.amplifier import AmplifierProfile
    from sjepa_online.data import Recording, Trials
    from sjepa_online.decoding import DecoderRequest
    from sjepa_online.protocol import Protocol

SeedsOption = Annotated[int, decoder_option(min=1, metavar="N", help="Number of seeds.")]
CsvOption = Annotated[
    Path | None, output_option("--csv", metavar="FILE", help="Results as a CSV table.")
]
PlotOption = Annotated[
    Path | None,
    output_option("--plot", metavar="FILE", help="Results as a plot: .png, .svg or .pdf."),
]


@dataclass(frozen=True)
class Comparison:
    """Both sides of a comparison of decoders.

    Attributes
    ----------
    train, test : list of Recording
        To train on, and to test on.
    training, testing : Trials
        Theirs, of the same channels.
    requests : list of DecoderRequest
        With a population that suits the recordings.
    sfreq : float
        Rate of the recordings that are tested on (Hz).
    """

    train: list[Recording]
    test: list[Recording]
    training: Trials
    testing: Trials
    requests: list[DecoderRequest]
    sfreq: float


def make_requests(
    names: Sequence[str] | None, weights: str, seed: int, device: str, population: str
) -> list[DecoderRequest]:
    """Ask for decoders by name; by default the program's own and the one to beat."""
    from sjepa_online.decoding import DEFAULT_DECODER, DecoderRequest

    return [
        DecoderRequest(name, weights, seed, device, population)
        for name in names or (DEFAULT_DECODER, "riemann")
    ]


def load_sides(
    train: Sequence[str], test: Sequence[str], amplifier: AmplifierProfile
) -> tuple[list[Recording], list[Recording]]:
    """Read the recordings to train on and those to test on.

    Raises
    ------
    InputError
        A recording both trains and tests, or cannot be read.
    """
    from sjepa_online.data import expand_sources, load_sources, refuse_repetition

    expand_sources([*train, *test])
    sides = load_sources(train, amplifier), load_sources(test, amplifier)
    refuse_repetition(name for side in sides for recording in side for name in recording.files)
    return sides


def load_comparison(
    protocol: Protocol,
    train: Sequence[str],
    test: Sequence[str],
    requests: Sequence[DecoderRequest],
    amplifier: AmplifierProfile,
) -> Comparison:
    """Read the recordings and cut their trials; print which are left out.

    Raises
    ------
    InputError
        A recording both trains and tests, cannot be read, or has no trials of the protocol.
    """
    with show_progress("Reading the recordings and cutting their trials"):
        sides = load_sides(train, test, amplifier)
        compared, told = compare(protocol, *sides, requests)
    for line in told:
        say(line)
    return compared


def compare(
    protocol: Protocol,
    train: list[Recording],
    test: list[Recording],
    requests: Sequence[DecoderRequest],
) -> tuple[Comparison, list[str]]:
    """Cut the trials of both sides; return the comparison, and what is to be told of it.

    Raises
    ------
    InputError
        A recording has no trials of the protocol.
    """
    from sjepa_online.data import electrodes_told, make_trials, montage, not_shared
    from sjepa_online.decoding.transfer.start import NO_USE
    from sjepa_online.signal import PreprocessorConfig

    both = [*train, *test]
    names_of_channels = montage(both, protocol)
    training, testing = (
        make_trials(side, protocol, PreprocessorConfig(), names_of_channels)
        for side in (train, test)
    )
    told = [line] if (line := electrodes_told(both, protocol)) else []
    left_out = (*not_shared(both), *training.dropped, *testing.dropped)
    told += [f"left out: {reason}" for reason in left_out]
    names = [recording.name for recording in both]
    settled = []
    for request in requests:
        epochs = (training.X, testing.X)
        plan = request.resolve(protocol, training.ch_names, names, epochs=epochs)
        if plan.note != NO_USE.note:
            told.append(f"{request.name}: {plan.note}")
        settled.append(plan.request)
    return Comparison(train, test, training, testing, settled, test[0].sfreq), told


def check_results(csv: Path | None, plot: Path | None, overwrite: bool) -> None:
    """Refuse output files that cannot be written, before any time is spent.

    Raises
    ------
    InputError
        A file exists, its folder does not, or a plot's suffix names no format.
    """
    for path, option in ((csv, "--csv"), (plot, "--plot")):
        if path is not None:
            check_out(path, overwrite, option)
    if plot is not None:
        from sjepa_online.evaluation.plots import check_plot_path

        check_plot_path(plot)
