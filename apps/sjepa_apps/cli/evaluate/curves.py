"""What ``evaluate learning-curve`` prints, writes and draws: one curve, or those of people."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from sjepa_online.decoding.metrics import OverPeople
    from sjepa_online.evaluation.scores import DecoderScores
    from sjepa_online.evaluation.tables import Row

    #: For each decoder the numbers of trials, and the mean score with the band around it.
    Bands = dict[str, tuple[list[int], list[tuple[float, float, float]]]]


@dataclass(frozen=True)
class Curve:
    """Scores of each decoder along one curve; None where it had too few labels.

    Attributes
    ----------
    sizes : list of int
        Numbers of labelled trials.
    points : dict of str to list of DecoderScores or None
        For each decoder, one for each size.
    n_test : int
        Trials that were tested on.
    """

    sizes: list[int]
    points: dict[str, list[DecoderScores | None]]
    n_test: int

    @property
    def band(self) -> str:
        """What the band around a curve is, for the label of its axis."""
        seeds = [len(one) for row in self.scores.values() for one in row if one is not None]
        n_seeds = max(seeds, default=1)
        return f", range of {n_seeds} seeds" if n_seeds > 1 else ""

    @property
    def scores(self) -> dict[str, list[list[float] | None]]:
        """For each decoder and size one score for each seed."""
        return {
            name: [None if one is None else one.score for one in points]
            for name, points in self.points.items()
        }

    def document(self) -> dict[str, Any]:
        """Return the part of the JSON document that tells the scores."""
        return {"n_trials": self.sizes, "n_test": self.n_test, "decoders": self.scores}

    def lines(self) -> dict[str, str]:
        """Return the scores of each decoder in words."""
        return {
            name: told(self.sizes, [None if one is None else f"{np.mean(one):.3f}" for one in row])
            for name, row in self.scores.items()
        }

    def rows(self) -> list[Row]:
        """Return the rows of a table."""
        return [
            {"n_trials": size, **row}
            for index, size in enumerate(self.sizes)
            for name, points in self.points.items()
            if (found := points[index]) is not None
            for row in found.rows(name)
        ]

    def bands(self) -> Bands:
        """Return the mean and the range over the seeds."""
        return _bands(
            self.sizes,
            {
                name: [
                    None if one is None else (float(np.mean(one)), min(one), max(one))
                    for one in row
                ]
                for name, row in self.scores.items()
            },
        )


@dataclass(frozen=True)
class PeopleCurves:
    """The curves of several people, each decoded alone.

    Attributes
    ----------
    sizes : list of int
        Numbers of labelled trials.
    people : dict of str to Curve
    """

    sizes: list[int]
    people: Mapping[str, Curve]

    @property
    def band(self) -> str:
        """What the band around a curve is, for the label of its axis."""
        return f", 95 % interval over {len(self.people)} people"

    @property
    def over_people(self) -> dict[str, list[OverPeople | None]]:
        """For each decoder and size the summary; None where somebody had too few labels."""
        from sjepa_online.decoding.metrics import over_people

        curves = list(self.people.values())
        summaries: dict[str, list[OverPeople | None]] = {}
        for name in curves[0].points:
            points = zip(*(one.points[name] for one in curves), strict=True)
            means = [[one and float(np.mean(one.score)) for one in point] for point in points]
            summaries[name] = [
                None if None in one else over_people(np.array(one, dtype=np.float64))
                for one in means
            ]
        return summaries

    def document(self) -> dict[str, Any]:
        """Return the part of the JSON document that tells the scores."""
        from sjepa_online.decoding.metrics import CONTROLS_FROM

        found = self.over_people
        return {
            "n_trials": self.sizes,
            "n_test": sum(one.n_test for one in self.people.values()),
            "n_people": len(self.people),
            "decoders": {name: self._by_seed(name) for name in found},
            "interval": {
                name: [one and [one.low, one.high] for one in row] for name, row in found.items()
            },
            f"share_at_{CONTROLS_FROM:.2f}": {
                name: [one and one.share for one in row] for name, row in found.items()
            },
            "people": {name: one.document() for name, one in self.people.items()},
        }

    def lines(self) -> dict[str, str]:
        """Return the scores of each decoder in words."""
        return {
            name: told(self.sizes, [None if one is None else str(one) for one in row])
            for name, row in self.over_people.items()
        }

    def rows(self) -> list[Row]:
        """Return the rows of a table."""
        return [
            {"person": name, **row} for name, curve in self.people.items() for row in curve.rows()
        ]

    def bands(self) -> Bands:
        """Return the mean and its interval over people."""
        return _bands(
            self.sizes,
            {
                name: [None if one is None else (one.mean, one.low, one.high) for one in row]
                for name, row in self.over_people.items()
            },
        )

    def _by_seed(self, decoder: str) -> list[list[float] | None]:
        """Return the mean over people for each size and seed."""
        curves = [one.scores[decoder] for one in self.people.values()]
        return [
            None if None in point else np.mean(np.array(point, dtype=np.float64), axis=0).tolist()
            for point in zip(*curves, strict=True)
        ]


def told(sizes: Sequence[int], scores: Sequence[str | None]) -> str:
    """Return scores in words, one for each number of labelled trials."""
    return ", ".join(
        f"{size}: {one or ('too few labels' if size else 'no decoder without labels')}"
        for size, one in zip(sizes, scores, strict=True)
    )


def _bands(
    sizes: Sequence[int], points: Mapping[str, Sequence[tuple[float, float, float] | None]]
) -> Bands:
    """Leave out the sizes that a decoder has no score for, and decoders that have none."""
    known = {
        name: [(size, one) for size, one in zip(sizes, row, strict=True) if one is not None]
        for name, row in points.items()
    }
    return {
        name: ([size for size, _ in pairs], [one for _, one in pairs])
        for name, pairs in known.items()
        if pairs
    }
