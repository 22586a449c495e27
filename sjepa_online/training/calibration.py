"""Calibration: labelled recordings in, a decoder out, with its cross-validated score."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from sjepa_online.data import Recording, Trials, make_trials
from sjepa_online.decoding import CalibrationSummary, Decoder, DecoderRequest
from sjepa_online.decoding.bad_channels.interpolation import ChannelCompensation
from sjepa_online.decoding.classifiers.auto import AutoClassifier
from sjepa_online.decoding.dynamic_stopping import (
    PrefixClassifier,
    choose_threshold,
    cross_validated_early_scores,
)
from sjepa_online.decoding.metrics import score_summary
from sjepa_online.decoding.serialization import FloatArray, TrialClassifier, fit_on, statistics_of
from sjepa_online.decoding.speller import FlashEvidence
from sjepa_online.markers import TARGET
from sjepa_online.model import covariance_kernel
from sjepa_online.protocol import MODEL_SFREQ, Protocol
from sjepa_online.signal import PreprocessorConfig
from sjepa_online.signal.channel_quality.baseline import Baseline
from sjepa_online.training.cross_validation import (
    DECISION,
    N_FOLDS,
    PREFIXES,
    check_trials_per_class,
    cross_validate,
    held_out_folds,
)
from sjepa_online.training.spelling import spelling_scores


@dataclass(frozen=True)
class Calibration:
    """A decoder, and what cross-validation said of it.

    Attributes
    ----------
    decoder : Decoder
        Fitted on all trials.
    trials : Trials
        What it was fitted on.
    out_of_fold : ndarray, shape (n, classes)
        Probabilities of each trial from a decoder that did not see it.
    fit_seconds : float
        Time of the final fit.
    """

    decoder: Decoder
    trials: Trials
    out_of_fold: FloatArray
    fit_seconds: float


def calibrate(
    recordings: Sequence[Recording],
    protocol: Protocol,
    preprocessing: PreprocessorConfig,
    request: DecoderRequest,
    *,
    n_folds: int = N_FOLDS,
    early: bool = False,
    progress: Callable[[], None] = lambda: None,
) -> Calibration:
    """Cross-validate a decoder on the recordings' trials, then fit it on all of them.

    Parameters
    ----------
    recordings : sequence of Recording
        Of one montage, with trials of the protocol.
    protocol : Protocol
        Classes and window.
    preprocessing : PreprocessorConfig
        The signal path, which the decoder then asks of a live stream too.
    request : DecoderRequest
        Which decoder, from which weights, with which seed.
    n_folds : int
        Folds of the stratified cross-validation.
    early : bool
        Decide before the end of the window, as soon as a threshold is passed that
        cross-validation finds.
    progress : callable
        Called ``n_folds + 1`` times.

    Raises
    ------
    InputError
        A recording does not suit the protocol, or a class has fewer trials than folds.
    """
    trials = make_trials(recordings, protocol, preprocessing)
    check_trials_per_class(trials.y, protocol.class_names, n_folds)

    names = [recording.name for recording in recordings]
    settled, population = request.settle_population(protocol, trials.ch_names, names)

    def make() -> TrialClassifier:
        if early:
            return settled.make_early(protocol, trials.ch_names)
        return settled.make(protocol, trials.ch_names)

    statistics = statistics_of(make(), trials.X)
    held_out = cross_validate(make, statistics, trials.y, n_folds=n_folds, progress=progress)
    started = time.perf_counter()
    scores = _scores(request.name, held_out, trials)
    early_scores = spelling_scores(recordings, trials, held_out[DECISION])
    classifier = make()
    fit_on(classifier, statistics, trials.y)
    if isinstance(classifier, PrefixClassifier):
        classifier.threshold, early_scores = _early(
            held_out[PREFIXES], classifier.lengths, trials, n_folds
        )
    fit_seconds = time.perf_counter() - started
    decoder = assemble_decoder(
        request.name,
        classifier,
        recordings,
        trials,
        preprocessing,
        cross_validation=scores,
        early=early_scores,
        population=population,
        flash_evidence=_flash_evidence(held_out[DECISION], trials),
    )
    progress()
    return Calibration(decoder, trials, held_out[DECISION], fit_seconds)


def fit_decoder(
    recordings: Sequence[Recording],
    trials: Trials,
    preprocessing: PreprocessorConfig,
    request: DecoderRequest,
    cross_validation: dict[str, dict[str, float]],
) -> Decoder:
    """Fit a decoder on all trials.

    Parameters
    ----------
    recordings : sequence of Recording
        What the trials were cut from.
    trials : Trials
    preprocessing : PreprocessorConfig
        How they were preprocessed.
    request : DecoderRequest
    cross_validation : dict
        Scores by the name of the decoder, to be kept with it.
    """
    names = [recording.name for recording in recordings]
    settled, population = request.settle_population(trials.protocol, trials.ch_names, names)
    classifier = settled.make(trials.protocol, trials.ch_names).fit(trials.X, trials.y)
    return assemble_decoder(
        request.name,
        classifier,
        recordings,
        trials,
        preprocessing,
        cross_validation=cross_validation,
        population=population,
    )


def assemble_decoder(
    name: str,
    classifier: TrialClassifier,
    recordings: Sequence[Recording],
    trials: Trials,
    preprocessing: PreprocessorConfig,
    **told: Any,
) -> Decoder:
    """Put a fitted classifier together with what it needs to run on a live stream.

    Parameters
    ----------
    name : str
        Of the decoder.
    classifier : TrialClassifier
        Fitted on the trials.
    recordings : sequence of Recording
        What the trials were cut from.
    trials : Trials
    preprocessing : PreprocessorConfig
        How they were preprocessed.
    **told
        What else the :class:`CalibrationSummary` is to keep.
    """
    not_flat = trials.X.any(axis=(0, 2))
    summary = CalibrationSummary(
        n_trials=len(trials.y),
        sfreq=recordings[0].sfreq,
        sources=tuple(recording.name for recording in recordings),
        simulated=any(recording.simulated for recording in recordings),
        amplitude=float(np.median(np.abs(trials.X[:, not_flat])) / 0.6745),
        choice=_reason(classifier),
        **told,
    )
    return Decoder(
        name,
        classifier,
        trials.protocol,
        trials.ch_names,
        preprocessing,
        ChannelCompensation(trials.ch_names, covariance_kernel(trials.X)),
        fit_baseline(recordings, trials.ch_names),
        summary,
    )


def _scores(
    name: str, held_out: dict[str, FloatArray], trials: Trials
) -> dict[str, dict[str, float]]:
    """Return the scores of the decoder, and of the candidates that it chooses among."""
    named = {name: held_out[DECISION]} | {
        other: values for other, values in held_out.items() if other not in (DECISION, PREFIXES)
    }
    classes = trials.protocol.class_names
    return {one: score_summary(values, trials.y, classes) for one, values in named.items()}


def _flash_evidence(held_out: FloatArray, trials: Trials) -> FlashEvidence | None:
    """Return what the probabilities of held-out flashes say; None where there is no speller."""
    if trials.protocol.speller is None:
        return None
    target = trials.protocol.class_names.index(TARGET)
    return FlashEvidence.fit(held_out[:, target], trials.y == TARGET)


def _early(
    prefixes: FloatArray, lengths: Sequence[int], trials: Trials, n_folds: int
) -> tuple[float, dict[str, float]]:
    """Return the threshold for all trials, and what cross-validation says of choosing one."""
    protocol = trials.protocol
    targets = np.argmax(trials.y[:, np.newaxis] == np.array(protocol.class_names), axis=1)
    seconds = [protocol.window.start + length / MODEL_SFREQ for length in lengths]
    folds = held_out_folds(trials.y, n_folds)
    scores = cross_validated_early_scores(prefixes, targets, seconds, folds)
    return choose_threshold(prefixes, targets, seconds), scores


def _reason(classifier: TrialClassifier) -> str:
    whole = classifier.whole if isinstance(classifier, PrefixClassifier) else classifier
    return whole.reason_ if isinstance(whole, AutoClassifier) else ""


def fit_baseline(recordings: Sequence[Recording], ch_names: Sequence[str]) -> Baseline:
    """Learn what is normal for each channel from the recordings of the first one's rate.

    Raises
    ------
    InputError
        No channel carries signal.
    """
    first = recordings[0]
    signals = (one.channels(ch_names) for one in recordings if one.sfreq == first.sfreq)
    return Baseline.fit(signals, ch_names, first.sfreq, first.unit)
