"""The second day: earlier sessions of the same person beside few trials of today."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from sjepa_online.data import Recording
from sjepa_online.decoding.metrics import main_score
from sjepa_online.errors import InputError
from sjepa_online.training.calibration import Calibration


@dataclass(frozen=True)
class TodaysCalibration:
    """A decoder for today.

    Attributes
    ----------
    calibration : Calibration
    recordings : tuple of Recording
        What it was trained on.
    note : str
        Why earlier sessions are used, or are not.
    """

    calibration: Calibration
    recordings: tuple[Recording, ...]
    note: str


def calibrate_today(
    earlier: Sequence[Recording],
    today: Sequence[Recording],
    run: Callable[[list[Recording]], Calibration],
) -> TodaysCalibration:
    """Train with earlier sessions and without, and keep what decodes today's trials better.

    Both decoders are cross-validated, and both are scored on today's trials alone. Where today has
    too few trials for a decoder of its own, the earlier sessions are used.

    Parameters
    ----------
    earlier : sequence of Recording
        Of the same person; the electrodes that all recordings share are used.
    today : sequence of Recording
    run : callable
        Cross-validates and fits a decoder on recordings.

    Returns
    -------
    TodaysCalibration

    Raises
    ------
    InputError
        Together they have too few trials.
    """
    both = [*earlier, *today]
    joint = run(both)
    with_earlier = _todays_score(joint, len(earlier))
    before = "1 earlier recording" if len(earlier) == 1 else f"{len(earlier)} earlier recordings"
    told = f"{before}, {_count(joint, len(earlier))} trials of today"
    try:
        alone = run(list(today))
    except InputError as error:
        reason = f"{error.problem[0].lower()}{error.problem[1:]}"
        note = f"{told}: used, as today alone is too little ({reason}); score of today's "
        return TodaysCalibration(joint, tuple(both), f"{note}trials {with_earlier:.2f}")
    without = _todays_score(alone, 0)
    scores = f"score of today's trials {with_earlier:.2f} with them, {without:.2f} without"
    if without > with_earlier:
        return TodaysCalibration(alone, tuple(today), f"{told}: not used; {scores}")
    return TodaysCalibration(joint, tuple(both), f"{told}: used; {scores}")


def _todays_score(calibration: Calibration, n_earlier: int) -> float:
    """Score the trials of the recordings from ``n_earlier`` on, in cross-validation."""
    trials = calibration.trials
    of_today = trials.recording >= n_earlier
    protocol = trials.protocol
    if not of_today.any():
        return float("nan")
    held_out, y = calibration.out_of_fold[of_today], trials.y[of_today]
    return main_score(protocol.paradigm, held_out, y, protocol.class_names)


def _count(calibration: Calibration, n_earlier: int) -> int:
    return int(np.sum(calibration.trials.recording >= n_earlier))
