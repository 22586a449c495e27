"""Comparisons over data sets against sums over all permutations and Stouffer's formula."""

from __future__ import annotations

import itertools
import json

import numpy as np
import pytest
from scipy.stats import norm

from sjepa_online.evaluation.moabb_statistics import compare_decoders

pytest.importorskip("moabb")

FIRST = {"A": [0.80, 0.75, 0.90, 0.66, 0.72], "B": [0.61, 0.58, 0.70]}
SECOND = {"A": [0.70, 0.72, 0.80, 0.67, 0.60], "B": [0.55, 0.60, 0.62]}


def _rows(names="AB", sessions=(0.0,)):
    return [
        {
            "dataset": dataset,
            "subject": str(subject),
            "session": str(offset),
            "decoder": decoder,
            "score": scores[dataset][subject] + offset,
        }
        for decoder, scores in (("first", FIRST), ("second", SECOND))
        for dataset in names
        for subject in range(len(scores[dataset]))
        for offset in sessions
    ]


def _permuted_p(dataset):
    differences = np.subtract(FIRST[dataset], SECOND[dataset])
    signs = np.array(list(itertools.product([1, -1], repeat=len(differences))))
    return np.mean(signs @ differences >= differences.sum() - 1e-12), differences


def test_each_data_set_is_a_permutation_test_of_the_differences():
    compared = {item.dataset: item for item in compare_decoders(_rows())}
    for dataset in "AB":
        p, differences = _permuted_p(dataset)
        item = compared[dataset]
        assert (item.better, item.worse) == ("first", "second")
        assert item.p == pytest.approx(p)
        assert item.effect == pytest.approx(differences.mean() / differences.std(ddof=1), rel=0.3)
        assert item.n_subjects == len(differences)


def test_several_data_sets_are_combined_by_stouffers_method():
    (item,) = [item for item in compare_decoders(_rows()) if not item.dataset]
    weights = np.sqrt([5, 3])
    z = norm.isf([_permuted_p("A")[0], _permuted_p("B")[0]])
    assert item.p == pytest.approx(norm.sf(weights @ z / np.sqrt(weights @ weights)))
    assert item.n_subjects == 8


def test_sessions_of_a_subject_count_once():
    once, twice = compare_decoders(_rows("A")), compare_decoders(_rows("A", sessions=(-0.1, 0.1)))
    assert len(once) == len(twice) == 1
    assert twice[0].p == once[0].p
    assert twice[0].n_subjects == 5


def test_one_decoder_or_one_subject_compares_nothing():
    assert compare_decoders([row for row in _rows() if row["decoder"] == "first"]) == []
    assert compare_decoders([row for row in _rows() if row["subject"] == "0"]) == []


def test_a_constant_difference_is_json():
    rows = [row | {"score": 0.5 + 0.1 * (row["decoder"] == "first")} for row in _rows("A")]
    documents = [item.to_json() for item in compare_decoders(rows)]
    json.dumps(documents, allow_nan=False)
    assert documents[0]["better"] == "first"
