from __future__ import annotations

import csv

import pytest

from sjepa_online.errors import InputError
from sjepa_online.evaluation.plots import (
    check_plot_path,
    plot_curves,
    plot_ranks,
    plot_scores,
    save_figure,
    to_svg,
)
from sjepa_online.evaluation.tables import write_csv

SIGNATURES = {".png": b"\x89PNG", ".svg": b"<?xml", ".pdf": b"%PDF"}


@pytest.mark.parametrize("suffix", [".png", ".svg", ".pdf", ".PNG"])
def test_a_plot_has_the_format_of_its_suffix(tmp_path, suffix):
    path = tmp_path / f"plot{suffix}"
    save_figure(plot_scores({"a": [0.7, 0.8], "b": [0.6]}, "accuracy", 0.5), path)
    assert path.read_bytes().startswith(SIGNATURES[suffix.lower()])
    assert [one.name for one in tmp_path.iterdir()] == [path.name]


def test_an_unknown_format_is_refused(tmp_path):
    with pytest.raises(InputError, match=r"\.png, \.svg, \.pdf"):
        check_plot_path(tmp_path / "plot.xlsx")


def test_the_band_reaches_from_the_lowest_to_the_highest():
    curves = {"a": ([10, 20], [(0.55, 0.5, 0.6), (0.75, 0.7, 0.8)])}
    (axes,) = plot_curves(curves, "accuracy", 0.5).axes
    (band,) = axes.collections[0].get_paths()
    assert band.vertices[:, 1].min() == 0.5
    assert band.vertices[:, 1].max() == 0.8


def test_the_same_figure_gives_the_same_svg():
    curves = {"a": ([10, 20], [(0.55, 0.5, 0.6), (0.75, 0.7, 0.8)])}
    first, second = (to_svg(plot_curves(curves, "accuracy", 0.5)) for _ in range(2))
    assert first == second


def test_ranks_are_drawn_from_the_best_to_the_worst():
    (axes,) = plot_ranks({"worse": [2.0, 2.0], "better": [1.0, 1.0]}, 2).axes
    assert [label.get_text() for label in axes.get_yticklabels()] == ["better", "worse"]


def test_scores_of_every_seed_are_drawn():
    (axes,) = plot_scores({"a": [0.7, 0.8, 0.9]}, "accuracy", 0.5).axes
    drawn = [value for line in axes.lines for value in line.get_xdata()]
    assert {0.7, 0.8, 0.9, 0.5} <= {round(float(value), 6) for value in drawn}


def test_a_table_reads_back(tmp_path):
    path = tmp_path / "table.csv"
    rows = [{"name": 'a "quoted", name', "score": 0.5}, {"name": "µ", "score": 1.0}]
    write_csv(path, rows)
    with path.open(encoding="utf-8", newline="") as file:
        read = list(csv.DictReader(file))
    assert read == [{"name": 'a "quoted", name', "score": "0.5"}, {"name": "µ", "score": "1.0"}]
