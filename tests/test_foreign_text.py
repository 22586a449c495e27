"""Foreign text is made safe to show, to store and to name files by."""

from __future__ import annotations

import csv
import ntpath
import sys
import unicodedata
from pathlib import Path, PureWindowsPath
from xml.etree import ElementTree

import pytest
from hypothesis import given
from hypothesis import strategies as st
from matplotlib.figure import Figure

from sjepa_online.evaluation.plots import save_figure
from sjepa_online.evaluation.tables import write_csv
from sjepa_online.foreign_text import clean_lines, clean_text, csv_cell, safe_name


@pytest.mark.parametrize(
    ("text", "clean"),
    [
        ("\x1b[31mred\x1b[0m", "red"),
        ("\x1b]0;title\x07rest", "rest"),
        ("\x1b]8;;http://x\x1b\\link\x1b]8;;\x1b\\", "link"),
        ("a\x9b2Jb", "a 2Jb"),
        ("two\nlines\tand a tab", "two\nlines\tand a tab"),
        ("über 5 µV, −3 °C: 左", "über 5 µV, −3 °C: 左"),
    ],
)
def test_terminal_sequences_are_removed(text: str, clean: str) -> None:
    assert clean_lines(text) == clean


@given(st.text())
def test_nothing_that_controls_a_terminal_is_left(text: str) -> None:
    for cleaned in (clean_lines(text), clean_text(text)):
        controls = {one for one in cleaned if unicodedata.category(one) == "Cc"}
        assert controls <= {"\n", "\t"}
    assert "\n" not in clean_text(text)


def _is_reserved(name: str) -> bool:
    """Whether Windows keeps the name for a device; Python 3.13 deprecates pathlib's method."""
    if sys.version_info >= (3, 13):
        return bool(ntpath.isreserved(name))
    return PureWindowsPath(name).is_reserved()


@given(st.text())
def test_a_safe_name_stays_in_its_folder(text: str) -> None:
    name = safe_name(text)
    assert Path(name).name == name == PureWindowsPath(name).name
    assert not _is_reserved(name)
    assert name not in ("", ".", "..")
    assert (Path("/folder") / name).resolve().parent == Path("/folder")
    assert safe_name(name) == name


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("ssvep-exo", "ssvep-exo"),
        ("../../etc/passwd", "_.._etc_passwd"),
        ("..", "_"),
        ("C:\\x", "C_x"),
        ("nul.txt", "_nul.txt"),
    ],
)
def test_usual_names_stay_and_paths_lose_their_separators(text: str, name: str) -> None:
    assert safe_name(text) == name


def test_cells_that_a_spreadsheet_would_run_are_text(tmp_path: Path) -> None:
    path = tmp_path / "table.csv"
    names = ["=1+1", "+cmd", "@x", "-run", "-12.5", "left_hand"]
    write_csv(path, [{"class": name, "score": -0.5} for name in names])
    with path.open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert [row["class"] for row in rows] == ["'=1+1", "'+cmd", "'@x", "'-run", *names[4:]]
    assert {row["score"] for row in rows} == {"-0.5"}
    assert csv_cell(-3) == -3


@pytest.mark.filterwarnings("ignore:Glyph")
def test_a_figure_with_control_characters_in_a_name_is_valid_xml(tmp_path: Path) -> None:
    figure = Figure()
    figure.subplots().set_xticks([0, 1], labels=["left\x1b[31m", "right\x07"])
    save_figure(figure, tmp_path / "plot.svg")
    assert ElementTree.parse(tmp_path / "plot.svg").getroot().tag.endswith("svg")
