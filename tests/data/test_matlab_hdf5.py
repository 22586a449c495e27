"""EEGLAB files that MATLAB saved with ``-v7.3``, that is as HDF5."""

from __future__ import annotations

from pathlib import Path

import h5py
import numpy as np
import pytest

from sjepa_online.data import load_source

NAMES = ("C3", "Cz", "C4")
SFREQ = 128.0


def _text(group: h5py.Group, name: str, text: str) -> h5py.Dataset:
    codes = np.array([[ord(letter)] for letter in text], np.uint16)
    dataset = group.create_dataset(name, data=codes)
    dataset.attrs["MATLAB_class"] = np.bytes_("char")
    return dataset


def _number(group: h5py.Group, name: str, value: float) -> h5py.Dataset:
    dataset = group.create_dataset(name, data=np.array([[value]]))
    dataset.attrs["MATLAB_class"] = np.bytes_("double")
    return dataset


def _structs(file: h5py.File, parent: h5py.Group, name: str, rows: list[dict]) -> None:
    """A struct array: one dataset of references for each field."""
    group = parent.create_group(name)
    group.attrs["MATLAB_class"] = np.bytes_("struct")
    kept = file.require_group("#refs#")
    for field in rows[0]:
        references = np.empty((len(rows), 1), h5py.ref_dtype)
        for index, row in enumerate(rows):
            label, value = f"{name}_{field}_{index}", row[field]
            made = (
                _text(kept, label, value) if isinstance(value, str) else _number(kept, label, value)
            )
            references[index, 0] = made.ref
        group.create_dataset(field, data=references, dtype=h5py.ref_dtype)


@pytest.fixture
def signal() -> np.ndarray:
    return np.random.default_rng(0).normal(scale=15.0, size=(3, 1280)).astype(np.float32)


@pytest.fixture
def hdf5_set(tmp_path: Path, signal: np.ndarray) -> Path:
    path = tmp_path / "session.set"
    with h5py.File(path, "w", userblock_size=512) as file:
        eeg = file.create_group("EEG")
        eeg.attrs["MATLAB_class"] = np.bytes_("struct")
        for name, value in {
            "nbchan": 3, "trials": 1, "pnts": 1280, "srate": SFREQ, "xmin": 0, "xmax": 1279 / SFREQ
        }.items():  # fmt: skip
            _number(eeg, name, value)
        for name in ("setname", "filename", "ref"):
            _text(eeg, name, "session.set" if name == "filename" else "common")
        data = eeg.create_dataset("data", data=signal.T)
        data.attrs["MATLAB_class"] = np.bytes_("single")
        _structs(file, eeg, "chanlocs", [{"labels": name, "type": "EEG"} for name in NAMES])
        events = [
            {"type": label, "latency": latency, "duration": 0.0}
            for label, latency in (("left", 129.0), ("right", 641.0))
        ]
        _structs(file, eeg, "event", events)
    header = b"MATLAB 7.3 MAT-file, Platform: GLNXA64".ljust(124) + b"\x00\x02IM"
    with path.open("r+b") as file:
        file.write(header)
    return path


def test_signal_electrodes_and_events_are_read(hdf5_set: Path, signal: np.ndarray) -> None:
    (recording,) = load_source(str(hdf5_set))
    assert recording.ch_names == NAMES
    assert recording.sfreq == SFREQ
    np.testing.assert_allclose(recording.data, signal, rtol=1e-5)
    assert recording.labels == ("left", "right")
    np.testing.assert_allclose(recording.onsets, [1.0, 5.0])
