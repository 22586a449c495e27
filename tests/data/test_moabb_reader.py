"""Lee2019 files in MOABB's cache layout, written here and read by MOABB without network."""

from __future__ import annotations

import os
import socket
import sys
from pathlib import Path

import numpy as np
import pytest
from scipy.io import savemat

from sjepa_online.data.moabb_reader import read_moabb
from sjepa_online.data.source import load_source, load_sources
from sjepa_online.errors import InputError

get_download_provider = pytest.importorskip("moabb.utils").get_download_provider

# fmt: off
#: BrainAmp's 62 channels in the order of the data set.
CH_NAMES = [
    "Fp1", "Fp2", "F7", "F3", "Fz", "F4", "F8", "FC5", "FC1", "FC2", "FC6",
    "T7", "C3", "Cz", "C4", "T8", "TP9", "CP5", "CP1", "CP2", "CP6", "TP10",
    "P7", "P3", "Pz", "P4", "P8", "PO9", "O1", "Oz", "O2", "PO10", "FC3",
    "FC4", "C5", "C1", "C2", "C6", "CP3", "CPz", "CP4", "P1", "P2", "POz",
    "FT9", "FTT9h", "TTP7h", "TP7", "TPP9h", "FT10", "FTT10h", "TPP8h", "TP8", "TPP10h", "F9",
    "F10", "AF7", "AF3", "AF4", "AF8", "PO3", "PO4",
]
# fmt: on
CLASSES = {
    "MI": {1: "right", 2: "left"},
    "ERP": {1: "target", 2: "nontarget"},
    "SSVEP": {1: "up", 2: "left", 3: "right", 4: "down"},
}
SFREQ = 1000
SAMPLES = np.array([500, 1500, 2501, 3100])
N_SAMPLES = 4000


def _cells(values: list[str]) -> np.ndarray:
    cells = np.empty((1, len(values)), dtype=object)
    cells[0] = values
    return cells


def _run(kind: str, seed: int) -> dict[str, object]:
    generator = np.random.default_rng(seed)
    names = CLASSES[kind]
    mapping = np.empty((len(names), 2), dtype=object)
    mapping[:] = [[str(code), name] for code, name in names.items()]
    return {
        "x": 20 * generator.standard_normal((N_SAMPLES, 62)),
        "chan": _cells(CH_NAMES),
        "fs": float(SFREQ),
        "class": mapping,
        "t": SAMPLES[np.newaxis].astype(float).astype(np.int32),
        "y_dec": (1 + np.arange(4)[np.newaxis] % len(names)).astype(np.uint8),
        "EMG": generator.standard_normal((N_SAMPLES, 4)),
        "EMG_index": _cells(["EMG1", "EMG2", "EMG3", "EMG4"]),
    }


@pytest.fixture
def write(tmp_path, monkeypatch):
    """Write a subject's session as MOABB caches it; return the run of the training phase."""
    monkeypatch.setenv("MNE_DATA", str(tmp_path))
    monkeypatch.delenv("MOABB_DOWNLOAD_PROVIDER", raising=False)
    # the user's own settings must neither count nor change
    monkeypatch.setenv("_MNE_FAKE_HOME_DIR", str(tmp_path))

    def refuse(*args: object) -> None:
        raise OSError("no network in tests")

    monkeypatch.setattr(socket.socket, "connect", refuse)
    monkeypatch.setattr(socket, "getaddrinfo", refuse)

    def write(kind: str, subject: int = 1, session: int = 1) -> dict[str, object]:
        path = _cache_path(tmp_path, kind, subject, session)
        path.parent.mkdir(parents=True)
        runs = {
            f"EEG_{kind}_{phase}": _run(kind, seed=10 * session + offset)
            for offset, phase in enumerate(("train", "test"))
        }
        savemat(path, runs)
        return runs[f"EEG_{kind}_train"]

    return write


def _cache_path(root: Path, kind: str, subject: int, session: int) -> Path:
    return (
        root
        / f"MNE-lee2019-{kind.lower()}-data"
        / "gigadb-datasets/live/pub/10.5524/100001_101000/100542"
        / f"session{session}/s{subject}/sess{session:02d}_subj{subject:02d}_EEG_{kind}.mat"
    )


@pytest.mark.parametrize(
    ("paradigm", "kind", "labels"),
    [
        ("mi", "MI", ("right_hand", "left_hand", "right_hand", "left_hand")),
        ("ssvep", "SSVEP", ("12.0", "8.57", "6.67", "5.45")),
    ],
)
def test_lee2019_values_names_onsets_and_labels(write, paradigm, kind, labels):
    run = write(kind)
    (read,) = load_source(f"lee2019:{paradigm}:1:1")
    np.testing.assert_allclose(read.data, np.asarray(run["x"]).T, rtol=1e-5, atol=1e-4)
    assert read.ch_names == tuple(CH_NAMES)
    assert (read.unit, read.sfreq) == ("uV", 1000.0)
    np.testing.assert_allclose(read.onsets, SAMPLES / SFREQ, atol=1e-9)
    assert read.labels == labels
    assert read.name == f"lee2019:{paradigm}:1:1:1train"
    assert (read.subject, read.session, read.run) == ("1", "1", "1train")


def test_lee2019_erp_has_a_training_and_a_test_run(write):
    write("ERP", session=2)
    read = load_source("lee2019:erp:1:2")
    assert [recording.run for recording in read] == ["1train", "4test"]
    assert read[0].labels == ("Target", "NonTarget", "Target", "NonTarget")


def test_lee2019_gives_both_sessions_and_ranges_of_subjects(write):
    for subject in (3, 4):
        for session in (1, 2):
            write("SSVEP", subject, session)
    read = load_source("lee2019:ssvep:3-4")
    assert [(recording.subject, recording.session) for recording in read] == [
        ("3", "1"),
        ("3", "2"),
        ("4", "1"),
        ("4", "2"),
    ]


def test_moabb_names_the_same_data(write):
    write("SSVEP", 5, 1)
    write("SSVEP", 5, 2)
    (read,) = load_source("moabb:Lee2019_SSVEP:5:2:1train")
    (expected,) = load_source("lee2019:ssvep:5:2")
    np.testing.assert_array_equal(read.data, expected.data)
    assert read.labels == expected.labels


def test_a_subject_and_one_of_its_sessions_overlap(write):
    write("SSVEP", 5, 1)
    write("SSVEP", 5, 2)
    with pytest.raises(InputError, match=r"twice: moabb:Lee2019_SSVEP:5:2:1train"):
        load_sources(["moabb:Lee2019_SSVEP:5", "moabb:Lee2019_SSVEP:5:2"])


def test_session_or_run_that_is_not_there_is_refused(write):
    write("SSVEP", 1, 1)
    write("SSVEP", 1, 2)
    with pytest.raises(InputError, match=r"session 3\. There are: 1, 2"):
        load_source("moabb:Lee2019_SSVEP:1:3")
    with pytest.raises(InputError, match=r"run 9\. There are: 1train"):
        load_source("moabb:Lee2019_SSVEP:1:1:9")


def test_damaged_file_is_refused(write, tmp_path):
    write("MI")
    path = _cache_path(tmp_path, "MI", 1, 1)
    path.write_bytes(path.read_bytes()[:5000])
    with pytest.raises(InputError, match="subject 1 of Lee2019-MI"):
        load_source("lee2019:mi:1:1")


def test_missing_file_without_network_is_refused(write):
    with pytest.raises(InputError, match="Check the network"):
        load_source("lee2019:mi:2:1")


@pytest.mark.parametrize(("chosen", "in_force"), [(None, "upstream"), ("nemar", "nemar")])
def test_cached_files_cost_no_request_unless_the_user_chose_a_provider(
    make_raw, monkeypatch, chosen, in_force
):
    """MOABB's own default asks its mirror first, even when the file is in the cache."""

    class SpyDataset:
        subject_list = (1,)
        code = "Spy"

        def get_data(self, subjects: list[int]) -> dict[int, dict[str, dict[str, object]]]:
            self.provider = get_download_provider()
            return {1: {"0": {"0": make_raw()}}}

    if chosen is None:
        monkeypatch.delenv("MOABB_DOWNLOAD_PROVIDER", raising=False)
    else:
        monkeypatch.setenv("MOABB_DOWNLOAD_PROVIDER", chosen)
    dataset = SpyDataset()
    assert len(list(read_moabb(dataset, 1, name="spy"))) == 1
    assert dataset.provider == in_force
    assert os.environ.get("MOABB_DOWNLOAD_PROVIDER") == chosen


@pytest.mark.parametrize(
    ("source", "message"),
    [
        ("moabb:Lee2019_SVEP:1", "Did you mean .*Lee2019_SSVEP"),
        ("moabb:download:1", "no data set of this name"),
        ("moabb:Lee2019:1", "Did you mean Lee2019_"),
        ("lee2019:ssvep:55", "Its subjects are 1 to 54"),
        ("moabb:Kalunga2016:13", "Its subjects are 1 to 12"),
    ],
)
def test_unknown_data_set_or_subject_is_refused(source, message):
    with pytest.raises(InputError, match=message):
        load_sources([source])


def test_missing_moabb_names_the_extra(monkeypatch):
    monkeypatch.setitem(sys.modules, "moabb.datasets", None)
    with pytest.raises(InputError, match=r"pip install .*\[moabb\]"):
        load_source("lee2019:mi:1:1")
