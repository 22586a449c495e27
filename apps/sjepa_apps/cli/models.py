"""``sjepa-online models``: weights and recipes by name."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from sjepa_apps.cli.common import JsonOption, print_json

app = typer.Typer(help="Weights and pretraining recipes.", no_args_is_help=True)

NameOption = Annotated[
    str | None, typer.Option(help="What to call them; the name of their origin by default.")
]


@app.command("list")
def list_models(json: JsonOption = False) -> None:
    """List the weights and the recipes that ship with the project or are the user's."""
    from sjepa_online.model import list_weights
    from sjepa_online.resources import list_resources
    from sjepa_online.training.pretraining import load_recipe

    weights: list[dict[str, Any]] = [
        {"name": name, "path": str(found.path), "parameters": found.n_parameters}
        for name, found in list_weights().items()
    ]
    recipes: list[dict[str, Any]] = [
        {"name": name, "path": str(path), "description": load_recipe(path).description}
        for name, path in list_resources("models", ".toml").items()
    ]
    if json:
        print_json({"weights": weights, "recipes": recipes})
        return
    typer.echo("Weights")
    for entry in weights:
        typer.echo(f"  {entry['name']:16} {entry['parameters']:>9} parameters  {entry['path']}")
    typer.echo("Recipes")
    for entry in recipes:
        typer.echo(f"  {entry['name']:16} {entry['description']}")


@app.command()
def show(
    weights: Annotated[str, typer.Argument(help="A name of `models list`, or a path.")],
    json: JsonOption = False,
) -> None:
    """Show the shape of weights, where they come from, and their model card."""
    from sjepa_online.model import describe_weights

    description = describe_weights(weights)
    config = description.config
    card = description.path.with_suffix(".md")
    document: dict[str, Any] = {
        "path": str(description.path),
        "format": description.format,
        "parameters": description.n_parameters,
        "electrodes": [electrode.name for electrode in config.electrodes],
        "encoder_layers": config.n_encoder_layers,
        "decoder_layers": config.n_decoder_layers,
        "feed_forward": config.d_feed_forward,
        "provenance": description.provenance,
        "card": card.read_text(encoding="utf-8") if card.is_file() else None,
    }
    if json:
        print_json(document)
        return
    for name in ("path", "format", "parameters", "encoder_layers", "decoder_layers"):
        typer.echo(f"{name.replace('_', ' '):15} {document[name]}")
    typer.echo(f"{'electrodes':15} {len(config.electrodes)}: {' '.join(document['electrodes'])}")
    for name in ("n_train", "n_validation", "chosen_by", "imported_from"):
        if name in description.provenance:
            typer.echo(f"{name.replace('_', ' '):15} {description.provenance[name]}")
    if document["card"]:
        typer.echo(f"\n{document['card']}")


@app.command()
def pull(
    hub_id: Annotated[
        str, typer.Argument(help="OWNER/NAME on the Hugging Face hub: braindecode/signal-jepa.")
    ],
    name: NameOption = None,
    json: JsonOption = False,
) -> None:
    """Download weights from the Hugging Face hub."""
    from sjepa_online.model.hub import pull_weights

    _report(pull_weights(hub_id, name), json)


@app.command("import")
def import_model(
    path: Annotated[Path, typer.Argument(help="A .safetensors file, or a folder with one.")],
    name: NameOption = None,
    json: JsonOption = False,
) -> None:
    """Import weights in this project's format or braindecode's."""
    from sjepa_online.model.hub import import_weights

    _report(import_weights(path, name), json)


def _report(path: Path, json: bool) -> None:
    if json:
        print_json({"name": path.stem, "path": str(path)})
    else:
        typer.echo(f"Imported as {path.stem}: {path}")
