"""What decoding brings, as messages to the window."""

from __future__ import annotations

from sjepa_apps.cli.live_output import event_name
from sjepa_apps.live.engine.messages import (
    ChannelReport,
    Channels,
    Decided,
    Happened,
    Message,
    SymbolDecided,
)
from sjepa_online.online import SymbolDecision
from sjepa_online.online.live import LiveDecision, LiveDecoder, LiveResult


def result_message(result: LiveResult, symbols: dict[str, float]) -> Message:
    """Return a result as a message; ``symbols`` is what flashes say of each symbol so far."""
    if isinstance(result, SymbolDecision):
        return SymbolDecided(
            time=result.time,
            symbol=result.symbol,
            probability=result.probability,
            probabilities=result.probabilities,
            flashes=result.n_flashes,
            truth=result.truth,
        )
    if not isinstance(result, LiveDecision):
        return Happened(time=result.time, event=event_name(result), detail=result.detail)
    decision = result.decision
    return Decided(
        time=decision.time,
        label=decision.label,
        probabilities=decision.probabilities,
        bad_channels=decision.bad_channels,
        onset=decision.onset,
        truth=decision.truth,
        window=decision.window,
        latency=result.latency,
        end_to_end=result.end_to_end,
        lit=decision.lit,
        symbols=symbols,
    )


def channels_message(live: LiveDecoder) -> Channels:
    """Return the state of every channel of the decoder, those that the stream lacks last."""
    watch = live.engine.watch
    states = () if watch.monitor is None else watch.monitor.states
    found = [
        ChannelReport(
            channel=state.channel,
            bad=state.bad,
            reasons=state.reasons,
            choice=state.choice,
            amplitude=state.measures.get("amplitude"),
        )
        for state in states
    ]
    absent = [
        ChannelReport(
            channel=channel,
            bad=True,
            reasons=("the stream lacks it",),
            choice="automatic",
            amplitude=None,
        )
        for channel in watch.absent
    ]
    return Channels(channels=(*found, *absent))
