"""Checks before a session: channels, number of trials, room on the disk."""

from __future__ import annotations

import shutil
import tempfile
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from sjepa_apps.session.completed_trials import whole_windows
from sjepa_online.amplifier import AS_DECLARED, AmplifierProfile, pick_channels
from sjepa_online.data import Recording
from sjepa_online.data.source import load_source
from sjepa_online.errors import InputError
from sjepa_online.protocol import MODEL_SFREQ, Protocol
from sjepa_online.schedule import ScheduledTrial
from sjepa_online.signal import Preprocessor, require_plausible_amplitude
from sjepa_online.stream import Recorder, StreamDescription
from sjepa_online.stream.recording import FULL_BELOW

if TYPE_CHECKING:
    from sjepa_online.evaluation.report.channels import ChannelReport

#: Seconds of signal that are recorded for a check.
CHECK_SECONDS = 5.0
# until the preprocessor's filters have forgotten the signal's offset (s)
_SETTLING = 2.0
_SAMPLE_BYTES = {"float32": 4, "double64": 8, "int8": 1, "int16": 2, "int32": 4, "int64": 8}
# of a sample's timestamp in an XDF file, with its own length
_TIMESTAMP_BYTES = 9


@dataclass(frozen=True)
class ChannelCheck:
    """The quality of all channels in a few seconds of signal.

    Attributes
    ----------
    recording : Recording
        These seconds.
    channels : list of ChannelReport
    """

    recording: Recording
    channels: list[ChannelReport]

    @property
    def complaints(self) -> list[str]:
        """Problems of channels, as sentences."""
        return [channel.complaint for channel in self.channels if channel.complaint]

    def table(self) -> str:
        """Return a plain table, one line a channel.

        Returns
        -------
        text : str
        """
        lines = [f"{'channel':10} {'amplitude':>12} {'mains':>7}  finding"]
        for channel in self.channels:
            mains = "-" if channel.mains is None else f"{channel.mains:.0%}"
            verdict = channel.complaint or "good"
            lines.append(
                f"{channel.name:10} {channel.amplitude:9.1f} µV {mains:>7}  {verdict}".rstrip()
            )
        return "\n".join(lines)


def check_channels(
    stream: StreamDescription,
    amplifier: AmplifierProfile = AS_DECLARED,
    seconds: float = CHECK_SECONDS,
) -> ChannelCheck:
    """Record a few seconds as a session does, and measure the quality of each channel.

    Parameters
    ----------
    stream : StreamDescription
    amplifier : AmplifierProfile
        What is known beside what the stream declares.
    seconds : float
        How long to record.

    Returns
    -------
    check : ChannelCheck

    Raises
    ------
    InputError
        The names of the channels are unknown, the stream tells no unit, the amplitude
        contradicts it, the rate is another than declared, or every channel is flat.
    OperationError
        The recorder does not get the stream.
    """
    # takes seconds to load, and a session that goes on does not need it
    from sjepa_online.evaluation.report.channels import measure_channels

    # what cannot be read is told before anything is recorded
    pick_channels(stream.declaration, amplifier)
    with tempfile.TemporaryDirectory(prefix="sjepa-online-check-") as folder:
        path = Path(folder) / "check.xdf"
        with Recorder(path, [stream.uid]) as recorder:
            recorder.start()
            time.sleep(seconds)
        (recording,) = load_source(str(path), amplifier.of_session(stream.selector))
    finding = require_plausible_amplitude(
        recording.data, recording.unit, recording.sfreq, recording.declared_unit
    )
    if finding.verdict == "flat":
        raise InputError(
            "Every channel of the stream is constant",
            value=stream.name,
            remedy="Switch the amplifier on, and check the electrodes' plug.",
        )
    preprocessor = Preprocessor(recording.ch_names, recording.sfreq, recording.unit)
    signal = preprocessor.update(recording.data)[:, round(_SETTLING * MODEL_SFREQ) :]
    windows = np.asarray([signal], np.float32)
    return ChannelCheck(recording, measure_channels(windows, recording.ch_names, [recording]))


def require_enough_trials(trials: Sequence[ScheduledTrial], protocol: Protocol) -> None:
    """Refuse a session that cannot be trained on, before a participant's time is spent.

    Parameters
    ----------
    trials : sequence of ScheduledTrial
    protocol : Protocol

    Raises
    ------
    InputError
        It has too few trials of a class.
    """
    from sjepa_online.training.cross_validation import N_FOLDS

    markers = [phase.marker for trial in trials for phase in trial.phases]
    counts = Counter(protocol.class_of(marker) for marker in markers)
    if any(counts[name] < N_FOLDS for name in protocol.class_names):
        told = ", ".join(f"{counts[name]} of {name}" for name in protocol.class_names)
        raise InputError(
            "The session has too few trials to train a decoder",
            value=f"{len(trials)} trials: {told}",
            remedy=f"Ask for more (--trials): it needs {N_FOLDS} or more trials of each class.",
        )


def require_enough_recorded(recordings: Sequence[Recording], protocol: Protocol) -> None:
    """Refuse to train on recordings that hold too little.

    Parameters
    ----------
    recordings : sequence of Recording
    protocol : Protocol

    Raises
    ------
    InputError
        They hold too few whole windows of a class.
    """
    _require_enough([one for part in recordings for one in whole_windows(part, protocol)], protocol)


def _require_enough(labels: Sequence[str], protocol: Protocol) -> None:
    from sjepa_online.training.cross_validation import N_FOLDS, check_trials_per_class

    check_trials_per_class(np.array(labels), protocol.class_names, N_FOLDS)


def require_room(folder: Path, stream: StreamDescription, seconds: float) -> None:
    """Refuse a disk that cannot hold the recording.

    Parameters
    ----------
    folder : Path
    stream : StreamDescription
    seconds : float
        Length of the recording.

    Raises
    ------
    InputError
        It has less room than so many seconds of the stream take.
    """
    per_sample = stream.n_channels * _SAMPLE_BYTES[stream.format] + _TIMESTAMP_BYTES
    needed = seconds * stream.sfreq * per_sample + FULL_BELOW
    free = shutil.disk_usage(folder).free
    if free < needed:
        raise InputError(
            "The disk has too little room for the recording",
            value=f"{free / 1e6:.0f} MB free in {folder}, {needed / 1e6:.0f} MB needed",
            remedy="Free some and continue with --resume, or record to another disk with --folder.",
        )
