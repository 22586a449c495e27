"""Decisions and events of the live path, as JSON lines or as text."""

from __future__ import annotations

import re
from typing import Any

from sjepa_apps.cli.common import print_json, say
from sjepa_online.online.events import EngineEvent, SymbolDecision
from sjepa_online.online.live import LiveDecision, LiveResult
from sjepa_online.stream import StreamEvent


def to_json(result: LiveResult) -> dict[str, Any]:
    """Return the JSON line of a decision, a symbol or an event."""
    if isinstance(result, LiveDecision):
        return {
            "time": result.decision.time,
            "label": result.decision.label,
            "probabilities": result.decision.probabilities,
            "bad_channels": list(result.decision.bad_channels),
            "latency_ms": 1e3 * result.latency,
        }
    if isinstance(result, SymbolDecision):
        return {
            "time": result.time,
            "symbol": result.symbol,
            "probability": result.probability,
            "flashes": result.n_flashes,
            "truth": result.truth,
        }
    return {"time": result.time, "event": event_name(result), "detail": result.detail}


def event_name(event: EngineEvent | StreamEvent) -> str:
    """Return an event's name in lower case with hyphens: ``stream-lost``, ``gap``, ..."""
    if isinstance(event, EngineEvent):
        return event.event
    return re.sub(r"(?<=.)([A-Z])", r"-\1", type(event).__name__).lower()


def show(result: LiveResult, json: bool) -> None:
    """Print a result: JSON on standard output, text on standard output, events as messages."""
    if json:
        print_json(to_json(result))
    elif isinstance(result, LiveDecision):
        decision = result.decision
        best = decision.probabilities[decision.label]
        truth = f" (true: {decision.truth})" if decision.truth else ""
        print(
            f"{decision.time:.3f}  {decision.label:>12}  p = {best:.2f}{truth}"
            f"  {1e3 * result.latency:.1f} ms",
            flush=True,
        )
    elif isinstance(result, SymbolDecision):
        truth = f" (true: {result.truth})" if result.truth else ""
        print(
            f"{result.time:.3f}  symbol {result.symbol}  p = {result.probability:.2f}{truth}"
            f"  after {result.n_flashes} flashes",
            flush=True,
        )
    else:
        say(f"{event_name(result)}: {result.detail}")
