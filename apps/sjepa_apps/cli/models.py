"""``sjepa-online models``: weights, populations and recipes by name."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from sjepa_apps.cli.common import JsonOption, echo, print_json

app = typer.Typer(help="Weights, populations and pretraining recipes.", no_args_is_help=True)

NameOption = Annotated[
    str | None, typer.Option(help="Name for the weights; by default that of their origin.")
]


@app.command("list")
def list_models(json: JsonOption = False) -> None:
    """List the weights, populations and recipes that ship with the project or are the user's."""
    from sjepa_online.model import list_weights
    from sjepa_online.resources import list_resources
    from sjepa_online.training.pretraining import load_recipe

    weights: list[dict[str, Any]] = [
        {"name": name, "path": str(found.path), "parameters": found.n_parameters}
        for name, found in list_weights().items()
    ]
    populations = _populations()
    recipes: list[dict[str, Any]] = [
        {"name": name, "path": str(path), "description": load_recipe(path).description}
        for name, path in list_resources("models", ".toml").items()
    ]
    if json:
        print_json({"weights": weights, "populations": populations, "recipes": recipes})
        return
    echo("Weights")
    for entry in weights:
        echo(f"  {entry['name']:16} {entry['parameters']:>9} parameters  {entry['path']}")
    echo("Populations")
    for entry in populations:
        echo(
            f"  {entry['name']:16} {entry['paradigm']}, {entry['n_trials']} trials on "
            f"{' '.join(entry['ch_names'])}  {entry['path']}"
        )
    echo("Recipes")
    for entry in recipes:
        echo(f"  {entry['name']:16} {entry['description']}")


def _populations() -> list[dict[str, Any]]:
    """Describe the populations of responses and of imagery."""
    from sjepa_online.decoding.transfer.imagery.population import list_imagery_populations
    from sjepa_online.decoding.transfer.population import list_populations
    from sjepa_online.resources import list_resources

    populations: list[dict[str, Any]] = [
        {
            "name": name,
            "path": str(list_resources("models", ".safetensors")[name]),
            "paradigm": config.paradigm,
            "n_sessions": config.n_sessions,
            "n_trials": config.n_trials,
            "ch_names": list(config.ch_names),
        }
        for name, config in list_populations().items()
    ]
    populations += [
        {
            "name": name,
            "path": str(list_resources("models", ".safetensors")[name]),
            "paradigm": config.paradigm,
            "n_people": len(config.people),
            "n_trials": config.n_trials,
            "ch_names": list(config.ch_names),
        }
        for name, config in list_imagery_populations().items()
    ]
    return populations


@app.command()
def show(
    name: Annotated[
        str,
        typer.Argument(
            metavar="WEIGHTS", help="A name of `models list`, or a path; also a decoder."
        ),
    ],
    json: JsonOption = False,
) -> None:
    """Show weights, a population or a decoder: the shape, its sources, and its model card."""
    from sjepa_online.decoding.decoder import FORMAT_NAME as DECODER
    from sjepa_online.decoding.transfer.imagery.population import FORMAT_NAME as IMAGERY
    from sjepa_online.decoding.transfer.population import FORMAT_NAME as POPULATION
    from sjepa_online.decoding.transfer.response_population import FORMAT_NAME as RESPONSES
    from sjepa_online.resources import find_resource
    from sjepa_online.tensor_file import open_safetensors

    path = find_resource("models", name)
    describe = {
        POPULATION: _describe_population,
        IMAGERY: _describe_imagery,
        RESPONSES: _describe_responses,
        DECODER: _describe_decoder,
    }
    document = describe.get(open_safetensors(path)[0].get("format", ""), _describe_weights)(path)
    card = path.with_suffix(".md")
    document["card"] = card.read_text(encoding="utf-8") if card.is_file() else None
    if json:
        print_json(document)
        return
    origin = document.get("provenance", {})
    told = ("n_train", "n_validation", "chosen_by", "imported_from")
    lines = document | {key: origin[key] for key in told if key in origin}
    for key, value in lines.items():
        if key not in ("card", "provenance"):
            echo(f"{key.replace('_', ' '):17} {_told(value)}")
    if document["card"]:
        echo(f"\n{document['card']}")


def _label(key: str) -> str:
    return "share at 0.70" if key == "share_above_070" else key.replace("_", " ")


def _told(value: object) -> str:
    """Write a value for people: what stands in lists and tables without their brackets."""
    if isinstance(value, dict):
        return ", ".join(f"{_label(key)} {_told(one)}" for key, one in value.items())
    if isinstance(value, list):
        return " ".join(map(_told, value))
    return f"{value:.4g}" if isinstance(value, float) else str(value)


def _describe_weights(path: Path) -> dict[str, Any]:
    from sjepa_online.model import describe_weights

    description = describe_weights(path)
    config = description.config
    return {
        "path": str(path),
        "format": description.format,
        "parameters": description.n_parameters,
        "electrodes": [electrode.name for electrode in config.electrodes],
        "encoder_layers": config.n_encoder_layers,
        "decoder_layers": config.n_decoder_layers,
        "feed_forward": config.d_feed_forward,
        "provenance": description.provenance,
    }


def _describe_population(path: Path) -> dict[str, Any]:
    from sjepa_online.decoding.transfer.population import load_population

    config = load_population(path).config.model_dump(mode="json")
    return {"path": str(path), "format": "population", **config}


def _describe_imagery(path: Path) -> dict[str, Any]:
    from sjepa_online.decoding.transfer.imagery.population import load_imagery_population

    config = load_imagery_population(path).config.model_dump(mode="json")
    return {"path": str(path), "format": "population of imagery", **config}


def _describe_responses(path: Path) -> dict[str, Any]:
    from sjepa_online.decoding.transfer.response_population import load_response_population

    config = load_response_population(path).config.model_dump(mode="json")
    return {"path": str(path), "format": "population of responses", **config}


def _describe_decoder(path: Path) -> dict[str, Any]:
    from sjepa_online.decoding import load_decoder

    decoder = load_decoder(path)
    summary = decoder.calibration.model_dump(mode="json", exclude={"flash_evidence"})
    return {
        "path": str(path),
        "format": "decoder",
        "decoder": decoder.name,
        "paradigm": decoder.protocol.name,
        "classes": list(decoder.protocol.class_names),
        "ch_names": list(decoder.ch_names),
        **{key: value for key, value in summary.items() if value not in ("", {})},
    }


@app.command()
def pull(
    hub_id: Annotated[
        str,
        typer.Argument(help="On the Hugging Face hub: OWNER/NAME, as in braindecode/signal-jepa."),
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
        echo(f"Imported as {path.stem}: {path}")
