"""The state of each channel, as every view shows it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Protocol

from sjepa_apps.ui.theme import Theme
from sjepa_online.errors import InputError
from sjepa_online.signal import resolve_channel_names
from sjepa_online.signal.channel_quality.monitor import Choice

#: What a click on a channel chooses next.
NEXT_CHOICE: dict[Choice, Choice] = {"automatic": "bad", "bad": "good", "good": "automatic"}
CHOICE_WORDS: dict[Choice, str] = {
    "automatic": "judged automatically",
    "bad": "forced bad",
    "good": "forced good",
}


class ChannelReport(Protocol):
    """The state of a channel, from the engine or from a check before a session.

    ``amplitude`` is a multiple of the channel's usual amplitude; None where it is unknown.
    """

    @property
    def channel(self) -> str: ...  # noqa: D102 - told above
    @property
    def bad(self) -> bool: ...  # noqa: D102 - told above
    @property
    def reasons(self) -> tuple[str, ...]: ...  # noqa: D102 - told above
    @property
    def choice(self) -> Choice: ...  # noqa: D102 - told above
    @property
    def amplitude(self) -> float | None: ...  # noqa: D102 - told above


@dataclass(frozen=True, slots=True)
class ChannelSummary:
    """A :class:`ChannelReport` of a check before a session."""

    channel: str
    bad: bool
    reasons: tuple[str, ...]
    amplitude: float | None
    choice: Choice = "automatic"


class ChannelStates:
    """Reports by channel, found under any usual spelling of the channel's name.

    Parameters
    ----------
    reports : iterable of ChannelReport
    """

    def __init__(self, reports: Iterable[ChannelReport] = ()) -> None:
        self.reports = {report.channel: report for report in reports}

    def get(self, name: str) -> ChannelReport | None:
        """Return the report on a channel; None for one that the decoder does not use."""
        return self.reports.get(standard_name(name))

    @property
    def bad(self) -> tuple[str, ...]:
        """Channels that are left out."""
        return tuple(name for name, report in self.reports.items() if report.bad)

    def told_bad(self, n_named: int) -> str:
        """Name the bad channels; with the reason, where there are one or two."""
        bad = self.bad
        if len(bad) <= 2:
            reasons = (", ".join(self.reports[name].reasons) for name in bad)
            pairs = zip(bad, reasons, strict=True)
            return ", ".join(f"{name} ({why})" if why else name for name, why in pairs)
        rest = len(bad) - n_named
        return ", ".join(bad[:n_named]) + (f" and {rest} more" if rest > 0 else "")

    def colour(self, name: str, theme: Theme, good: str) -> str:
        """Return a channel's colour: ``good`` where nothing is wrong with it."""
        report = self.get(name)
        if report is not None and report.bad:
            return theme.bad
        if self.reports and report is None:
            return theme.muted
        return good

    def describe(self, name: str) -> str:
        """Tell the state of a channel in a sentence."""
        report = self.get(name)
        if report is None:
            return f"{name}: not used by the decoder" if self.reports else name
        state = "left out" if report.bad else "good"
        reasons = f": {', '.join(report.reasons)}" if report.reasons else ""
        amplitude = (
            ""
            if report.amplitude is None
            else f"; {report.amplitude:.2g} times its usual amplitude"
        )
        return f"{name} is {state}{reasons} ({CHOICE_WORDS[report.choice]}){amplitude}"


_standard: dict[str, str] = {}


def standard_name(name: str) -> str:
    """Return the 10-05 name of a channel; the name itself where it has none."""
    if name not in _standard:
        try:
            _standard[name] = resolve_channel_names([name])[0]
        except InputError:
            _standard[name] = name
    return _standard[name]
