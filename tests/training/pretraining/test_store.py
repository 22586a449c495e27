import errno
from collections.abc import Callable, Iterator
from pathlib import Path

import edfio
import mne
import numpy as np
import pytest

from sjepa_online.data.recording import Recording
from sjepa_online.data.source import Source, load_source
from sjepa_online.errors import InputError, OperationError
from sjepa_online.signal.preprocessor import Preprocessor, PreprocessorConfig
from sjepa_online.training.pretraining.recipe import Storage
from sjepa_online.training.pretraining.store import INDEX_NAME, Store

CH_NAMES = ("Fz", "C3", "Cz", "C4", "Pz")


def _noise(n_samples: int = 3840, n_channels: int = 5, scale: float = 10.0) -> np.ndarray:
    return np.random.default_rng(0).normal(0, scale, (n_channels, n_samples))


def _write(path: Path, data: np.ndarray, ch_names: tuple[str, ...] = CH_NAMES) -> Path:
    signals = [
        edfio.EdfSignal(row, 128, label=name, physical_dimension="uV", physical_range=(-800, 800))
        for row, name in zip(data, ch_names, strict=True)
    ]
    edfio.Edf(signals).write(path)
    return path


def _filled(folder: Path, *sources: Path, storage: Storage | None = None) -> Store:
    store = Store(folder, storage or Storage())
    store.add([str(source) for source in sources])
    return store


def test_the_store_holds_what_the_live_preprocessor_gives(tmp_path: Path) -> None:
    path = _write(tmp_path / "a.edf", _noise())
    store = _filled(tmp_path / "store", path, storage=Storage(dtype="float32"))
    (shard,) = store.contents([str(path)])[0].shards
    (recording,) = load_source(str(path))
    live = Preprocessor(CH_NAMES, 128, "uV", PreprocessorConfig(reference="average"))
    np.testing.assert_allclose(store.read(shard), live.update(recording.data), atol=1e-4)
    assert shard.ch_names == CH_NAMES


def test_half_precision_keeps_the_signal_to_its_rounding(tmp_path: Path) -> None:
    path = _write(tmp_path / "a.edf", _noise())
    whole = _filled(tmp_path / "w", path, storage=Storage(dtype="float32"))
    half = _filled(tmp_path / "h", path, storage=Storage(dtype="float16"))
    a, b = (store.read(store.contents([str(path)])[0].shards[0]) for store in (whole, half))
    assert b.dtype == np.float16
    np.testing.assert_allclose(b, a, rtol=2**-10, atol=1e-4)


def test_a_second_run_reads_no_recording_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = _write(tmp_path / "a.edf", _noise())
    _filled(tmp_path / "store", path)

    def fail(*_: object) -> None:
        raise AssertionError("the recording was read again")

    monkeypatch.setattr("sjepa_online.training.pretraining.store.usable_signal", fail)
    assert _filled(tmp_path / "store", path).contents([str(path)])[0].shards


def test_a_changed_recording_is_stored_anew(tmp_path: Path) -> None:
    path = _write(tmp_path / "a.edf", _noise())
    before = _filled(tmp_path / "store", path).contents([str(path)])[0]
    _write(path, 2 * _noise(5120))
    after = _filled(tmp_path / "store", path).contents([str(path)])[0]
    assert after.shards[0].n_samples > before.shards[0].n_samples


def test_a_source_that_failed_is_read_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The network was away: a data set keeps its name and its stamp."""
    (recording,) = load_source(str(_write(tmp_path / "a.edf", _noise())))
    away = [True]

    def read() -> Iterator[Recording]:
        if away:
            raise InputError("The data set can be reached", value="no network", remedy="Check it.")
        yield recording

    def expand(*_: object) -> list[Source]:
        return [Source("moabb:Somewhere:1", read)]

    monkeypatch.setattr("sjepa_online.training.pretraining.store.expand_sources", expand)
    store = Store(tmp_path / "store", Storage())
    store.add(["moabb:Somewhere:1"])
    assert store.contents(["moabb:Somewhere:1"])[0].broken
    away.clear()
    store.add(["moabb:Somewhere:1"])
    (stored,) = store.contents(["moabb:Somewhere:1"])
    assert len(stored.shards) == 1
    assert not stored.broken


def test_every_file_of_a_recording_is_looked_at_for_changes(tmp_path: Path) -> None:
    pytest.importorskip("pybv", reason="needs the bids extra")
    path = tmp_path / "sub-1_eeg.vhdr"
    info = mne.create_info(list(CH_NAMES), 128, "eeg")
    raw = mne.io.RawArray(1e-6 * _noise(), info, verbose="error")
    mne.export.export_raw(path, raw, verbose="error")
    before = _filled(tmp_path / "store", path).contents([str(path)])[0].shards[0]
    samples = path.with_suffix(".eeg")
    samples.write_bytes(samples.read_bytes() + bytes(5 * 2 * 128))
    changed = _filled(tmp_path / "store", path).contents([str(path)])[0].shards[0]
    assert changed.sha256 != before.sha256
    (tmp_path / "sub-1_channels.tsv").write_text("name\tstatus\nCz\tbad\n")
    marked = _filled(tmp_path / "store", path).contents([str(path)])[0].shards[0]
    assert "Cz" in changed.ch_names
    assert "Cz" not in marked.ch_names


def _with_constant(data: np.ndarray) -> np.ndarray:
    data[2] = 5.0
    return data


def _saturated(data: np.ndarray) -> np.ndarray:
    data[1] = np.clip(3 * data[1], -30, 30)
    return data


@pytest.mark.parametrize(
    ("change", "note"),
    [(_with_constant, "Cz left out: constant"), (_saturated, "C3 left out: saturated")],
)
def test_a_broken_channel_is_left_out_and_reported(
    tmp_path: Path, change: Callable[[np.ndarray], np.ndarray], note: str
) -> None:
    path = _write(tmp_path / "a.edf", change(_noise()))
    (shard,) = _filled(tmp_path / "store", path).contents([str(path)])[0].shards
    assert len(shard.ch_names) == 4
    assert any(text.startswith(note) for text in shard.notes)


@pytest.mark.parametrize(
    ("data", "ch_names", "reason"),
    [
        (np.full((5, 3840), 7.0), CH_NAMES, "constant"),
        (np.clip(_noise(scale=900), -30, 30), CH_NAMES, "saturated"),
        (_noise(), ("Q1", "Q2", "Q3", "Q4", "Q5"), "'Q1'"),
        (_noise(128), CH_NAMES, "filters have settled"),
        (_noise(scale=1e-3), CH_NAMES, "amplitude|constant|saturated"),
    ],
    ids=["constant", "saturated", "no position", "short", "wrong unit"],
)
def test_a_broken_recording_is_reported_and_does_not_stop_the_rest(
    tmp_path: Path, data: np.ndarray, ch_names: tuple[str, ...], reason: str
) -> None:
    broken = _write(tmp_path / "broken.edf", data, ch_names)
    good = _write(tmp_path / "good.edf", _noise())
    damaged = tmp_path / "damaged.edf"
    damaged.write_bytes(good.read_bytes()[:500])
    store = _filled(tmp_path / "store", broken, damaged, good)
    first, second, third = store.contents([str(broken), str(damaged), str(good)])
    assert not first.shards
    name, text = first.broken[0]
    assert "broken.edf" in name
    assert any(word in text for word in reason.split("|"))
    assert second.broken
    assert not second.shards
    assert third.shards
    assert not third.broken


def test_annotations_in_an_archive_stop_nothing(tmp_path: Path) -> None:
    alone, latin = tmp_path / "alone.edf", _write(tmp_path / "latin.edf", _noise())
    signals = edfio.read_edf(latin).signals
    note = [edfio.EdfAnnotation(3, None, "Z?hler")]
    edfio.Edf([], annotations=note).write(alone)
    edfio.Edf(signals, annotations=note).write(latin)
    latin.write_bytes(latin.read_bytes().replace(b"Z?hler", b"Z\xe4hler"))
    stored = _filled(tmp_path / "store", alone, latin).contents([str(alone), str(latin)])
    ((name, reason),) = stored[0].broken
    assert name == str(alone)
    assert "only annotations" in reason
    assert "\n" not in reason
    assert stored[1].shards
    assert not stored[1].broken


def test_a_full_disk_leaves_a_store_that_goes_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, second = (_write(tmp_path / f"{name}.edf", _noise()) for name in "ab")
    _filled(tmp_path / "store", first)
    save = np.save

    def full(*_: object, **__: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(np, "save", full)
    with pytest.raises(OperationError, match="No space left on device"):
        _filled(tmp_path / "store", first, second)
    assert not list((tmp_path / "store").glob("*.tmp"))
    monkeypatch.setattr(np, "save", save)
    store = _filled(tmp_path / "store", first, second)
    for stored in store.contents([str(first), str(second)]):
        assert store.read(stored.shards[0]).shape[0] == 5


def test_a_damaged_shard_is_refused(tmp_path: Path) -> None:
    path = _write(tmp_path / "a.edf", _noise())
    store = _filled(tmp_path / "store", path)
    (shard,) = store.contents([str(path)])[0].shards
    file = tmp_path / "store" / shard.file
    content = bytearray(file.read_bytes())
    content[-10] ^= 1
    file.write_bytes(content)
    with pytest.raises(InputError, match="checksum"):
        store.read(shard)


def test_a_store_of_another_preprocessing_is_refused(tmp_path: Path) -> None:
    path = _write(tmp_path / "a.edf", _noise())
    _filled(tmp_path / "store", path)
    with pytest.raises(InputError, match="another preprocessing"):
        Store(tmp_path / "store", Storage(preprocessing=PreprocessorConfig(l_freq=1.0)))


def test_a_damaged_index_is_refused(tmp_path: Path) -> None:
    path = _write(tmp_path / "a.edf", _noise())
    _filled(tmp_path / "store", path)
    index = tmp_path / "store" / INDEX_NAME
    index.write_bytes(index.read_bytes()[:-20])
    with pytest.raises(InputError, match="index of the store"):
        Store(tmp_path / "store", Storage())


def test_a_source_that_was_not_added_is_named(tmp_path: Path) -> None:
    path = _write(tmp_path / "a.edf", _noise())
    with pytest.raises(InputError, match="--prepare"):
        Store(tmp_path / "store", Storage()).contents([str(path)])


def test_a_packed_store_is_smaller_and_keeps_the_signal_to_half_a_step(tmp_path: Path) -> None:
    path = _write(tmp_path / "a.edf", _noise())
    whole = _filled(tmp_path / "w", path, storage=Storage(dtype="float32"))
    packed = _filled(tmp_path / "p", path, storage=Storage(dtype="packed"))
    shards = [store.contents([])[0].shards[0] for store in (whole, packed)]
    assert shards[1].n_bytes < shards[0].n_bytes / 4
    a, b = whole.read(shards[0]), packed.read(shards[1])
    np.testing.assert_allclose(b, a, atol=0.55)
