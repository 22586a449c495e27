"""How well a stream fits a decoder, before anything is connected."""

from __future__ import annotations

from dataclasses import dataclass

from sjepa_apps.ui.channel_states import standard_name
from sjepa_apps.ui.widgets import State
from sjepa_online.errors import InputError
from sjepa_online.online.events import DecoderReady
from sjepa_online.signal.preprocessor import SFREQ_RANGE
from sjepa_online.signal.units import normalise_unit
from sjepa_online.stream import StreamDescription

#: Share of its channels without which a decoder does not run: that of the engine.
LEAST_SHARE = 0.5
#: Missing channels that are named, before "and more".
NAMED = 8


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing about a stream: good, a warning, or a reason why it cannot be decoded."""

    state: State
    text: str


def find_fit(
    stream: StreamDescription, decoder: DecoderReady | None, unit: str | None = None
) -> list[Finding]:
    """Compare a stream with a decoder.

    Parameters
    ----------
    stream : StreamDescription
    decoder : DecoderReady or None
        None: only whether the stream can be shown.
    unit : str or None
        The unit that the user gives; it replaces what the stream declares.
    """
    if not stream.is_kind("signal"):
        return [Finding("bad", "It has no regular rate, so it can be neither shown nor decoded.")]
    findings = [_rate(stream, decoder), _unit(stream, unit)]
    if decoder is None:
        return [*findings, Finding("", "No decoder is loaded: the signal is shown only.")]
    return [_channels(stream, decoder), *findings]


def can_be_shown(stream: StreamDescription) -> bool:
    """Tell whether a stream has samples at a regular rate."""
    return stream.is_kind("signal")


def worst(findings: list[Finding]) -> State:
    """Return the most serious state."""
    states = [finding.state for finding in findings]
    order: tuple[State, ...] = ("bad", "warning", "good")
    return next((state for state in order if state in states), "")


def _rate(stream: StreamDescription, decoder: DecoderReady | None) -> Finding:
    low, high = SFREQ_RANGE
    told = f"{stream.sfreq:g} Hz"
    if not low <= stream.sfreq <= high:
        return Finding("bad", f"{told}: decoding takes {low:g} to {high:g} Hz.")
    if decoder is not None and stream.sfreq != decoder.sfreq:
        return Finding("warning", f"{told}; calibrated at {decoder.sfreq:g} Hz. It is resampled.")
    return Finding("good", f"{told}.")


def _unit(stream: StreamDescription, unit: str | None) -> Finding:
    if unit is not None:
        return Finding("good", f"Its samples are taken for {unit.replace('uV', 'µV')}.")
    if not stream.units:
        return Finding("bad", "It declares no unit: choose one.")
    units = set()
    for declared in stream.units:
        try:
            units.add(normalise_unit(declared))
        except InputError:
            continue
    if not units:
        return Finding("bad", f"Its unit is none of voltage: {stream.unit}. Choose one.")
    told = ", ".join(sorted(units)).replace("uV", "µV")
    return Finding("good", f"Its unit is {told}.")


def _channels(stream: StreamDescription, decoder: DecoderReady) -> Finding:
    if not stream.ch_names:
        return Finding("bad", "It does not name its channels.")
    there = {standard_name(name) for name in stream.ch_names}
    missing = [name for name in decoder.ch_names if name not in there]
    if missing:
        named = ", ".join(missing[:NAMED]) + (" and more" if len(missing) > NAMED else "")
        n = len(decoder.ch_names)
        told = f"It lacks {len(missing)} of the decoder's {n} channels: {named}"
        if len(missing) > (1 - LEAST_SHARE) * n:
            return Finding("bad", f"{told}.")
        return Finding("warning", f"{told}. They are left out, as bad channels are.")
    return Finding("good", f"It has all {len(decoder.ch_names)} channels of the decoder.")
