"""The content of the calibration report, before it is drawn."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.metrics import confusion_matrix, roc_curve

from sjepa_online.data import Recording, Trials
from sjepa_online.decoding import Decoder
from sjepa_online.decoding.metrics import information_transfer_rate
from sjepa_online.evaluation.forehead import ForeheadCheck, check_calibration
from sjepa_online.evaluation.report.channels import ChannelReport, report_channels
from sjepa_online.evaluation.report.letters import LettersPoint, letters_by_repetitions
from sjepa_online.evaluation.report.patterns import (
    SourcePattern,
    rarest_class,
    source_patterns,
)
from sjepa_online.evaluation.report.trials_curve import CURVE_DECODER, CurvePoint, trials_curve
from sjepa_online.evaluation.significance import Score, judge, wilson_interval
from sjepa_online.training import Calibration
from sjepa_online.typing import FloatArray

#: Patterns need at least this many channels.
LEAST_CHANNELS = 2


@dataclass(frozen=True)
class ComparedDecoder:
    """Another decoder's score, with its 95 % interval where one is known."""

    name: str
    value: float
    interval: tuple[float, float] | None


@dataclass(frozen=True)
class ReportContent:
    """Everything that the report shows.

    Attributes
    ----------
    decoder : Decoder
    trials : Trials
    score : Score
        Of the decoder, in cross-validation.
    confusion : ndarray of int, shape (classes, classes)
        Trials by their true class (rows) and the decided one.
    roc : tuple of ndarray or None
        False and true positive rates, for ERP.
    curve : list of CurvePoint
        Scores of a quick decoder by training trials.
    compared : list of ComparedDecoder
    shown : Trials
        Without the channels that are complained about, whose noise would outshine any source.
    patterns : list of SourcePattern
        Of the channels that are shown.
    channels : list of ChannelReport
    duration : float
        Length of the recordings (s).
    forehead : ForeheadCheck or None
        What the forehead alone reaches; None without electrodes there.
    letters : list of LettersPoint
        Letters right by repetitions; empty but for a speller whose markers name symbols.
    facts : mapping of str to str
        What is known of the session: participant, amplifier, display and the like.
    """

    decoder: Decoder
    trials: Trials
    score: Score
    confusion: NDArray[np.int64]
    roc: tuple[FloatArray, FloatArray] | None
    curve: list[CurvePoint]
    compared: list[ComparedDecoder]
    shown: Trials
    patterns: list[SourcePattern]
    channels: list[ChannelReport]
    duration: float
    letters: list[LettersPoint] = field(default_factory=list)
    facts: Mapping[str, str] = field(default_factory=dict)
    forehead: ForeheadCheck | None = None

    @property
    def decoder_name(self) -> str:
        """The decoder, and the one that it has chosen where it chooses among several."""
        chosen = self.decoder.calibration.choice.partition(":")[0]
        return f"{self.decoder.name}, which chose {chosen}" if chosen else self.decoder.name

    @property
    def bits_per_minute(self) -> float | None:
        """Information transfer rate (Wolpaw et al. 1998) while stimuli are shown.

        None for flashes whose symbols are not known.
        """
        stopping = self.decoder.calibration.dynamic_stopping
        if "itr_bits_per_min" in stopping:
            return stopping["itr_bits_per_min"]
        if self.score.name == "AUC":
            return None
        window = self.trials.protocol.window
        n_classes = len(self.trials.protocol.class_names)
        return information_transfer_rate(self.score.value, n_classes, window.start + window.length)


def collect(
    calibration: Calibration,
    recordings: Sequence[Recording],
    facts: Mapping[str, str] | None = None,
) -> ReportContent:
    """Compute the content of the report.

    Parameters
    ----------
    calibration : Calibration
    recordings : sequence of Recording
        What it was made from.
    facts : mapping of str to str, optional
        What is known of the session.

    Returns
    -------
    ReportContent
    """
    trials, decoder = calibration.trials, calibration.decoder
    classes = trials.protocol.class_names
    probabilities = calibration.out_of_fold
    decided = np.asarray(classes)[np.argmax(probabilities, axis=1)]
    score = judge(trials.protocol, probabilities, trials.y)
    curve = trials_curve(trials)
    channels = report_channels(trials, recordings)
    shown = _without_complaints(trials, channels)
    return ReportContent(
        decoder=decoder,
        trials=trials,
        score=score,
        confusion=confusion_matrix(trials.y, decided, labels=list(classes)),
        roc=_roc(trials, probabilities) if score.name == "AUC" else None,
        curve=curve,
        compared=_compare(decoder, score, curve, len(trials.y)),
        shown=shown,
        patterns=source_patterns(shown),
        channels=channels,
        duration=sum(recording.duration for recording in recordings),
        forehead=check_calibration(recordings, trials, decoder.preprocessing, probabilities),
        letters=letters_by_repetitions(recordings, trials, probabilities),
        facts=_people(recordings) | dict(facts or {}),
    )


def _people(recordings: Sequence[Recording]) -> dict[str, str]:
    """Return whom the recordings are of, where they tell it."""
    subjects = dict.fromkeys(one.subject for one in recordings if one.subject)
    return {"Participant": ", ".join(subjects)} if subjects else {}


def _without_complaints(trials: Trials, channels: list[ChannelReport]) -> Trials:
    good = [index for index, channel in enumerate(channels) if not channel.complaint]
    if len(good) < LEAST_CHANNELS:
        return trials
    names = tuple(trials.ch_names[index] for index in good)
    return replace(trials, X=trials.X[:, good], ch_names=names)


def _roc(trials: Trials, probabilities: FloatArray) -> tuple[FloatArray, FloatArray]:
    target = rarest_class(trials)
    column = trials.protocol.class_names.index(target)
    false_positives, true_positives, _ = roc_curve(trials.y == target, probabilities[:, column])
    return false_positives, true_positives


def _compare(
    decoder: Decoder, score: Score, curve: list[CurvePoint], n_trials: int
) -> list[ComparedDecoder]:
    """Return the decoders that cross-validation scored, and the quick one."""
    key = "roc_auc" if score.name == "AUC" else "accuracy"
    scores: dict[str, Any] = decoder.calibration.cross_validation
    values = {name: entry[key] for name, entry in scores.items() if key in entry}
    if curve:
        values.setdefault(CURVE_DECODER, curve[-1].value)
    return [
        ComparedDecoder(name, value, _interval(name, value, decoder, score, n_trials))
        for name, value in values.items()
    ]


def _interval(
    name: str, value: float, decoder: Decoder, score: Score, n_trials: int
) -> tuple[float, float] | None:
    if name == decoder.name:
        return score.low, score.high
    return None if score.name == "AUC" else wilson_interval(round(value * n_trials), n_trials)
