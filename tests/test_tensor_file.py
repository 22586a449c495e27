from __future__ import annotations

import json
import pickle
import struct
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from safetensors import SafetensorError
from safetensors.numpy import load_file, save_file

from sjepa_online.errors import InputError, OperationError
from sjepa_online.tensor_file import open_safetensors, read_tensor_file, write_tensor_file

CONFIG = {"text": "µV", "numbers": [1, 2.5], "nested": {"none": None, "yes": True}}
ARRAYS = {
    "a": np.arange(6.0).reshape(2, 3),
    "b/c": np.array([1, 2], dtype=np.int64),
    "single": np.array([0.1], dtype=np.float32),
    "empty": np.empty((0, 3)),
    "number": np.array(250.0),
}


@pytest.fixture
def path(tmp_path: Path) -> Path:
    path = tmp_path / "file.safetensors"
    write_tensor_file(path, "test", 2, CONFIG, ARRAYS)
    return path


def _save(path: Path, **metadata: str) -> Path:
    save_file({"a": np.zeros(2)}, path, metadata=metadata)
    return path


def test_what_is_written_is_read(path: Path) -> None:
    config, arrays = read_tensor_file(path, "test", 2)
    assert config == CONFIG
    assert set(arrays) == set(ARRAYS)
    for name, array in ARRAYS.items():
        np.testing.assert_array_equal(arrays[name], array)
        assert (arrays[name].dtype, arrays[name].shape) == (array.dtype, array.shape)


def test_a_disk_that_is_full_is_told(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object, **__: object) -> None:
        raise SafetensorError("I/O error: No space left on device")

    monkeypatch.setattr("sjepa_online.tensor_file.save_file", full)
    with pytest.raises(OperationError, match=r"file\.safetensors could not be.*No space left"):
        write_tensor_file(path, "test", 2, CONFIG, ARRAYS)


def test_any_safetensors_reader_understands_the_file(path: Path) -> None:
    np.testing.assert_array_equal(load_file(path)["b/c"], [1, 2])


def test_transposed_arrays_keep_their_values(tmp_path: Path) -> None:
    transposed = np.arange(12.0).reshape(3, 4).T[::2]
    write_tensor_file(tmp_path / "t", "test", 1, {}, {"t": transposed})
    np.testing.assert_array_equal(read_tensor_file(tmp_path / "t", "test", 1)[1]["t"], transposed)


@pytest.mark.parametrize("keep", [0, 4, 100, -1])
def test_a_truncated_file_is_refused(path: Path, keep: int) -> None:
    path.write_bytes(path.read_bytes()[:keep])
    with pytest.raises(InputError, match="whole safetensors") as caught:
        read_tensor_file(path, "test", 2)
    assert str(path) in str(caught.value)


def test_a_renamed_pickle_is_refused_and_does_not_run(tmp_path: Path) -> None:
    class Payload:
        def __reduce__(self) -> tuple[Any, ...]:
            return Path.touch, (tmp_path / "executed",)

    path = tmp_path / "weights.safetensors"
    path.write_bytes(pickle.dumps(Payload()))
    with pytest.raises(InputError, match="pickles above all"):
        open_safetensors(path)
    assert not (tmp_path / "executed").exists()
    assert list(tmp_path.iterdir()) == [path]


def test_a_missing_file_and_a_folder_are_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"No such file: .*absent\. Check the path"):
        open_safetensors(tmp_path / "absent")
    with pytest.raises(InputError, match=r"a folder, not a file: .*Check the path"):
        open_safetensors(tmp_path)


def test_the_files_beside_a_wrong_path_are_named(path: Path) -> None:
    for wrong in (path.with_stem("fil"), path.parent):
        with pytest.raises(InputError) as caught:
            open_safetensors(wrong)
        assert str(path) in caught.value.remedy


def test_another_format_is_refused(path: Path, tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"another format than 'other'.*'test'"):
        read_tensor_file(path, "other", 2)
    foreign = tmp_path / "foreign.safetensors"
    save_file({"a": np.zeros(2)}, foreign)
    with pytest.raises(InputError, match="'unknown'"):
        read_tensor_file(foreign, "test", 2)


def test_older_versions_are_read_and_newer_ones_refused(path: Path) -> None:
    assert read_tensor_file(path, "test", 3)[0] == CONFIG
    with pytest.raises(InputError, match=r"up to version 1.*of version 2"):
        read_tensor_file(path, "test", 1)


@pytest.mark.parametrize(
    "metadata",
    [
        {"format_version": "1"},
        {"config": "{}"},
        {"config": "{}", "format_version": "one"},
        {"config": "{", "format_version": "1"},
    ],
)
def test_damaged_metadata_is_refused(tmp_path: Path, metadata: dict[str, str]) -> None:
    path = _save(tmp_path / "damaged", format="test", **metadata)
    with pytest.raises(InputError, match="version and a JSON configuration"):
        read_tensor_file(path, "test", 1)


def test_a_changed_byte_is_noticed_wherever_it_is(path: Path) -> None:
    content = path.read_bytes()
    n_bytes = sum(array.nbytes for array in ARRAYS.values())
    for place in (-n_bytes, -n_bytes // 2, -1, content.index(b"nested")):
        changed = bytearray(content)
        changed[place] ^= 1
        path.write_bytes(changed)
        with pytest.raises(InputError, match="changed or damaged"):
            read_tensor_file(path, "test", 2)
    path.write_bytes(content)
    assert read_tensor_file(path, "test", 2)[0] == CONFIG


@pytest.mark.parametrize(
    ("replaced", "by"),
    [("a", ARRAYS["a"].reshape(3, 2)), ("b/c", ARRAYS["b/c"].view(np.uint64)), ("empty", None)],
)
def test_arrays_of_another_shape_or_type_are_noticed(
    path: Path, replaced: str, by: np.ndarray[Any, Any] | None
) -> None:
    metadata, arrays = open_safetensors(path)
    del arrays[replaced]
    save_file(arrays if by is None else arrays | {replaced: by}, path, metadata=metadata)
    with pytest.raises(InputError, match="checksum"):
        read_tensor_file(path, "test", 2)


def test_a_file_without_a_checksum_is_refused(tmp_path: Path) -> None:
    path = _save(tmp_path / "early", format="test", format_version="1", config="{}")
    with pytest.raises(InputError, match=r"checksum.*early"):
        read_tensor_file(path, "test", 1)


def test_what_json_cannot_hold_overwrites_nothing(path: Path) -> None:
    before = path.read_bytes()
    with pytest.raises(ValueError, match="JSON"):
        write_tensor_file(path, "test", 2, {"score": float("nan")}, {})
    assert path.read_bytes() == before
    assert list(path.parent.iterdir()) == [path]


@pytest.mark.parametrize("kind", ["F8_E4M3", "F8_E5M2", "BF16"])
def test_numbers_of_a_type_that_numpy_lacks_are_refused(tmp_path: Path, kind: str) -> None:
    path = tmp_path / "file.safetensors"
    n_bytes = 4 if kind == "BF16" else 2
    header = json.dumps({"a": {"dtype": kind, "shape": [2], "data_offsets": [0, n_bytes]}})
    path.write_bytes(struct.pack("<Q", len(header)) + header.encode() + bytes(n_bytes))
    with pytest.raises(InputError, match="whole safetensors"):
        open_safetensors(path)


@pytest.mark.parametrize("config", ["[" * 100_000, "null", "[]", "1" * 10_000])
def test_a_configuration_that_is_no_object_is_refused(tmp_path: Path, config: str) -> None:
    path = _save(tmp_path / "f", format="test", format_version="1", config=config)
    with pytest.raises(InputError, match="lacks its version and a JSON configuration"):
        read_tensor_file(path, "test", 1)


def test_nan_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "file.safetensors"
    write_tensor_file(path, "test", 1, {}, {"a": np.zeros(3), "b": np.array([1.0, np.nan])})
    with pytest.raises(InputError, match=r"not numbers \(NaN\): b in"):
        read_tensor_file(path, "test", 1)
