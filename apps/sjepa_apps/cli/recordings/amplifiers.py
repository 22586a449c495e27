"""``sjepa-online amplifiers``: the profiles of amplifiers that can be named by --amplifier."""

from __future__ import annotations

from typing import Annotated

import typer

from sjepa_apps.cli.common import JsonOption, echo, print_json

app = typer.Typer(help="Profiles of amplifiers, for the option --amplifier.", no_args_is_help=True)


@app.command("list")
def list_(json: JsonOption = False) -> None:
    """List the profiles that ship with the project, and your own."""
    from sjepa_online.amplifier import list_profiles, load_profile

    profiles = {name: load_profile(path) for name, path in list_profiles().items()}
    if json:
        print_json({name: one.description for name, one in profiles.items()})
        return
    for name, one in profiles.items():
        echo(f"{name}\n    {one.description}")


@app.command()
def show(
    name: Annotated[str, typer.Argument(help="Name of a profile, or the path of its file.")],
    json: JsonOption = False,
) -> None:
    """Show a profile: channels, unit, scale, markers and clock."""
    from sjepa_online.amplifier import load_profile
    from sjepa_online.amplifier.library import to_toml

    profile = load_profile(name)
    if json:
        print_json(profile.model_dump(mode="json"))
        return
    echo(to_toml(profile).rstrip())
