"""``sjepa-online pretrain``: weights from unlabelled recordings."""

from __future__ import annotations

import statistics
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from sjepa_apps.cli.checks import check_recipe, check_sources
from sjepa_apps.cli.common import JsonOption, echo, print_json, say
from sjepa_apps.cli.description import describes_signal
from sjepa_apps.cli.progress import ProgressDisplay, show_progress

if TYPE_CHECKING:
    from sjepa_online.amplifier import AmplifierProfile

Accelerator = Literal["auto", "cpu", "cuda"]


@describes_signal(files=True)
def pretrain(
    amplifier: AmplifierProfile,
    recipe: Annotated[
        str, typer.Argument(callback=check_recipe, help="Name of a recipe in models/, or its path.")
    ],
    data: Annotated[
        list[str] | None,
        typer.Option(
            callback=check_sources, help="Recordings to train on, instead of the recipe's."
        ),
    ] = None,
    out: Annotated[
        Path | None, typer.Option(help="Folder of the training; pretraining/RECIPE by default.")
    ] = None,
    store: Annotated[Path, typer.Option(help="Folder of the preprocessed recordings.")] = Path(
        "pretraining/store"
    ),
    resume: Annotated[
        bool, typer.Option("--resume", help="Continue the training in --out.")
    ] = False,
    devices: Annotated[int, typer.Option(min=1, help="Number of devices per machine.")] = 1,
    nodes: Annotated[int, typer.Option(min=1, help="Number of machines.")] = 1,
    accelerator: Annotated[Accelerator, typer.Option(help="Kind of device.")] = "auto",
    prepare: Annotated[
        bool, typer.Option("--prepare", help="Only fill the store of preprocessed recordings.")
    ] = False,
    benchmark: Annotated[
        bool,
        typer.Option(
            "--benchmark",
            help="Only compare the speed of a step with that of a plain nn.Transformer.",
        ),
    ] = False,
    json: JsonOption = False,
) -> None:
    """Pretrain S-JEPA on unlabelled recordings."""
    from sjepa_online.training.pretraining import load_recipe
    from sjepa_online.training.pretraining import prepare as prepare_corpus
    from sjepa_online.training.pretraining import pretrain as run

    chosen = load_recipe(recipe)
    folder = Path("pretraining") / chosen.name if out is None else out
    if benchmark:
        _benchmark(chosen, accelerator, json)
        return
    with show_progress("Reading the list of recordings") as display:
        observer = _Observer(display)
        if prepare:
            corpus = prepare_corpus(chosen, data or (), store, observer.on_source, amplifier)
            outcome = None
        else:
            outcome, corpus = run(
                chosen,
                data or (),
                folder,
                store,
                observer,
                observer.on_source,
                accelerator=accelerator,
                devices=devices,
                nodes=nodes,
                resume=resume,
                amplifier=amplifier,
            )
    if observer.is_first_process:
        _report(corpus, outcome, json)


def _report(corpus: Any, outcome: Any, json: bool) -> None:
    for name, note in corpus.notes:
        say(f"{name}: {note}")
    for name, reason in corpus.broken:
        say(f"Left out: {name}: {reason}")
    document: dict[str, Any] = {
        "n_recordings": len(corpus.shards),
        "n_train": len(corpus.train),
        "n_validation": len(corpus.validation),
        "n_channels": len(corpus.ch_names),
        "left_out": [{"name": name, "reason": reason} for name, reason in corpus.broken],
    }
    if outcome is not None:
        document |= {
            "epochs": outcome.n_epochs,
            "kept": asdict(outcome.kept),
            "weights": str(outcome.weights),
        }
    if json:
        print_json(document)
        return
    echo(
        f"{document['n_recordings']} recordings, {document['n_train']} training and "
        f"{document['n_validation']} validation examples, {len(corpus.broken)} left out"
    )
    if outcome is not None:
        echo(
            f"Kept of {outcome.n_epochs} epochs: {outcome.kept.epoch}, validation loss "
            f"{outcome.kept.validation_loss:.4f}. Weights: {outcome.weights}"
        )


def _benchmark(recipe: Any, accelerator: Accelerator, json: bool) -> None:
    from sjepa_online.training.pretraining import launch_devices, run_benchmark

    launched = launch_devices(recipe, accelerator, 1, 1)
    result = run_benchmark(recipe, launched, say)
    document = {
        "recipe": recipe.name,
        "device": str(launched.fabric.device),
        "precision": "bfloat16" if launched.bfloat16 else "float32",
        **result._asdict(),
    }
    if json:
        print_json(document)
        return
    echo(
        f"{statistics.median(result.ours):.3g} examples/s ours, "
        f"{statistics.median(result.plain):.3g} plain (float32), "
        f"{statistics.median(result.plain_same_precision):.3g} plain in our precision; "
        f"{statistics.median(result.ratios):.2f} times as fast "
        f"({min(result.ratios):.2f} to {max(result.ratios):.2f})"
    )
    echo(
        f"{result.operations_per_example / 1e9:.1f} GFLOP per example, {result.share:.0%} of "
        f"{result.peak / 1e12:.3g} TFLOP/s, the rate of a large matrix product"
    )


class _Observer:
    """Shows sources, steps and epochs on standard error."""

    def __init__(self, display: ProgressDisplay) -> None:
        self._display = display
        self.is_first_process = _is_first_process()

    def on_source(self, name: str, number: int, n_sources: int) -> None:
        """Show which recording is preprocessed."""
        self._display.update(f"Preparing {name}", number - 1, n_sources)

    def on_step(
        self, epoch: int, step: int, n_steps: int, loss: float, examples_per_s: float, share: float
    ) -> None:
        """Show the speed and the loss so far."""
        told = (
            f"epoch {epoch}: loss {loss:.4f}, {examples_per_s:.4g} examples/s, "
            f"{share:.0%} of the peak rate"
        )
        self._display.update(told, step, n_steps)

    def on_epoch(self, row: Any) -> None:
        """Print a line that stays."""
        probe = "" if row.probe is None else f", probe {row.probe:.3f}"
        say(
            f"epoch {row.epoch}: training {row.train_loss:.4f}, validation "
            f"{row.validation_loss:.4f}, embedding std {row.embedding_std:.3f}, effective rank "
            f"{row.effective_rank:.1f}, {row.examples_per_s:.4g} examples/s{probe}"
        )

    def on_warning(self, message: str) -> None:
        """Print a warning that cannot be overlooked."""
        say(f"\n{'!' * 80}\n{message}\n{'!' * 80}\n")


def _is_first_process() -> bool:
    """Tell whether this is the process that reports, by what launchers set."""
    import os

    return all(os.environ.get(name, "0") == "0" for name in ("RANK", "LOCAL_RANK", "SLURM_PROCID"))
