"""What the operator has chosen on the first page."""

from __future__ import annotations

from dataclasses import dataclass, field

from sjepa_apps.session.identity import Identity
from sjepa_apps.stimulus.display import DisplayOptions
from sjepa_online.amplifier import AmplifierProfile
from sjepa_online.stream import StreamDescription


@dataclass(frozen=True)
class Choices:
    """Choices of the operator on the first page.

    Attributes
    ----------
    paradigm : str
        Name or path of the protocol.
    stream : StreamDescription
    amplifier : AmplifierProfile
        What is known beside what the stream declares.
    n_trials : int
        How many to record in all.
    practice : bool
    display_options : DisplayOptions
        Where the stimuli are shown.
    identity : Identity
        Who is recorded.
    with_trials : bool
        Whether labelled trials are recorded; otherwise a minute of signal makes the decoder.
    """

    paradigm: str
    stream: StreamDescription
    amplifier: AmplifierProfile
    n_trials: int
    practice: bool
    display_options: DisplayOptions
    identity: Identity = field(default_factory=Identity)
    with_trials: bool = True
