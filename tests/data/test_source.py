from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import mne
import numpy as np
import pytest

from sjepa_online.data.source import (
    SUFFIXES,
    expand_sources,
    iter_sources,
    load_source,
    load_sources,
    refuse_repetition,
)
from sjepa_online.errors import InputError


@pytest.fixture
def folder(tmp_path, make_raw, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for run in (1, 2, 10):
        make_raw().save(tmp_path / f"sub-01_run-{run}_raw.fif", verbose="error")
    return tmp_path


def test_globs_expand_in_natural_order(folder):
    runs = [recording.run for recording in load_source("sub-01_run-*_raw.fif")]
    assert runs == ["1", "2", "10"]


def test_glob_into_subfolders(folder):
    (folder / "deep" / "deeper").mkdir(parents=True)
    Path("sub-01_run-2_raw.fif").rename("deep/deeper/sub-01_run-2_raw.fif")
    names = [Path(source.name).name for source in expand_sources(["**/*.fif"])]
    assert sorted(names) == [f"sub-01_run-{run}_raw.fif" for run in (10, 1, 2)]


def test_files_that_the_shell_expanded(folder):
    paths = ["sub-01_run-2_raw.fif", str(folder / "sub-01_run-1_raw.fif")]
    assert [recording.run for recording in load_sources(paths)] == ["2", "1"]


@pytest.fixture(params=["neuromag", "bids"])
def split(request, tmp_path, monkeypatch):
    """The parts, in their order, of a recording that MNE split as too long for one file."""
    monkeypatch.chdir(tmp_path)
    n_samples = 560 * 256
    data = np.random.default_rng(0).normal(0, 1e-5, (6, n_samples))
    info = mne.create_info(["Fz", "Cz", "Pz", "Oz", "O1", "O2"], 256.0, "eeg")
    raw = mne.io.RawArray(data, info, verbose="error")
    raw.set_annotations(mne.Annotations([10.0, 300.0, 550.0], 1.0, ["13", "17", "21"]))
    raw.save("long_raw.fif", split_size="2MB", split_naming=request.param, verbose="error")
    return sorted((path.name for path in tmp_path.iterdir()), key=lambda name: Path(name).stem)


def test_a_recording_that_mne_split_is_read_once(split):
    assert len(split) > 2
    for texts in (["*.fif"], list(reversed(split))):
        (recording,) = load_sources(texts)
        assert recording.name == split[0]
        assert recording.labels == ("13", "17", "21")
        assert [Path(name).name for name in recording.files] == split


def test_a_part_of_a_split_recording_may_not_stand_for_another(split):
    first, later = (load_source(name)[0] for name in split[:2])
    with pytest.raises(InputError, match="more than once"):
        refuse_repetition(name for recording in (first, later) for name in recording.files)


def test_files_that_only_look_like_parts_are_recordings(folder, make_raw):
    for name in ("a_raw.fif", "a_raw-1.fif"):
        make_raw().save(name, verbose="error")
    assert {recording.name for recording in load_source("a_raw*.fif")} == {
        "a_raw.fif",
        "a_raw-1.fif",
    }


def test_file_with_brackets_in_its_name(folder, make_raw):
    make_raw().save(folder / "a[1]_raw.fif", verbose="error")
    assert load_source("a[1]_raw.fif")[0].name == "a[1]_raw.fif"


def test_suffix_in_capitals(folder, make_raw):
    mne.export.export_raw("a.edf", make_raw(), physical_range=(-300, 300), verbose="error")
    Path("a.edf").rename("A.EDF")
    assert load_source("A.EDF")[0].ch_names == ("Oz", "O1", "O2")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("nothing_*.fif", "nothing matches"),
        ("missing.fif", "nothing matches"),
        ("a" * 300 + ".edf", "cannot be reached"),
        ("~no-such-user/x.edf", "cannot be reached"),
        ("", "nothing matches"),
        (".", r"is a folder\. Give a glob"),
        ("moabb:Lee2019_SSVEP", "cannot be read"),
        ("moabb:Lee2019_SSVEP:one", "cannot be read"),
        ("moabb:Lee2019_SSVEP:1:1:1:1", "cannot be read"),
        ("moabb::1", "cannot be read"),
        ("lee2019:ssvep", "cannot be read"),
        ("lee2019:p300:1", "cannot be read"),
        ("lee2019:ssvep:9-3", "cannot be read"),
        ("lee2019:ssvep:1:3", "cannot be read"),
        ("lee2019:ssvep:1:1:1", "cannot be read"),
        ("sample:4", "sample:1, sample:2 or sample:3"),
        ("sample:1:1", "sample:1, sample:2 or sample:3"),
    ],
)
def test_what_is_no_source_is_refused(folder, text, message):
    with pytest.raises(InputError, match=message):
        load_source(text)


def test_unknown_format_is_refused(folder):
    Path("sub-01_run-3.csv").write_text("1,2,3")
    with pytest.raises(InputError, match=r"\.xdf: sub-01_run-3\.csv\."):
        expand_sources(["sub-01_*"])


def test_a_folder_that_may_not_be_read_is_told(folder, monkeypatch):
    def refuse(_: Path) -> None:
        raise PermissionError(13, "Permission denied")

    # as the superuser, who may read all, a test cannot meet this
    monkeypatch.setattr(Path, "iterdir", refuse)
    with pytest.raises(InputError, match=r"cannot be reached.*Permission denied"):
        load_source(".")


@pytest.mark.skipif(sys.platform != "linux", reason="file names are text elsewhere")
def test_a_file_whose_name_is_no_text_is_refused(folder):
    Path("sub-01_run-1_raw.fif").rename("M\udcfcller_raw.fif")
    with pytest.raises(InputError, match=r"UTF-8: M.udcfcller_raw\.fif\. Rename"):
        expand_sources(["M*_raw.fif"])


def test_sources_that_overlap_are_refused(folder):
    with pytest.raises(InputError, match=r"twice: sub-01_run-2_raw\.fif"):
        expand_sources(["*_run-2_raw.fif", "sub-01_run-*_raw.fif"])


def test_a_relative_and_an_absolute_path_are_one_recording(folder):
    path = Path("sub-01_run-2_raw.fif")
    with pytest.raises(InputError, match=r"twice: .*sub-01_run-2_raw\.fif, sub-01_run-2_raw\.fif"):
        expand_sources([str(path), str(path.resolve())])


def test_broken_recordings_are_reported_and_left_out(folder):
    Path("sub-01_run-2_raw.fif").write_bytes(b"damaged" * 1000)
    broken: dict[str, InputError] = {}
    recordings = iter_sources(["*.fif"], on_broken=broken.__setitem__)
    assert [recording.run for recording in recordings] == ["1", "10"]
    assert list(broken) == ["sub-01_run-2_raw.fif"]
    assert "whole continuous recording" in broken["sub-01_run-2_raw.fif"].problem


def test_broken_recordings_are_an_error_unless_asked_for(folder):
    Path("sub-01_run-2_raw.fif").write_bytes(b"damaged" * 1000)
    with pytest.raises(InputError, match="sub-01_run-2"):
        load_source("*.fif")


def test_reading_is_lazy(folder):
    recordings = iter_sources(["*.fif"])
    next(recordings)
    Path("sub-01_run-10_raw.fif").unlink()
    next(recordings)
    with pytest.raises(InputError, match="sub-01_run-10"):
        next(recordings)


def test_sample_is_three_sessions_of_32_trials():
    recordings = load_source("sample")
    assert [recording.session for recording in recordings] == ["1", "2", "3"]
    for recording in recordings:
        labels, counts = np.unique(recording.labels, return_counts=True)
        assert dict(zip(labels, counts, strict=True)) == {"13": 8, "17": 8, "21": 8, "rest": 8}
        assert recording.ch_names == ("Oz", "O1", "O2", "PO3", "POz", "PO7", "PO8", "PO4")
        assert (recording.sfreq, recording.subject) == (256.0, "12")
    (second,) = load_source("sample:2")
    np.testing.assert_array_equal(second.data, recordings[1].data)


@pytest.mark.parametrize("session", [1, 2, 3])
def test_sample_is_the_published_recording(session):
    shared = Path(__file__).resolve().parents[3] / "shared" / "data" / "ssvep-exo"
    path = shared / f"sub-12_ses-{session}_task-ssvep_raw.fif"
    if not path.is_file():
        pytest.skip("the shared recordings are not on this machine")
    raw = mne.io.read_raw_fif(path, preload=True, verbose="error")
    (sample,) = load_source(f"sample:{session}")
    np.testing.assert_allclose(sample.data, raw.get_data() * 1e6, atol=0.004, rtol=0)
    np.testing.assert_allclose(sample.onsets, raw.annotations.onset, atol=1e-6)
    assert sample.labels == tuple(raw.annotations.description)


def test_a_folder_is_answered_with_a_glob_that_finds_its_recordings(folder):
    with pytest.raises(InputError, match="is a folder") as caught:
        expand_sources(["."])
    glob = caught.value.remedy.split('"')[1]
    assert len(expand_sources([glob])) == 3


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_every_suffix_has_a_reader(tmp_path, suffix):
    (tmp_path / f"text{suffix}").write_text("no recording")
    with pytest.raises(InputError, match="read"):
        load_source(str(tmp_path / f"text{suffix}"))


def test_a_name_that_is_wrong_is_told_without_the_libraries_that_read():
    # in a process of its own: this one has imported them all
    script = (
        "import sys\n"
        "from sjepa_online.data.source import expand_sources\n"
        "try:\n"
        "    expand_sources(['nosuch.fif'])\n"
        "except ValueError as error:\n"
        "    print(error, sorted({'mne', 'scipy', 'torch', 'pyxdf'} & set(sys.modules)))\n"
    )
    told = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True
    )
    assert "nothing matches 'nosuch.fif'" in told.stdout
    assert told.stdout.endswith("[]\n")
