"""Whether a stream can be decoded, checked before anything is connected."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from sjepa_apps.ui.widgets import State
from sjepa_online.amplifier import AS_DECLARED, AmplifierProfile, pick_channels
from sjepa_online.errors import InputError
from sjepa_online.signal.preprocessor import SFREQ_RANGE
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
    stream: StreamDescription,
    decoder: DecoderInput | None,
    amplifier: AmplifierProfile = AS_DECLARED,
) -> list[Finding]:
    """Compare channels, rate and unit of a stream with those that a decoder expects.

    Parameters
    ----------
    stream : StreamDescription
    decoder : DecoderInput or None
        None checks only whether the stream can be shown.
    amplifier : AmplifierProfile
        What the operator says beside what the stream declares.

    Returns
    -------
    list of Finding
        One for each property.
    """
    if not stream.is_kind("signal"):
        return [Finding("bad", "It has no regular rate, so it can be neither shown nor decoded.")]
    rate = _rate(stream, decoder)
    try:
        picked = pick_channels(stream.declaration, amplifier)
    except InputError as error:
        return [Finding("bad", f"{error}"), rate]
    told = [Finding("", f"{note}.") for note in picked.notes]
    findings = [rate, Finding("good", f"Its unit is {picked.unit.replace('uV', 'µV')}."), *told]
    if decoder is None:
        return [*findings, Finding("", "No decoder is loaded: the signal is shown only.")]
    return [_channels(picked.ch_names, decoder), *findings]


def worst(findings: list[Finding]) -> State:
    """Return the most serious state.

    Parameters
    ----------
    findings : list of Finding

    Returns
    -------
    state : State
    """
    states = [finding.state for finding in findings]
    order: tuple[State, ...] = ("bad", "warning", "good")
    return next((state for state in order if state in states), "")


def _rate(stream: StreamDescription, decoder: DecoderInput | None) -> Finding:
    low, high = SFREQ_RANGE
    told = f"{stream.sfreq:g} Hz"
    if stream.sfreq == 0:
        return Finding("warning", "It declares no rate: it is measured.")
    if stream.sfreq > high:
        return Finding("warning", f"{told}: it is decimated to {high:g} Hz or less.")
    if not low <= stream.sfreq:
        return Finding("bad", f"{told}: decoding takes {low:g} to {high:g} Hz.")
    if decoder is not None and stream.sfreq != decoder.sfreq:
        return Finding("warning", f"{told}; calibrated at {decoder.sfreq:g} Hz. It is resampled.")
    return Finding("good", f"{told}.")


def _channels(ch_names: tuple[str, ...], decoder: DecoderInput) -> Finding:
    missing = [name for name in decoder.ch_names if name not in ch_names]
    if missing:
        named = ", ".join(missing[:NAMED]) + (" and more" if len(missing) > NAMED else "")
        n = len(decoder.ch_names)
        told = f"It lacks {len(missing)} of the decoder's {n} channels: {named}"
        if len(missing) > (1 - LEAST_SHARE) * n:
            return Finding("bad", f"{told}.")
        return Finding("warning", f"{told}. They are left out, as bad channels are.")
    n = len(decoder.ch_names)
    every = "the channel" if n == 1 else f"all {n} channels"
    return Finding("good", f"It has {every} of the decoder.")
