"""What a run with feedback shows and decodes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from sjepa_apps.session.feedback_folder import FeedbackFolder
from sjepa_apps.session.free_spelling import FreeText
from sjepa_apps.stimulus.display import DisplayOptions
from sjepa_online.amplifier import AmplifierProfile
from sjepa_online.protocol import Protocol
from sjepa_online.schedule import ScheduledTrial
from sjepa_online.stream import StreamDescription


@dataclass(frozen=True)
class FeedbackSetup:
    """What is run.

    Attributes
    ----------
    decoder : Path
        File of the decoder.
    protocol : Protocol
        Of the trials.
    protocol_text : str
        As in its file.
    stream : StreamDescription
        The EEG to decode.
    amplifier : AmplifierProfile
        What is known beside what the stream declares.
    trials : sequence of ScheduledTrial
    display_options : DisplayOptions
        Where the stimuli are shown.
    folder : FeedbackFolder or None
        Where the run is recorded.
    free : FreeText or None
        What is spelled freely.
    adapt : bool
        Let a decoder that adapts take in each trial, without its class.
    """

    decoder: Path
    protocol: Protocol
    protocol_text: str
    stream: StreamDescription
    amplifier: AmplifierProfile
    trials: Sequence[ScheduledTrial]
    display_options: DisplayOptions = field(default_factory=DisplayOptions)
    folder: FeedbackFolder | None = None
    free: FreeText | None = None
    adapt: bool = True
