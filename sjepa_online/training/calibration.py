"""Calibration: labelled recordings in, a decoder out, with its cross-validated score."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from sjepa_online.data import Recording, Trials, make_trials
from sjepa_online.decoding import CalibrationSummary, Decoder, DecoderRequest
from sjepa_online.decoding.bad_channels.interpolation import ChannelInterpolation
from sjepa_online.decoding.base import EpochClassifier
from sjepa_online.decoding.dynamic_stopping import (
    choose_threshold,
    cross_validated_stopping_scores,
)
from sjepa_online.decoding.metrics import score_summary
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
from sjepa_online.typing import FloatArray, Floats
from sjepa_online.validation import check_type


@dataclass(frozen=True)
class Calibration:
    """A decoder, and its predictions in cross-validation.

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
    out_of_fold: Floats
    fit_seconds: float


def calibrate(
    recordings: Sequence[Recording],
    protocol: Protocol,
    preprocessing: PreprocessorConfig,
    request: DecoderRequest,
    *,
    n_folds: int = N_FOLDS,
    dynamic_stopping: bool = False,
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
    dynamic_stopping : bool
        Decide before the end of the window, as soon as a probability passes a threshold that
        cross-validation finds.
    progress : callable
        Called ``n_folds + 1`` times.

    Returns
    -------
    Calibration

    Raises
    ------
    InputError
        A recording does not suit the protocol, or a class has fewer trials than folds.
    """
    remedy = 'Name the decoder: DecoderRequest("auto").'
    check_type("request", request, DecoderRequest, remedy)
    trials = make_trials(recordings, protocol, preprocessing)
    check_trials_per_class(trials.y, protocol.class_names, n_folds)

    names = [recording.name for recording in recordings]
    plan = request.resolve(
        protocol,
        trials.ch_names,
        names,
        dynamic_stopping=dynamic_stopping,
        epochs=(trials.X,),
    )
    classifier = plan.make()
    features = classifier.features(trials.X)
    held_out = cross_validate(classifier, features, trials.y, n_folds=n_folds, progress=progress)
    started = time.perf_counter()
    scores = _scores(request.name, held_out, trials)
    stopping = spelling_scores(recordings, trials, held_out[DECISION])
    classifier.fit_features(features, trials.y)
    if dynamic_stopping:
        ends = [protocol.window.start + length / MODEL_SFREQ for length in classifier.lengths]
        classifier.threshold, stopping = _stopping_rule(held_out[PREFIXES], ends, trials, n_folds)
    fit_seconds = time.perf_counter() - started
    decoder = assemble_decoder(
        request.name,
        classifier,
        recordings,
        trials,
        preprocessing,
        cross_validation=scores,
        dynamic_stopping=stopping,
        population=plan.note,
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

    Returns
    -------
    Decoder
    """
    names = [recording.name for recording in recordings]
    plan = request.resolve(trials.protocol, trials.ch_names, names, epochs=(trials.X,))
    return assemble_decoder(
        request.name,
        plan.make().fit(trials.X, trials.y),
        recordings,
        trials,
        preprocessing,
        cross_validation=cross_validation,
        population=plan.note,
    )


def assemble_decoder(
    name: str,
    classifier: EpochClassifier,
    recordings: Sequence[Recording],
    trials: Trials,
    preprocessing: PreprocessorConfig,
    **details: Any,
) -> Decoder:
    """Make a decoder for live streams of a fitted classifier.

    Parameters
    ----------
    name : str
        Of the decoder.
    classifier : EpochClassifier
        Fitted on the trials.
    recordings : sequence of Recording
        What the trials were cut from.
    trials : Trials
    preprocessing : PreprocessorConfig
        How they were preprocessed.
    **details
        Further fields of the :class:`CalibrationSummary`.

    Returns
    -------
    Decoder
    """
    details.setdefault("n_trials", len(trials.y))
    details.setdefault("choice", classifier.reason)
    summary = CalibrationSummary(
        sfreq=recordings[0].sfreq,
        sources=tuple(recording.name for recording in recordings),
        simulated=any(recording.simulated for recording in recordings),
        amplitude=robust_amplitude(trials.X),
        **details,
    )
    return Decoder(
        name,
        classifier,
        trials.protocol,
        trials.ch_names,
        preprocessing,
        ChannelInterpolation(trials.ch_names, covariance_kernel(trials.X)),
        fit_baseline(recordings, trials.ch_names),
        summary,
    )


def robust_amplitude(X: FloatArray) -> float:
    """Return the amplitude of epochs, which single artefacts do not change.

    Parameters
    ----------
    X : ndarray, shape (n, channels, samples)
        In µV; channels that are flat throughout do not count.

    Returns
    -------
    float
        The median absolute sample, scaled to be the standard deviation of a normal distribution.
    """
    not_flat = X.any(axis=(0, 2))
    return float(np.median(np.abs(X[:, not_flat])) / 0.6745)


def _scores(name: str, held_out: dict[str, Floats], trials: Trials) -> dict[str, dict[str, float]]:
    """Return the scores of the decoder, and of the candidates that it chooses among."""
    named = {name: held_out[DECISION]} | {
        other: values for other, values in held_out.items() if other not in (DECISION, PREFIXES)
    }
    classes = trials.protocol.class_names
    return {one: score_summary(values, trials.y, classes) for one, values in named.items()}


def _flash_evidence(held_out: Floats, trials: Trials) -> FlashEvidence | None:
    """Return the evidence of held-out flashes; None where there is no speller."""
    if trials.protocol.speller is None:
        return None
    target = trials.protocol.class_names.index(TARGET)
    return FlashEvidence.fit(held_out[:, target], trials.y == TARGET)


def _stopping_rule(
    prefixes: Floats, ends: Sequence[float], trials: Trials, n_folds: int
) -> tuple[float, dict[str, float]]:
    """Return the threshold for all trials, and the cross-validated scores of choosing one."""
    classes = np.array(trials.protocol.class_names)
    targets = np.argmax(trials.y[:, np.newaxis] == classes, axis=1)
    folds = held_out_folds(trials.y, n_folds)
    scores = cross_validated_stopping_scores(prefixes, targets, ends, folds)
    return choose_threshold(prefixes, targets, ends), scores


def fit_baseline(recordings: Sequence[Recording], ch_names: Sequence[str]) -> Baseline:
    """Fit the usual signal of each channel.

    Parameters
    ----------
    recordings : sequence of Recording
        Those of another sampling rate than the first are left out.
    ch_names : sequence of str

    Returns
    -------
    Baseline

    Raises
    ------
    InputError
        No channel carries signal.
    """
    first = recordings[0]
    signals = (one.channels(ch_names) for one in recordings if one.sfreq == first.sfreq)
    return Baseline.fit(signals, ch_names, first.sfreq, first.unit)
