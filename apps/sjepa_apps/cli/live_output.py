"""What a live decoder tells, as JSON lines or as text."""

from __future__ import annotations

from sjepa_apps.cli.common import print_json, say
from sjepa_online.online.events import LiveDecision, LiveEvent, SymbolDecision, summary


def show(event: LiveEvent, json: bool) -> None:
    """Print an event: JSON or decisions on standard output, anything else as a message.

    Parameters
    ----------
    event : LiveEvent
    json : bool
        Whether events are printed as JSON.
    """
    if json:
        print_json(summary(event))
        return
    match event:
        case LiveDecision():
            best = event.probabilities[event.label]
            text = f"{event.label:>12}  p = {best:.2f}{_truth(event)}  {1e3 * event.latency:.1f} ms"
        case SymbolDecision():
            told = f"p = {event.probability:.2f}{_truth(event)}"
            text = f"symbol {event.symbol}  {told}  after {event.n_flashes} flashes"
        case _:
            say(f"{event.event}: {event.detail}")
            return
    print(f"{event.time:.3f}  {text}", flush=True)


def _truth(event: LiveDecision | SymbolDecision) -> str:
    return f" (true: {event.truth})" if event.truth else ""
