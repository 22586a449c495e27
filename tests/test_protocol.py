from __future__ import annotations

import importlib
import time
from pathlib import Path

import pytest

from sjepa_online.errors import InputError
from sjepa_online.protocol import Protocol, load_protocol
from sjepa_online.resources import list_resources, shipped_folder

TEXT = """
name = "own"
paradigm = "mi"
[window]
start = 0.0
length = 2.0
[[classes]]
name = "left"
aliases = ["L", "1"]
[[classes]]
name = "right"
aliases = ["R"]
"""


def _load(tmp_path: Path, text: str) -> Protocol:
    path = tmp_path / "own.toml"
    path.write_text(text, encoding="utf-8")
    return load_protocol(path)


@pytest.mark.parametrize("name", sorted(list_resources("calibration", ".toml")))
def test_every_shipped_protocol_loads(name: str) -> None:
    protocol = load_protocol(shipped_folder("calibration") / f"{name}.toml")
    assert protocol.name == name
    assert load_protocol(name) == protocol


def test_windows_are_those_of_the_paper() -> None:
    lengths = {name: load_protocol(name).n_times for name in ("mi", "erp", "ssvep")}
    # 4 tokens, 1 token, 4 tokens of 152 samples every 128
    assert lengths == {"mi": 536, "erp": 152, "ssvep": 536}


@pytest.mark.parametrize("name", ["mi", "erp", "ssvep"])
def test_classes_are_moabbs(name: str) -> None:
    """The event names that MOABB gives to Lee2019, and for SSVEP their meaning in Hz."""
    pytest.importorskip("moabb")
    datasets = importlib.import_module("moabb.datasets")
    events = getattr(datasets, f"Lee2019_{name.upper()}")().event_id
    protocol = load_protocol(name)
    assert set(protocol.class_names) == set(events)
    if name == "ssvep":
        for spec in protocol.classes:
            assert spec.frequency == pytest.approx(float(spec.name), abs=0.005)


def test_stimuli_of_lee2019_are_whole_frames_of_60_hz() -> None:
    """Lee et al. 2019: a display of 60 Hz, and 5, 7, 9 and 11 frames a cycle."""
    frequencies = load_protocol("ssvep").frequencies
    assert frequencies == pytest.approx([60 / 5, 60 / 7, 60 / 9, 60 / 11], abs=1e-7)


def test_the_exoskeleton_protocol_has_a_class_without_a_stimulus() -> None:
    protocol = load_protocol("ssvep-exo")
    assert protocol.class_names == ("13", "17", "21", "rest")
    assert protocol.frequencies == (13.0, 17.0, 21.0)


def test_labels_and_aliases_stand_for_their_class(tmp_path: Path) -> None:
    protocol = _load(tmp_path, TEXT)
    assert protocol.class_names == ("left", "right")
    seen = [protocol.class_of(label) for label in ("left", "L", "1", "R", "LEFT", "other", "")]
    assert seen == ["left", "left", "left", "right", None, None, None]
    assert protocol.n_times == 256


def test_a_byte_order_mark_is_no_part_of_the_text(tmp_path: Path) -> None:
    assert _load(tmp_path, "\ufeff" + TEXT) == _load(tmp_path, TEXT)


def test_a_file_that_may_not_be_read_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise PermissionError(13, "Permission denied")

    # as the superuser, who may read all, a test cannot meet this
    monkeypatch.setattr(Path, "read_text", refuse)
    with pytest.raises(InputError, match=r"own\.toml \(Permission denied\)"):
        _load(tmp_path, TEXT)


def test_an_alias_of_two_classes_is_refused_and_named(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="more than one class: L") as caught:
        _load(tmp_path, TEXT.replace('["R"]', '["R", "L"]'))
    assert "left" not in str(caught.value.value)


def test_an_alias_may_repeat_within_its_class(tmp_path: Path) -> None:
    assert _load(tmp_path, TEXT.replace('["R"]', '["R", "right"]')).class_of("R") == "right"


@pytest.mark.parametrize(
    ("old", "new", "line", "field"),
    [
        ("start = 0.0", "start = 0.0\nstrat = 1.0", 6, "window.strat"),
        ('name = "own"', 'name = "own"\ncolour = "red"', 3, "colour"),
        ('aliases = ["R"]', 'alias = "R"', 12, "classes.1.alias"),
        ("length = 2.0", "length = 1.18", 6, "window.length"),
        ("length = 2.0", "# shorter\n\nlength = nan", 8, "window.length"),
        ("length = 2.0", 'length = "long"', 6, "window.length"),
        ('paradigm = "mi"', 'paradigm = "p300"', 3, "paradigm"),
        ('aliases = ["R"]', "frequency = 64.0", 12, "classes.1.frequency"),
        ('name = "right"\naliases = ["R"]', 'name = ""', 11, "classes.1.name"),
        ('aliases = ["R"]', 'aliases = [\n    "R",\n    7,\n]', 12, "classes.1.aliases.1"),
        # text that looks like the field is none
        ('name = "own"', 'name = """\ncolour = 1"""\ncolour = 2', 4, "colour"),
        # what is missing is missing from its table
        ("length = 2.0", "", 4, "window.length"),
        ('name = "right"\n', "", 10, "classes.1.name"),
    ],
)
def test_a_wrong_field_is_named_with_its_line(
    tmp_path: Path, old: str, new: str, line: int, field: str
) -> None:
    assert old in TEXT
    with pytest.raises(InputError) as caught:
        _load(tmp_path, TEXT.replace(old, new))
    assert str(caught.value.value).startswith(f"line {line}, field {field}: ")


def test_several_wrong_fields_are_named_by_their_lines(tmp_path: Path) -> None:
    """A typing error is an unknown field, and a missing one."""
    text = TEXT.replace("length", "lenght").replace('name = "left"', "name = 1")
    with pytest.raises(InputError) as caught:
        _load(tmp_path, text)
    told = [problem.split(": ")[0] for problem in str(caught.value.value).split("; ")]
    assert told == [
        "line 4, field window.length",
        "line 6, field window.lenght",
        "line 8, field classes.0.name",
    ]


def test_a_field_that_the_whole_file_lacks_has_no_line(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r": field paradigm: "):
        _load(tmp_path, TEXT.replace('paradigm = "mi"', ""))


def test_one_class_is_not_enough(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="field classes"):
        _load(tmp_path, TEXT[: TEXT.rindex("[[classes]]")])


def test_ssvep_needs_a_stimulus_frequency(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="frequency of at least one class"):
        _load(tmp_path, TEXT.replace('"mi"', '"ssvep"'))


def test_a_syntax_error_names_its_line(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="line 3"):
        _load(tmp_path, TEXT.replace('paradigm = "mi"', "paradigm = mi"))


def test_a_file_that_is_no_text_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "own.toml"
    path.write_bytes(b'name = "\xff\xfe"')
    with pytest.raises(InputError, match="UTF-8"):
        load_protocol(path)


@pytest.mark.parametrize(
    "line",
    ["x = " + "[" * 100_000, "x = " + "9" * 5000, 'name = "again"'],
    ids=["deep", "huge", "twice"],
)
def test_what_the_reader_of_toml_cannot_take_is_told(tmp_path: Path, line: str) -> None:
    with pytest.raises(InputError, match="not a UTF-8 TOML file"):
        _load(tmp_path, f"{TEXT}\n{line}\n{line}\n")


def test_a_file_of_many_mistakes_is_told_soon(tmp_path: Path) -> None:
    begin = time.perf_counter()
    with pytest.raises(InputError, match=r"classes\.2\.name") as caught:
        _load(tmp_path, TEXT + '[[classes]]\nnam = "x"\n' * 10_000)
    assert time.perf_counter() - begin < 5.0
    assert len(str(caught.value)) < 5000
