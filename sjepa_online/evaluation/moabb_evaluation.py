"""Our decoders inside MOABB's own evaluations.

MOABB filters whole recordings forwards and backwards (zero phase) before it cuts epochs, so its
scores do not tell what a causal, live decoder reaches; ``evaluate scores`` does.
"""

from __future__ import annotations

import tempfile
import warnings
from collections.abc import Callable, Sequence
from typing import Any, Literal, Self

import mne
import numpy as np
from numpy.typing import NDArray
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.pipeline import make_pipeline
from sklearn.utils.validation import check_is_fitted

from sjepa_online.data.moabb_reader import upstream_unless_chosen
from sjepa_online.data.reading import UNREADABLE, one_line
from sjepa_online.decoding import DecoderRequest
from sjepa_online.errors import InputError
from sjepa_online.evaluation.tables import Row
from sjepa_online.protocol import MODEL_SFREQ, Protocol
from sjepa_online.signal import (
    PreprocessorConfig,
    pick_eeg_channels,
    require_plausible_amplitude,
)
from sjepa_online.training.cross_validation import check_trials_per_class
from sjepa_online.typing import FloatArray

EvaluationName = Literal["within-session", "cross-session"]
#: What MOABB calls our paradigms.
MOABB_PARADIGMS = {"ssvep": "ssvep", "erp": "p300", "mi": "imagery"}
#: Epochs whose amplitude is held against the unit.
N_CHECKED = 60


class EpochClassifier(ClassifierMixin, BaseEstimator):  # type: ignore[misc]
    """A decoder as MOABB's pipelines want it: integers as labels, any number of samples.

    Parameters
    ----------
    request : DecoderRequest
        Which decoder.
    protocol : Protocol
        Its classes and the length of its window.
    ch_names : tuple of str
        Channels of the epochs, in their order.
    labels : tuple of str
        The event that each integer stands for.

    Attributes
    ----------
    classes_ : ndarray of int
        The integers that were seen in training.
    """

    def __init__(
        self,
        request: DecoderRequest,
        protocol: Protocol,
        ch_names: tuple[str, ...],
        labels: tuple[str, ...],
    ) -> None:
        self.request = request
        self.protocol = protocol
        self.ch_names = ch_names
        self.labels = labels

    def fit(self, X: FloatArray, y: NDArray[np.integer[Any]]) -> Self:
        """Fit the decoder.

        Parameters
        ----------
        X : ndarray, shape (n, channels, samples)
            Epochs in µV at 128 Hz that start where the protocol's window does.
        y : ndarray of int, shape (n,)
            Places in ``labels``.

        Raises
        ------
        InputError
            A class has no trials, the epochs are shorter than the window, or their amplitude is
            not that of EEG in µV.
        """
        self.classes_ = np.unique(y)
        check_trials_per_class(self._names[y], self._names.tolist(), 1, "Training")
        window = self._window(X)
        signal = np.concatenate(list(window[:N_CHECKED]), axis=-1)
        require_plausible_amplitude(signal, "uV", MODEL_SFREQ)
        self.decoder_ = self.request.make(self.protocol, self.ch_names)
        self.decoder_.fit(window, self._names[y])
        return self

    def predict_proba(self, X: FloatArray) -> FloatArray:
        """Return probabilities ``(n, classes)`` of epochs ``(n, channels, samples)``.

        Parameters
        ----------
        X : ndarray, shape (n, channels, samples)
            Epochs in µV at 128 Hz.

        Returns
        -------
        ndarray, shape (n, classes)
            Probabilities.
        """
        check_is_fitted(self)
        order = [list(self.decoder_.classes_).index(name) for name in self._names[self.classes_]]
        return self.decoder_.predict_proba(self._window(X))[:, order]

    def predict(self, X: FloatArray) -> NDArray[np.integer[Any]]:
        """Return the most probable label of each epoch.

        Parameters
        ----------
        X : ndarray, shape (n, channels, samples)
            Epochs in µV at 128 Hz.

        Returns
        -------
        ndarray, shape (n,)
            Labels.
        """
        labels: NDArray[np.integer[Any]] = self.classes_[np.argmax(self.predict_proba(X), axis=1)]
        return labels

    def __sklearn_tags__(self) -> Any:
        """Tell scikit-learn that the input is epochs, not a table."""
        tags = super().__sklearn_tags__()
        tags.input_tags.two_d_array = False
        tags.input_tags.three_d_array = True
        return tags

    @property
    def _names(self) -> NDArray[np.str_]:
        """Class of the protocol for each integer."""
        return np.array([self.protocol.class_of(label) for label in self.labels], dtype=np.str_)

    def _window(self, X: FloatArray) -> NDArray[np.float32]:
        # MOABB's epochs hold a last sample beyond the window, or one more after resampling
        if X.shape[-1] < self.protocol.n_times:
            raise InputError(
                f"The epochs are too short for the protocol {self.protocol.name!r}: it needs "
                f"at least {self.protocol.n_times} samples at 128 Hz",
                value=X.shape[-1],
                remedy="Copy the protocol and shorten its window to what the data set has.",
            )
        return np.asarray(X[..., : self.protocol.n_times], dtype=np.float32)


def evaluate_moabb(
    dataset: Any,
    protocol: Protocol,
    requests: Sequence[DecoderRequest],
    *,
    subjects: Sequence[int] = (),
    evaluation: EvaluationName = "within-session",
    progress: Callable[[str], None] = lambda message: None,
) -> list[Row]:
    """Run one of MOABB's evaluations with our decoders.

    Parameters
    ----------
    dataset : moabb.datasets.base.BaseDataset
    protocol : Protocol
        Its classes name the events, its window the part of each trial.
    requests : sequence of DecoderRequest
    subjects : sequence of int
        All where it is empty.
    evaluation : {"within-session", "cross-session"}
        Cross-validation within each session, or each session in turn as the test.
    progress : callable
        Called with a line before each subject.

    Returns
    -------
    rows : list of dict
        ``dataset``, ``subject``, ``session``, ``decoder``, ``score`` (ROC AUC for two classes
        of imagery and for ERP, accuracy for the rest: MOABB's choice), ``fit_s``,
        ``n_channels``.

    Raises
    ------
    InputError
        The data set is of another paradigm, lacks a class, a subject or a second session, or
        cannot be read.
    """
    if dataset.paradigm != MOABB_PARADIGMS[protocol.paradigm]:
        raise InputError(
            f"The data set is not of the paradigm of the protocol {protocol.name!r}",
            value=f"{dataset.code} is of the paradigm {dataset.paradigm}",
            remedy="Choose another data set or another protocol.",
        )
    events = _events(dataset, protocol)
    chosen = _check_subjects(dataset, subjects)
    rows: list[Row] = []
    for subject in chosen:
        progress(f"{dataset.code}: subject {subject}")
        rows += _evaluate_subject(dataset, subject, protocol, requests, events, evaluation)
    return rows


def _evaluate_subject(
    dataset: Any,
    subject: int,
    protocol: Protocol,
    requests: Sequence[DecoderRequest],
    events: list[str],
    evaluation: EvaluationName,
) -> list[Row]:
    from moabb.evaluations import CrossSessionEvaluation, WithinSessionEvaluation

    everyone = dataset.subject_list
    dataset.subject_list = [subject]
    try:
        with (
            upstream_unless_chosen(),
            mne.use_log_level("error"),
            warnings.catch_warnings(),
            tempfile.TemporaryDirectory() as folder,  # MOABB keeps every result in a file
        ):
            # deprecations between MOABB and h5py are not the user's to mend
            warnings.filterwarnings("ignore", module="moabb")
            channels, n_sessions = _montage(dataset, subject)
            if evaluation == "cross-session" and n_sessions < 2:
                raise InputError(
                    "There are too few sessions for an evaluation across sessions",
                    value=f"subject {subject} of {dataset.code} has {n_sessions}",
                    remedy="Evaluate within sessions.",
                )
            labels = tuple(sorted(events))  # MOABB's encoder sorts
            pipelines = {
                request.name: make_pipeline(EpochClassifier(request, protocol, channels, labels))
                for request in requests
            }
            kind = (
                WithinSessionEvaluation
                if evaluation == "within-session"
                else CrossSessionEvaluation
            )
            results = kind(
                paradigm=_paradigm(protocol, events, channels),
                datasets=[dataset],
                random_state=requests[0].random_state,
                overwrite=True,
                hdf5_path=folder,
            ).process(pipelines)
    finally:
        dataset.subject_list = everyone
    return [_row(result) for result in results.to_dict("records")]


def _row(result: dict[str, Any]) -> Row:
    return {
        "dataset": str(result["dataset"]),
        "subject": str(result["subject"]),
        "session": str(result["session"]),
        "decoder": str(result["pipeline"]),
        "score": float(result["score"]),
        "fit_s": float(result["time"]),
        "n_channels": int(result["channels"]),
    }


def _events(dataset: Any, protocol: Protocol) -> list[str]:
    """Return the data set's events that stand for the protocol's classes."""
    events = {label: protocol.class_of(label) for label in dataset.event_id}
    found = [label for label, name in events.items() if name is not None]
    if set(protocol.class_names) != {events[label] for label in found}:
        raise InputError(
            f"The data set lacks classes of the protocol {protocol.name!r}",
            value=f"{dataset.code} has {', '.join(dataset.event_id)}",
            remedy=f"The classes are {', '.join(protocol.class_names)}; copy the protocol and "
            "change them.",
        )
    return found


def _check_subjects(dataset: Any, subjects: Sequence[int]) -> list[int]:
    absent = [subject for subject in subjects if subject not in dataset.subject_list]
    if absent:
        there = dataset.subject_list
        raise InputError(
            f"{dataset.code} has no such subjects",
            value=", ".join(map(str, absent)),
            remedy=f"Its subjects are {min(there)} to {max(there)}.",
        )
    return list(subjects) or list(dataset.subject_list)


def _montage(dataset: Any, subject: int) -> tuple[tuple[str, ...], int]:
    """Return the EEG channels of a subject, and the number of sessions."""
    try:
        sessions = dataset.get_data([subject])[subject]
    except UNREADABLE as error:
        raise InputError(
            f"MOABB could neither read nor download subject {subject} of {dataset.code}",
            value=one_line(error),
            remedy="Check the network and the space on the disk.",
        ) from error
    raw = next(iter(next(iter(sessions.values())).values()))
    names = [raw.ch_names[index] for index in mne.pick_types(raw.info, eeg=True, exclude=())]
    return pick_eeg_channels(names).eeg, len(sessions)


def _paradigm(protocol: Protocol, events: list[str], channels: tuple[str, ...]) -> Any:
    """Return MOABB's paradigm with our passband, rate and window."""
    from moabb.paradigms import P300, SSVEP, MotorImagery

    passband = PreprocessorConfig()
    settings: dict[str, Any] = {
        "fmin": passband.l_freq,
        "fmax": passband.h_freq,
        "tmin": protocol.window.start,
        "tmax": protocol.window.start + protocol.window.length,
        "resample": MODEL_SFREQ,
        "channels": list(channels),
    }
    if protocol.paradigm == "erp":
        return P300(**settings)
    kind = SSVEP if protocol.paradigm == "ssvep" else MotorImagery
    return kind(events=events, n_classes=len(events), **settings)
