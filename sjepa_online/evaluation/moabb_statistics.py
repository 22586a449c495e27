"""Decoders compared over data sets by MOABB's meta-analysis."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from sjepa_online.evaluation.tables import Row


@dataclass(frozen=True)
class PairedComparison:
    """Whether one decoder scores higher than another.

    Attributes
    ----------
    dataset : str
        The data set; empty for all of them together.
    better, worse : str
        The two decoders, by the sign of the effect.
    effect : float
        Standardised mean difference over subjects: the mean of the differences over their
        standard deviation. Infinite where every subject has the same difference.
    p : float
        One-sided: the probability of such a difference where the two are equally good.
    n_subjects : int
        Subjects with a score of both.
    """

    dataset: str
    better: str
    worse: str
    effect: float
    p: float
    n_subjects: int

    def to_json(self) -> dict[str, object]:
        """Return the fields; an infinite effect, which JSON lacks, as null.

        Returns
        -------
        document : dict
        """
        return vars(self) | {"effect": self.effect if math.isfinite(self.effect) else None}


def compare_decoders(rows: Sequence[Row]) -> list[PairedComparison]:
    """Compare each two decoders in each data set, and over several data sets together.

    Sessions of a subject are averaged. Below 20 subjects the differences are permuted, from 20 on
    it is Wilcoxon's test; over data sets effects are averaged and p values combined by Stouffer's
    method, both weighted by the square root of the number of subjects (Jayaram and Barachant
    2018, J. Neural Eng. 15, 066011; ``moabb.analysis.meta_analysis``). The p values are not
    corrected for the number of pairs.

    Parameters
    ----------
    rows : sequence of dict
        As :func:`~sjepa_online.evaluation.moabb_evaluation.evaluate_moabb` returns them.

    Returns
    -------
    list of PairedComparison
        Per data set, then over all where there are several; empty with fewer than two decoders,
        or where a data set has fewer than two subjects.
    """
    import pandas as pd
    from moabb.analysis.meta_analysis import (
        compute_dataset_statistics,
        find_significant_differences,
    )

    columns = ["dataset", "subject", "decoder", "score"]
    table = pd.DataFrame([{name: row[name] for name in columns} for row in rows])
    table = table.rename(columns={"decoder": "pipeline"})
    subjects = table.groupby("dataset")["subject"].nunique()
    if table["pipeline"].nunique() < 2 or subjects.min() < 2:
        return []
    statistics = compute_dataset_statistics(table)
    compared = [
        PairedComparison(
            str(row["dataset"]),
            str(row["pipe1"]),
            str(row["pipe2"]),
            float(row["smd"]),
            float(row["p"]),
            int(row["nsub"]),
        )
        for row in statistics.to_dict("records")
    ]
    if len(subjects) > 1:
        p, effects = find_significant_differences(statistics)
        compared += [
            PairedComparison(
                "", first, second, float(effects.loc[first, second]), float(p.loc[first, second]),
                int(subjects.sum()),
            )
            for first in p.index
            for second in p.columns
        ]  # fmt: skip
    return _one_of_each_pair(compared)


def _one_of_each_pair(compared: Sequence[PairedComparison]) -> list[PairedComparison]:
    """Keep the direction with a positive effect; of two that are equal, the first."""
    return [
        item
        for item in compared
        if item.better != item.worse
        and (item.effect > 0 or (item.effect == 0 and item.better < item.worse))
    ]
