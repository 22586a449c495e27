"""``sjepa-online evaluate``: how well and how fast, on the user's own recordings and machine."""

from __future__ import annotations

import typer

from sjepa_apps.cli.evaluate.corruption import corruption
from sjepa_apps.cli.evaluate.display import display
from sjepa_apps.cli.evaluate.grid import grid
from sjepa_apps.cli.evaluate.latency import latency
from sjepa_apps.cli.evaluate.learning_curve import learning_curve
from sjepa_apps.cli.evaluate.moabb import moabb
from sjepa_apps.cli.evaluate.monitor import monitor
from sjepa_apps.cli.evaluate.scores import scores
from sjepa_apps.cli.evaluate.spelling import spelling
from sjepa_apps.cli.evaluate.tokens import tokens
from sjepa_apps.cli.evaluate.transfer import transfer

app = typer.Typer(help="Scores, latency, and comparisons.", no_args_is_help=True)
app.command()(corruption)
app.command()(display)
app.command("learning-curve")(learning_curve)
app.command()(grid)
app.command()(moabb)
app.command()(monitor)
app.command()(scores)
app.command()(spelling)
app.command()(tokens)
app.command()(transfer)
app.command()(latency)
