"""Advice of the calibration report."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

import numpy as np

from sjepa_online.evaluation.report.content import ReportContent
from sjepa_online.evaluation.report.names import spoken
from sjepa_online.evaluation.report.trials_curve import CURVE_DECODER, CurvePoint

Level = Literal["good", "note", "warning"]

#: Gain from half of the trials to all from which recording more is worth it.
WORTHWHILE_GAIN = 0.03
#: Standard errors that a gain must exceed to be one (one-sided, 5 %).
CERTAIN = 1.64
#: Half width of an interval from which a score counts as poorly known.
WIDE = 0.08
#: Share of a class that is decided as one other class, from which this is pointed out.
OFTEN = 0.3
#: Channels named at most in one sentence.
MOST_NAMED = 6


@dataclass(frozen=True)
class Advice:
    """A finding and its remedy.

    Attributes
    ----------
    level : {"good", "note", "warning"}
    text : str
    """

    level: Level
    text: str


def advise(content: ReportContent) -> list[Advice]:
    """Return the findings, those that matter the most first.

    Parameters
    ----------
    content : ReportContent

    Returns
    -------
    list of Advice
    """
    return [
        *_about_the_score(content),
        *_about_the_person(content),
        *_about_the_forehead(content),
        *_about_channels(content),
        *_about_confusions(content),
        *_about_trials(content),
    ]


def _about_the_score(content: ReportContent) -> Iterator[Advice]:
    score = content.score
    told = f"{score.name} {score.value:.2f}"
    if not score.above_chance:
        yield Advice(
            "warning",
            f"{score.warning()[:1].upper()}{score.warning()[1:]}",
        )
        return
    yield Advice(
        "good",
        f"The decoder works: {told}, where guessing stays below {score.threshold:.2f} in 95 % of "
        "the cases.",
    )
    half_width = (score.high - score.low) / 2
    if half_width > WIDE:
        yield Advice(
            "note",
            f"With {len(content.trials.y)} trials the score is known to about ±{half_width:.2f} "
            "only: differences between decoders below that mean little.",
        )


def _about_the_person(content: ReportContent) -> Iterator[Advice]:
    """Tell what other people's network found: labels against it, rhythms like nobody's."""
    for note in content.decoder.classifier.notes:
        yield Advice("warning", f"{note[:1].upper()}{note[1:]}")


def _about_the_forehead(content: ReportContent) -> Iterator[Advice]:
    check = content.forehead
    if check is not None and content.score.above_chance:
        told = str(check)
        yield Advice("warning" if check.explains else "note", f"{told[:1].upper()}{told[1:]}")


def _about_channels(content: ReportContent) -> Iterator[Advice]:
    complaints = [channel.complaint for channel in content.channels if channel.complaint]
    if complaints:
        named = "; ".join(complaints[:MOST_NAMED])
        more = len(complaints) - MOST_NAMED
        rest = f"; and {more} more" if more > 0 else ""
        yield Advice(
            "warning",
            f"{named}{rest}. Check contact and gel, and mark a channel that stays bad as bad.",
        )
    if content.trials.dropped:
        yield Advice("note", f"Left out: {'; '.join(content.trials.dropped)}.")


def _about_confusions(content: ReportContent) -> Iterator[Advice]:
    if not content.score.above_chance or content.score.name == "AUC":
        return
    shares = content.confusion / np.maximum(content.confusion.sum(axis=1, keepdims=True), 1)
    np.fill_diagonal(shares, 0.0)
    true, decided = np.unravel_index(int(np.argmax(shares)), shares.shape)
    if shares[true, decided] >= OFTEN:
        names = content.trials.protocol.class_names
        share = 100 * shares[true, decided]
        yield Advice(
            "note",
            f"{spoken(names[true])} is taken for {spoken(names[decided])} in {share:.0f} % of its "
            "trials.",
        )


def more_trials_help(content: ReportContent) -> bool:
    """Tell whether the score still grows with the number of trials, by more than its uncertainty.

    Parameters
    ----------
    content : ReportContent

    Returns
    -------
    bool
    """
    if len(content.curve) < 2:
        return False
    half, last = _half_and_all(content)
    gain = last.value - half.value
    rises = last.value > content.curve[-2].value
    return rises and gain >= WORTHWHILE_GAIN and gain > CERTAIN * half.error


def _half_and_all(content: ReportContent) -> tuple[CurvePoint, CurvePoint]:
    """Return the point of half of the training trials, and that of all."""
    last = content.curve[-1]
    half = min(content.curve[:-1], key=lambda point: abs(point.size - last.size / 2))
    return half, last


def _about_trials(content: ReportContent) -> Iterator[Advice]:
    if len(content.curve) < 2 or not content.score.above_chance:
        return
    half, last = _half_and_all(content)
    gain, margin = last.value - half.value, CERTAIN * half.error
    told = (
        f"from {half.size} to {last.size} training trials the score of {CURVE_DECODER} changes "
        f"by {gain:+.2f}"
    )
    if more_trials_help(content):
        yield Advice("note", f"More trials would help: {told}.")
    elif margin > WORTHWHILE_GAIN:
        yield Advice(
            "note",
            f"Whether more trials would help is not known: {told}, which is known to about "
            f"±{margin:.2f} only.",
        )
    else:
        yield Advice("good", f"There are enough trials: {told}.")
