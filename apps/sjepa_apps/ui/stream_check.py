"""Whether a stream can be decoded, checked before anything is connected."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from sjepa_apps.ui.channel_states import standard_name
from sjepa_apps.ui.widgets import State
from sjepa_online.errors import InputError
from sjepa_online.signal.preprocessor import SFREQ_RANGE
from sjepa_online.signal.units import normalise_unit
from sjepa_online.stream import StreamDescription

#: Units that the operator can choose, by what the box shows; None for the declared one.
UNITS: dict[str, str | None] = {"as declared": None, "µV": "uV", "mV": "mV", "V": "V", "nV": "nV"}
#: Share of its channels that a decoder needs at least, as in the engine.
LEAST_SHARE = 0.5
#: Missing channels that are named, before "and more".
NAMED = 8


class DecoderInput(Protocol):
    """What a decoder expects of a stream: channels (10-05 names) and sampling rate (Hz)."""

    @property
    def ch_names(self) -> tuple[str, ...]: ...  # noqa: D102 - told above
    @property
    def sfreq(self) -> float: ...  # noqa: D102 - told above


@dataclass(frozen=True, slots=True)
class Finding:
    """A property of a stream and its verdict: good, a warning, or an obstacle to decoding."""

    state: State
    text: str


def check_stream(
    stream: StreamDescription, decoder: DecoderInput | None, unit: str | None = None
) -> list[Finding]:
    """Compare channels, rate and unit of a stream with those that a decoder expects.

    Parameters
    ----------
    stream : StreamDescription
    decoder : DecoderInput or None
        None checks only whether the stream can be shown.
    unit : str or None
        Unit given by the operator; it replaces the declared one.

    Returns
    -------
    list of Finding
        One for each property.
    """
    if not stream.is_kind("signal"):
        return [Finding("bad", "It has no regular rate, so it can be neither shown nor decoded.")]
    findings = [_rate(stream, decoder), _unit(stream, unit)]
    if decoder is None:
        return [*findings, Finding("", "No decoder is loaded: the signal is shown only.")]
    return [_channels(stream, decoder), *findings]


def worst(findings: list[Finding]) -> State:
    """Return the most serious state."""
    states = [finding.state for finding in findings]
    order: tuple[State, ...] = ("bad", "warning", "good")
    return next((state for state in order if state in states), "")


def _rate(stream: StreamDescription, decoder: DecoderInput | None) -> Finding:
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


def _channels(stream: StreamDescription, decoder: DecoderInput) -> Finding:
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
