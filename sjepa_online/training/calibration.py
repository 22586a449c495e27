"""Calibration: labelled recordings in, a decoder out, with its cross-validated score."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from sjepa_online.data import Recording, Trials, make_trials
from sjepa_online.decoding import CalibrationSummary, Decoder, DecoderRequest
from sjepa_online.decoding.compensation import ChannelCompensation
from sjepa_online.decoding.metrics import score_summary
from sjepa_online.decoding.state import FloatArray, TrialClassifier
from sjepa_online.model import covariance_kernel
from sjepa_online.protocol import Protocol
from sjepa_online.signal import PreprocessorConfig
from sjepa_online.signal.baseline import Baseline
from sjepa_online.training.cross_validation import (
    N_FOLDS,
    check_trials_per_class,
    out_of_fold_probabilities,
)


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
    progress : callable
        Called ``n_folds + 1`` times.

    Raises
    ------
    InputError
        A recording does not suit the protocol, or a class has fewer trials than folds.
    """
    trials = make_trials(recordings, protocol, preprocessing)
    check_trials_per_class(trials.y, protocol.class_names, n_folds)

    def make() -> TrialClassifier:
        return request.make(protocol, trials.ch_names)

    out_of_fold = out_of_fold_probabilities(
        make, trials.X, trials.y, n_folds=n_folds, progress=progress
    )
    started = time.perf_counter()
    scores = {request.name: score_summary(out_of_fold, trials.y, protocol.class_names)}
    decoder = fit_decoder(recordings, trials, preprocessing, request, scores)
    fit_seconds = time.perf_counter() - started
    progress()
    return Calibration(decoder, trials, out_of_fold, fit_seconds)


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
    classifier = request.make(trials.protocol, trials.ch_names).fit(trials.X, trials.y)
    not_flat = trials.X.any(axis=(0, 2))
    summary = CalibrationSummary(
        n_trials=len(trials.y),
        sfreq=recordings[0].sfreq,
        sources=tuple(recording.name for recording in recordings),
        simulated=any(recording.simulated for recording in recordings),
        amplitude=float(np.median(np.abs(trials.X[:, not_flat])) / 0.6745),
        cross_validation=cross_validation,
    )
    return Decoder(
        request.name,
        classifier,
        trials.protocol,
        trials.ch_names,
        preprocessing,
        ChannelCompensation(trials.ch_names, covariance_kernel(trials.X)),
        fit_baseline(recordings, trials.ch_names),
        summary,
    )


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
