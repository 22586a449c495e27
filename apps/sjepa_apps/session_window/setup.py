"""Input and output of the session: what was asked for, and what was trained."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING

from sjepa_apps.session.identity import Identity
from sjepa_apps.session.training_choice import TrainingChoice
from sjepa_apps.stimulus.display import DisplayOptions
from sjepa_online.amplifier import AS_DECLARED, AmplifierProfile

if TYPE_CHECKING:
    from sjepa_apps.session.folder import SessionFolder
    from sjepa_online.decoding import DecoderRequest
    from sjepa_online.evaluation.forehead import ForeheadCheck
    from sjepa_online.evaluation.report import Advice
    from sjepa_online.training import Calibration
    from sjepa_online.training.without_labels import Unlabelled

#: Names of what is written to the folder of a session.
DECODER = "decoder.safetensors"
REPORT = "report.html"


@dataclass(frozen=True)
class SessionSetup:
    """Options of a session; the operator may change most of them in the window.

    Attributes
    ----------
    paradigm : str
        Name or path of the protocol.
    request : DecoderRequest
    stream : str or None
        Name of the EEG stream; None for the only one in sight.
    amplifier : AmplifierProfile
        What is known beside what the stream declares.
    n_trials : int or None
        How many to record in all; None for as many as the protocol or the session says.
    practice : bool
        Whether practice trials are shown first.
    seed : int
        Of a new session's schedule.
    folder : Path or None
        Of a new session; None for one named by the time.
    resume : Path or None
        Folder of a session to go on with.
    dynamic_stopping : bool
        Whether the decoder learns to stop a trial as soon as it is sure.
    out, report : Path or None
        Decoder and report; None for files in the session's folder.
    display_options : DisplayOptions
        Where the stimuli are shown.
    identity : Identity
        Who is recorded.
    pattern : str or None
        Of the name of the folder.
    earlier : tuple of str
        Earlier recordings of the same person that the decoder learns from, too.
    """

    paradigm: str
    request: DecoderRequest
    stream: str | None = None
    amplifier: AmplifierProfile = AS_DECLARED
    n_trials: int | None = None
    practice: bool = True
    seed: int = 0
    folder: Path | None = None
    resume: Path | None = None
    dynamic_stopping: bool = False
    out: Path | None = None
    report: Path | None = None
    display_options: DisplayOptions = field(default_factory=DisplayOptions)
    identity: Identity = field(default_factory=Identity)
    pattern: str | None = None
    earlier: tuple[str, ...] = ()

    @property
    def training(self) -> TrainingChoice:
        """What chooses the decoder."""
        return TrainingChoice(
            decoder=self.request.name,
            weights=self.request.weights,
            population=self.request.population,
            dynamic_stopping=self.dynamic_stopping,
        )

    def as_begun(self, begun: TrainingChoice) -> SessionSetup:
        """Return the setup with the decoder of a session that goes on, where none is chosen."""
        chosen = self.training.or_of(begun)
        request = replace(
            self.request,
            name=chosen.decoder,
            weights=chosen.weights,
            population=chosen.population,
        )
        return replace(self, request=request, dynamic_stopping=chosen.dynamic_stopping)

    def decoder_file(self, folder: Path) -> Path:
        """Return where the decoder goes."""
        return self.out or folder / DECODER

    def report_file(self, folder: Path) -> Path:
        """Return where the report goes."""
        return self.report or folder / REPORT


@dataclass(frozen=True)
class TrainingResult:
    """A decoder, saved.

    Attributes
    ----------
    calibration : Calibration
    decoder, report : Path
    advice : list of Advice
        What the report finds, and what to do.
    more_trials_help : bool
    forehead : ForeheadCheck or None
        What the forehead alone reaches.
    """

    calibration: Calibration
    decoder: Path
    report: Path
    advice: list[Advice]
    more_trials_help: bool
    forehead: ForeheadCheck | None


@dataclass(frozen=True)
class UnlabelledResult:
    """A decoder that was made without labelled trials, saved.

    Attributes
    ----------
    made : Unlabelled
    decoder : Path
    """

    made: Unlabelled
    decoder: Path


@dataclass(frozen=True)
class SessionOutcome:
    """The result of a session window.

    Attributes
    ----------
    folder : SessionFolder or None
        None where no session was begun.
    result : TrainingResult or None
        None where no decoder was trained.
    unlabelled : UnlabelledResult or None
        None where no decoder was made without trials.
    interrupted : bool
        Whether Ctrl-C has closed the window.
    """

    folder: SessionFolder | None
    result: TrainingResult | None
    unlabelled: UnlabelledResult | None = None
    interrupted: bool = False
