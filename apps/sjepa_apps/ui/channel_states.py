"""The state of each channel, as every view shows it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from sjepa_apps.ui.theme import Theme
from sjepa_online.errors import InputError
from sjepa_online.signal import electrodes_among, resolve_channel_names
from sjepa_online.signal.channel_quality.absolute import Verdict
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
    """A :class:`ChannelReport` of signals that this program has measured itself.

    Attributes
    ----------
    channel : str
    bad : bool
    reasons : tuple of str
    amplitude : float or None
        A multiple of the usual amplitude.
    choice : {"automatic", "good", "bad"}
    remedy : str
        What to do about the first reason.
    microvolts : float or None
        Root mean square from 3 to 41 Hz.
    kiloohms : float or None
        Impedance, where the stream carries it.
    relative : float or None
        Amplitude over the usual one or, without a calibration, over that of the other channels.
    """

    channel: str
    bad: bool
    reasons: tuple[str, ...]
    amplitude: float | None
    choice: Choice = "automatic"
    remedy: str = ""
    microvolts: float | None = None
    kiloohms: float | None = None
    relative: float | None = None


class ChannelStates:
    """Reports by channel, found under any usual spelling of the channel's name.

    Parameters
    ----------
    reports : iterable of ChannelReport
    decoded : bool
        Whether a decoder leaves the bad channels out; otherwise they only look bad.
    """

    def __init__(self, reports: Iterable[ChannelReport] = (), *, decoded: bool = True) -> None:
        self.reports = {report.channel: report for report in reports}
        self.bad_word = "left out" if decoded else "bad"

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

    def bad_rows(self, names: Sequence[str]) -> tuple[bool, ...]:
        """Return whether each of these channels is bad."""
        reports = (self.get(name) for name in names)
        return tuple(report is not None and report.bad for report in reports)

    def remedies(self, n_told: int) -> list[str]:
        """Tell what to do about the first bad channels, in a sentence each."""
        reports = [self.reports[name] for name in self.bad]
        told = [
            f"{one.channel}: {one.remedy}"
            for one in reports
            if isinstance(one, ChannelSummary) and one.remedy
        ]
        return told[:n_told]

    def colour(self, name: str, theme: Theme, good: str) -> str:
        """Return a channel's colour: ``good`` where nothing is wrong with it."""
        report = self.get(name)
        if report is not None and report.bad:
            return theme.bad
        if self.reports and report is None:
            return theme.muted
        return good

    def is_unused(self, name: str) -> bool:
        """Return whether the decoder does not use a channel, while something is decoded."""
        return bool(self.reports) and self.get(name) is None

    def describe(self, name: str) -> str:
        """Tell the state of a channel in a sentence."""
        report = self.get(name)
        if report is None:
            return f"{name}: not used by the decoder" if self.reports else name
        state = self.bad_word if report.bad else "good"
        reasons = f": {', '.join(report.reasons)}" if report.reasons else ""
        amplitude = (
            ""
            if report.amplitude is None
            else f"; {report.amplitude:.2g} times its usual amplitude"
        )
        told = f"{name} is {state}{reasons} ({CHOICE_WORDS[report.choice]}){amplitude}"
        return told + _measured(report)


def _measured(report: ChannelReport) -> str:
    """Tell amplitude, impedance and remedy, where they are known."""
    if not isinstance(report, ChannelSummary):
        return ""
    parts = []
    if report.microvolts is not None:
        parts.append(f"{report.microvolts:.3g} µV")
    if report.kiloohms is not None:
        parts.append(f"{kiloohm_text(report.kiloohms)} kΩ")
    told = f"; {', '.join(parts)}" if parts else ""
    return f"{told}. {report.remedy}" if report.remedy else told


def kiloohm_text(impedance: float) -> str:
    """Write an impedance (kΩ) with three digits, and more from 1 MΩ on."""
    return f"{impedance:.3g}" if impedance < 999.5 else f"{impedance:.0f}"


def judged_states(verdicts: Iterable[Verdict], kiloohms: Mapping[str, float]) -> ChannelStates:
    """Return what is known of channels that were judged without a decoder.

    Parameters
    ----------
    verdicts : iterable of Verdict
    kiloohms : mapping of str to float
        Impedance of each electrode, where the stream carries it.
    """
    return ChannelStates(
        (
            ChannelSummary(
                channel=one.channel,
                bad=one.bad,
                reasons=one.reasons,
                amplitude=None,
                remedy=one.remedy,
                microvolts=one.amplitude,
                kiloohms=kiloohms.get(one.channel),
            )
            for one in verdicts
        ),
        decoded=False,
    )


def known_electrodes(names: Sequence[str]) -> dict[str, str]:
    """Return the 10-05 names of the channels that have one; none where two share one."""
    try:
        return electrodes_among(names)
    except InputError:
        return {}


_standard: dict[str, str] = {}


def standard_name(name: str) -> str:
    """Return the 10-05 name of a channel; the name itself where it has none."""
    if name not in _standard:
        try:
            _standard[name] = resolve_channel_names([name])[0]
        except InputError:
            _standard[name] = name
    return _standard[name]
