"""What README and docs tell a reader to type is what the program takes."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import click
import pytest
import typer

from sjepa_apps.cli import app
from sjepa_apps.cli.common import repeat_list_options

ROOT = Path(__file__).resolve().parents[1]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
COMMAND = re.compile(r"^(?:\.venv/bin/)?sjepa-online (.+)$")


def documented_commands() -> list[tuple[str, str]]:
    """Return (page, command line) of every command in a code block, or in `backticks`."""
    found = []
    for page in PAGES:
        text = page.read_text(encoding="utf-8").replace("\\\n", " ")
        blocks = re.findall(r"^(?:```\w*\n)(.*?)^```", text, flags=re.M | re.S)
        lines = [line.strip() for block in blocks for line in block.splitlines()]
        lines += [line.strip() for line in text.splitlines() if line.startswith("    ")]
        lines += re.findall(r"`(sjepa-online [^`]+)`", re.sub(r"```.*?```", "", text, flags=re.S))
        for line in dict.fromkeys(lines):
            if match := COMMAND.match(" ".join(line.split())):
                found.append((page.relative_to(ROOT).as_posix(), match.group(1)))
    return found


def parse(words: list[str]) -> None:
    """Parse a command line as the program does, without running it."""
    command: click.Command = typer.main.get_command(app)
    context = click.Context(command)
    while isinstance(command, click.Group):
        _, command, words = command.resolve_command(context, words)
    command.make_context("sjepa-online", list(words))


def test_there_are_documented_commands() -> None:
    assert len(documented_commands()) > 30


@pytest.mark.parametrize(("page", "line"), documented_commands())
def test_the_program_takes_every_documented_command(page: str, line: str) -> None:
    words = shlex.split(line.split(" | ")[0], comments=True)
    if "..." in words or any(word.startswith("[") for word in words) or "--help" in words:
        pytest.skip("a pattern, no command")
    try:
        parse(repeat_list_options(words))
    except click.UsageError as error:
        pytest.fail(f"{page}: sjepa-online {line}: {error.format_message()}")
