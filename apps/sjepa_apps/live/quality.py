"""What is known of the channels: by the window itself at once, by the decoder once there is one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from sjepa_apps.live.signals.reader import ShownChannels
from sjepa_apps.ui.channel_states import (
    ChannelReport,
    ChannelStates,
    ChannelSummary,
    standard_name,
)
from sjepa_online.signal.channel_quality.absolute import AbsoluteMonitor, Verdict
from sjepa_online.signal.channel_quality.monitor import Choice
from sjepa_online.stream import Chunk, ClockJump, Gap, StreamDescription

#: Slower streams (Hz) are not judged.
LEAST_SFREQ = 100.0


class ChannelQuality:
    """Judge the channels of a stream without a decoder, and add what the decoder says.

    Parameters
    ----------
    channels : ShownChannels
    stream : StreamDescription

    Attributes
    ----------
    decoded : sequence of ChannelReport
        What the decoding process says of the decoder's channels; empty while nothing is decoded.
    """

    def __init__(self, channels: ShownChannels, stream: StreamDescription) -> None:
        self.decoded: Sequence[ChannelReport] = ()
        self._channels = channels
        self._kiloohms: Mapping[str, float] = {}
        unit = None if channels.unit != "µV" else "uV"
        judged = stream.sfreq >= LEAST_SFREQ and bool(channels.names)
        self._monitor = AbsoluteMonitor(channels.names, stream.sfreq, unit) if judged else None

    def take(self, chunk: Chunk) -> bool:
        """Take in a chunk; return whether the channels were judged anew."""
        if not len(chunk.timestamps):
            return False
        self._kiloohms = chunk.impedances
        if self._monitor is None:
            return False
        if any(isinstance(event, Gap | ClockJump) for event in chunk.events):
            self._monitor.reset()
        return self._monitor.update(chunk.data[self._channels.picks] * self._channels.factors)

    def states(self, choices: Mapping[str, Choice]) -> ChannelStates:
        """Return the state of each channel: of the decoder's channels while it decodes.

        Parameters
        ----------
        choices : mapping of str to {"good", "bad"}
            What the operator has chosen for channels.
        """
        verdicts = {} if self._monitor is None else self._verdicts()
        if self.decoded:
            return ChannelStates(self._completed(one, verdicts) for one in self.decoded)
        usual = np.median([one.amplitude for one in verdicts.values()] or [np.nan])
        return ChannelStates(
            (self._summary(name, one, float(usual), choices) for name, one in verdicts.items()),
            decoded=False,
        )

    def _verdicts(self) -> dict[str, Verdict]:
        assert self._monitor is not None
        return {standard_name(one.channel): one for one in self._monitor.verdicts}

    def _summary(
        self, name: str, verdict: Verdict, usual: float, choices: Mapping[str, Choice]
    ) -> ChannelSummary:
        choice = choices.get(name, "automatic")
        bad = verdict.bad if choice == "automatic" else choice == "bad"
        return ChannelSummary(
            channel=name,
            bad=bad,
            reasons=verdict.reasons,
            amplitude=None,
            choice=choice,
            remedy=verdict.remedy if bad else "",
            microvolts=verdict.amplitude if self._channels.unit == "µV" else None,
            kiloohms=self._kiloohms.get(name),
            relative=verdict.amplitude / usual if usual > 0 else None,
        )

    def _completed(self, report: ChannelReport, verdicts: Mapping[str, Verdict]) -> ChannelSummary:
        """Add what was measured without a calibration to what the decoder says of a channel."""
        verdict = verdicts.get(report.channel)
        return ChannelSummary(
            channel=report.channel,
            bad=report.bad,
            reasons=report.reasons,
            amplitude=report.amplitude,
            choice=report.choice,
            remedy=verdict.remedy if verdict is not None and report.bad else "",
            microvolts=None if verdict is None else verdict.amplitude,
            kiloohms=self._kiloohms.get(report.channel),
            relative=report.amplitude,
        )
