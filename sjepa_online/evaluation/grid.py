"""The paper's grid: three heads, two strategies and several weights, ranked and scored."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import product, takewhile
from pathlib import Path
from typing import Any

import numpy as np
from scipy.stats import rankdata

from sjepa_online.data import Recording, Trials, good_channels, make_trials
from sjepa_online.decoding import SJEPAClassifier
from sjepa_online.decoding.classifiers.fine_tuning import Strategy
from sjepa_online.decoding.metrics import main_score
from sjepa_online.evaluation.tables import Row
from sjepa_online.model.heads import HEADS, HeadName
from sjepa_online.protocol import Protocol
from sjepa_online.signal import PreprocessorConfig
from sjepa_online.training.cross_validation import (
    N_FOLDS,
    check_trials_per_class,
    held_out_folds,
)

STRATEGIES: tuple[Strategy, ...] = ("new", "full")
#: Data set, subject and session: two studies may both have a subject 1.
Session = tuple[str, str, str]


@dataclass(frozen=True)
class Pipeline:
    """A cell of the grid."""

    head: HeadName
    strategy: Strategy
    weights: str

    @property
    def name(self) -> str:
        """Name as the paper writes it, ``full-pre-local``, and the weights."""
        return f"{self.strategy}-{self.head}, {self.weights}"

    def make(self, trials: Trials, seed: int, device: str) -> SJEPAClassifier:
        """Return a fresh classifier with the paper's flattened readout.

        Parameters
        ----------
        trials : Trials
        seed : int
            Seed of everything that is drawn.
        device : str
            ``cpu``, ``cuda``, ``mps`` or ``auto``.

        Returns
        -------
        SJEPAClassifier
        """
        return SJEPAClassifier(
            head=self.head,
            strategy=self.strategy,
            weights=self.weights,
            ch_names=trials.ch_names,
            random_state=seed,
            readout="flat",
            class_order=trials.protocol.class_names,
            device=device,
        )


@dataclass(frozen=True)
class GridResult:
    """Scores of every pipeline in every session.

    Attributes
    ----------
    groups : list of tuple of str
        Data set, subject and session of each row.
    pipelines : list of Pipeline
    seeds : list of int
    scores : ndarray, shape (groups, seeds, pipelines)
        From cross-validation within the session.
    """

    groups: list[Session]
    pipelines: list[Pipeline]
    seeds: list[int]
    scores: np.ndarray[Any, np.dtype[np.float64]]

    @property
    def ranks(self) -> np.ndarray[Any, np.dtype[np.float64]]:
        """Ranks of the pipelines, 1 for the best, within each session and seed; same shape."""
        ranked: np.ndarray[Any, np.dtype[np.float64]] = rankdata(-self.scores, axis=-1)
        return ranked

    def rows(self) -> list[Row]:
        """Return one row for each session, seed and pipeline.

        Returns
        -------
        rows : list of Row
        """
        ranks = self.ranks
        return [
            {
                "data_set": data_set,
                "subject": subject,
                "session": session,
                "seed": seed,
                "head": pipeline.head,
                "strategy": pipeline.strategy,
                "weights": pipeline.weights,
                "score": self.scores[group, step, column],
                "rank": ranks[group, step, column],
            }
            for group, (data_set, subject, session) in enumerate(self.groups)
            for step, seed in enumerate(self.seeds)
            for column, pipeline in enumerate(self.pipelines)
        ]

    def to_json(self) -> dict[str, Any]:
        """Return mean rank, mean score and its standard deviation over sessions.

        Returns
        -------
        document : dict
        """
        entries = {}
        for column, pipeline in enumerate(self.pipelines):
            by_session = self.scores[:, :, column].mean(axis=1)
            entries[pipeline.name] = {
                "mean_rank": float(self.ranks[:, :, column].mean()),
                "score": float(by_session.mean()),
                "score_std": float(by_session.std()),
                "scores": by_session.tolist(),
            }
        return {"groups": [list(group) for group in self.groups], "pipelines": entries}


def make_grid(weights: Sequence[str]) -> list[Pipeline]:
    """Return every combination of weights, head and strategy.

    Parameters
    ----------
    weights : sequence of str
        Names of weights.

    Returns
    -------
    list of Pipeline
    """
    return [
        Pipeline(head, strategy, name)
        for name, head, strategy in product(weights, HEADS, STRATEGIES)
    ]


def group_sessions(recordings: Sequence[Recording]) -> dict[Session, list[Recording]]:
    """Collect the recordings of each data set, subject and session, in their order.

    A recording that names neither subject nor session is a group of its own.

    Parameters
    ----------
    recordings : sequence of Recording

    Returns
    -------
    dict
        (data set, subject, session) -> its recordings.
    """
    groups: dict[Session, list[Recording]] = {}
    for recording in recordings:
        unknown = not (recording.subject or recording.session)
        subject = recording.name if unknown else recording.subject
        key = (data_set_of(recording), subject, recording.session)
        groups.setdefault(key, []).append(recording)
    return groups


def data_set_of(recording: Recording) -> str:
    """Return the part of a name before the subject: a data set, or the folder of a study.

    Parameters
    ----------
    recording : Recording

    Returns
    -------
    str
    """
    before, found, _ = recording.name.partition(f":{recording.subject}:")
    if found:
        return before
    folders = takewhile(lambda part: not part.startswith("sub-"), Path(recording.name).parent.parts)
    return str(Path(*folders))


def evaluate_grid(
    recordings: Sequence[Recording],
    protocol: Protocol,
    preprocessing: PreprocessorConfig,
    pipelines: Sequence[Pipeline],
    *,
    seed: int,
    n_seeds: int,
    device: str,
    progress: Callable[[], None] = lambda: None,
) -> GridResult:
    """Cross-validate every pipeline within every session.

    Parameters
    ----------
    recordings : sequence of Recording
        Of any number of subjects and sessions.
    protocol : Protocol
    preprocessing : PreprocessorConfig
    pipelines : sequence of Pipeline
    seed, n_seeds : int
        The first seed, and how many.
    device : str
        Where networks are trained.
    progress : callable
        Called after each of ``groups * n_seeds * pipelines`` cross-validations.

    Returns
    -------
    GridResult

    Raises
    ------
    InputError
        A recording does not suit the protocol, a session has fewer trials of a class than
        folds, or weights cannot be loaded.
    """
    groups = group_sessions(recordings)
    scores = np.empty((len(groups), n_seeds, len(pipelines)))
    for row, session in enumerate(groups.values()):
        # the paper reads every electrode
        trials = make_trials(session, protocol, preprocessing, good_channels(session))
        check_trials_per_class(trials.y, protocol.class_names, N_FOLDS)
        for step, column in product(range(n_seeds), range(len(pipelines))):
            scores[row, step, column] = _cross_validate(
                partial(pipelines[column].make, trials, seed + step, device), trials
            )
            progress()
    seeds = list(range(seed, seed + n_seeds))
    return GridResult(list(groups), list(pipelines), seeds, scores)


def _cross_validate(make: Callable[[], SJEPAClassifier], trials: Trials) -> float:
    """Return the paradigm's usual score over the trials that each fold holds out."""
    protocol = trials.protocol
    probabilities = np.empty((len(trials.y), len(protocol.class_names)))
    for test in held_out_folds(trials.y, N_FOLDS):
        train = np.setdiff1d(np.arange(len(trials.y)), test)
        classifier = make().fit(trials.X[train], trials.y[train])
        probabilities[test] = classifier.predict_proba(trials.X[test])
    return main_score(protocol.paradigm, probabilities, trials.y, protocol.class_names)
