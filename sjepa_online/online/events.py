"""What the engine says: decisions, and events when it does not decide."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Decision:
    """One decoded window.

    Attributes
    ----------
    time : float
        Timestamp (s, the stream's clock) of the last sample that the window needed.
    label : str
        The class of the highest probability.
    probabilities : dict of str to float
        Probability of each class.
    bad_channels : tuple of str
        Channels that were left out.
    onset : float or None
        Timestamp of the marker that the window is locked to; None in sliding mode.
    truth : str or None
        The class that the marker stands for, where it stands for one.
    window : float
        Seconds of signal that decided.
    lit : str
        The symbols that lit up, where the marker is a flash of a speller.
    """

    time: float
    label: str
    probabilities: dict[str, float]
    bad_channels: tuple[str, ...] = ()
    onset: float | None = None
    truth: str | None = None
    window: float = 0.0
    lit: str = ""


@dataclass(frozen=True, slots=True)
class SymbolDecision:
    """A symbol of a speller, decided from many flashes.

    Attributes
    ----------
    time : float
        Timestamp (s, the stream's clock) of the last sample that was needed.
    symbol : str
        The most probable symbol.
    probability : float
        Its probability.
    probabilities : dict of str to float
        Probability of each symbol.
    n_flashes : int
        Flashes that decided.
    truth : str or None
        The symbol that was cued, where one was.
    """

    time: float
    symbol: str
    probability: float
    probabilities: dict[str, float]
    n_flashes: int
    truth: str | None = None


@dataclass(frozen=True, slots=True)
class EngineEvent:
    """Something that the operator must know of.

    Of the signal: ``gap``, ``no-signal``, ``not-decoded`` (a wrong rate). Of the channels:
    ``channels-differ``, ``channel-bad``, ``channel-good``, ``channel-scaled``,
    ``channels-disturbed``, ``channels-settled``, ``no-good-channel``. Of trials and markers:
    ``window-skipped``, ``marker-ignored``, ``unknown-symbols``.

    Attributes
    ----------
    time : float
        Timestamp (s, the stream's clock).
    event : str
        What happened: one of these names.
    detail : str
        What it means, in a sentence.
    """

    time: float
    event: str
    detail: str
