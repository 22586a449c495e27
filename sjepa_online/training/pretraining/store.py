"""The store: recordings that went through the preprocessor once, as shards on the disk.

A folder holds one ``.npy`` file per recording (``.npz`` where they are packed) and
``index.json``, which knows the channels, the subject, the size and the checksum of each. The
index is written after the shards that it names, so that an interrupted run leaves nothing that a
later one would trust.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, ValidationError

from sjepa_online.amplifier import AmplifierProfile
from sjepa_online.data.reading import companions
from sjepa_online.data.recording import Recording
from sjepa_online.data.source import Source, expand_sources
from sjepa_online.errors import InputError, OperationError
from sjepa_online.files import WriteError, atomic_path, atomic_write
from sjepa_online.signal.packing import pack_signal, unpack_signal
from sjepa_online.training.pretraining.recipe import Storage
from sjepa_online.training.pretraining.usable_signal import UsableSignal, usable_signal

INDEX_NAME = "index.json"
FORMAT: Literal["sjepa-online store 1"] = "sjepa-online store 1"


class Shard(BaseModel):
    """One recording in the store.

    ``stretches`` are the (first, past the last) samples between breaks of the recording;
    ``notes`` tell what was left out of it.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str
    file: str
    sha256: str
    n_bytes: int
    ch_names: tuple[str, ...]
    n_samples: int
    subject: str
    session: str
    stretches: tuple[tuple[int, int], ...]
    simulated: bool
    notes: tuple[str, ...]


class StoredSource(BaseModel):
    """The stored result of one file or of one subject of a data set."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    stamp: str
    shards: tuple[Shard, ...]
    broken: tuple[tuple[str, str], ...]

    def failed(self, name: str) -> bool:
        """Tell whether a source itself could not be read or used.

        Parameters
        ----------
        name : str
            Of the source.

        Returns
        -------
        bool
        """
        return any(name == one for one, _ in self.broken)


class _Index(BaseModel):
    model_config = ConfigDict(extra="forbid")

    format: Literal["sjepa-online store 1"] = FORMAT
    storage: Storage
    sources: dict[str, StoredSource] = {}


class Store:
    """A folder of preprocessed recordings.

    Parameters
    ----------
    folder : Path
        Made when it is not there.
    storage : Storage
        How recordings are preprocessed and kept.
    amplifier : AmplifierProfile, optional
        What is known of the recordings beside what they say.

    Raises
    ------
    InputError
        The folder holds the store of another preprocessing, or its index is damaged.
    """

    def __init__(
        self, folder: Path, storage: Storage, amplifier: AmplifierProfile | None = None
    ) -> None:
        self.folder = folder
        self._amplifier = amplifier
        self._index = _Index(storage=storage)
        index_path = folder / INDEX_NAME
        if index_path.is_file():
            self._index = _read_index(index_path)
        if self._index.storage != storage:
            raise InputError(
                "The store holds recordings of another preprocessing",
                value=f"{folder} was made with {self._index.storage.model_dump_json()}, the "
                f"recipe asks for {storage.model_dump_json()}",
                remedy="Choose another folder with --store, or delete this one.",
            )

    def add(
        self, texts: Sequence[str], progress: Callable[[str, int, int], None] | None = None
    ) -> None:
        """Preprocess the sources that the store does not hold yet, or failed to read.

        Parameters
        ----------
        texts : sequence of str
            SOURCEs.
        progress : callable | None
            Called with the name, the number and the count of each source before its turn.

        Raises
        ------
        InputError
            A SOURCE breaks the grammar or stands for nothing, or the folder cannot be written.
        OperationError
            The disk is full.
        """
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise InputError(
                "The store's folder cannot be made or written",
                value=f"{self.folder} ({error.strerror})",
                remedy="Choose another one with --store.",
            ) from error
        sources = expand_sources(texts, self._amplifier)
        for number, source in enumerate(sources, start=1):
            if progress is not None:
                progress(source.name, number, len(sources))
            stamp = _stamp(source, self._amplifier)
            known = self._index.sources.get(source.name)
            if known is not None and known.stamp == stamp and not known.failed(source.name):
                continue
            self._index.sources[source.name] = self._preprocess(source, stamp)
            content = self._index.model_dump_json(indent=1)
            self._write(self.folder / INDEX_NAME, content.encode())

    def contents(self, texts: Sequence[str]) -> list[StoredSource]:
        """Return the stored results of some SOURCEs.

        Parameters
        ----------
        texts : sequence of str
            SOURCEs; where there are none, all that the store holds.

        Returns
        -------
        list of StoredSource
            In their order.

        Raises
        ------
        InputError
            One of them was not added, or has changed since.
        """
        if not texts:
            return list(self._index.sources.values())
        found = []
        for source in expand_sources(texts, self._amplifier):
            stored = self._index.sources.get(source.name)
            if stored is None or stored.stamp != _stamp(source, self._amplifier):
                raise InputError(
                    "A source is missing in the store",
                    value=f"{source.name} is not, or has changed",
                    remedy="Run `sjepa-online pretrain RECIPE --prepare` first.",
                )
            found.append(stored)
        return found

    def read(self, shard: Shard) -> NDArray[np.floating]:
        """Map a shard into memory, or unpack it, after its checksum was compared.

        Parameters
        ----------
        shard : Shard

        Returns
        -------
        array, shape (channels, samples)
            µV at 128 Hz, read-only.

        Raises
        ------
        InputError
            The file is missing or damaged.
        """
        path = self.folder / shard.file
        seen = _sha256(path) if path.is_file() else "no such file"
        if seen != shard.sha256:
            raise InputError(
                "A shard of the store does not have the checksum of the index",
                value=f"{path}: {seen}, expected {shard.sha256}",
                remedy=f"Delete {self.folder / INDEX_NAME} and run again to make the store anew.",
            )
        if path.suffix == ".npz":
            with np.load(path, allow_pickle=False) as packed:
                return unpack_signal(packed)
        data: NDArray[np.floating] = np.load(path, mmap_mode="r", allow_pickle=False)
        return data

    def _preprocess(self, source: Source, stamp: str) -> StoredSource:
        shards: list[Shard] = []
        broken: list[tuple[str, str]] = []
        try:
            for recording in source.read():
                try:
                    signal = usable_signal(recording, self._index.storage.preprocessing)
                except InputError as error:
                    broken.append((recording.name, str(error)))
                    continue
                shards.append(self._write_shard(recording, signal))
        except InputError as error:
            broken.append((source.name, str(error)))
        return StoredSource(stamp=stamp, shards=tuple(shards), broken=tuple(broken))

    def _write_shard(self, recording: Recording, signal: UsableSignal) -> Shard:
        packed = self._index.storage.dtype == "packed"
        suffix = ".npz" if packed else ".npy"
        name = hashlib.sha256(recording.name.encode()).hexdigest()[:20] + suffix
        path = self.folder / name
        self._write(path, signal.data if packed else self._converted(signal.data))
        return Shard(
            name=recording.name,
            file=name,
            sha256=_sha256(path),
            n_bytes=path.stat().st_size,
            ch_names=signal.ch_names,
            n_samples=signal.data.shape[1],
            subject=recording.subject,
            session=recording.session,
            stretches=signal.stretches,
            simulated=recording.simulated,
            notes=signal.notes,
        )

    def _converted(self, data: NDArray[np.float32]) -> NDArray[np.floating]:
        dtype = np.dtype(self._index.storage.dtype)
        limit = np.finfo(dtype).max
        return np.clip(data, -limit, limit).astype(dtype)

    def _write(self, path: Path, content: bytes | NDArray[np.floating]) -> None:
        try:
            if isinstance(content, bytes):
                atomic_write(path, content)
                return
            with atomic_path(path) as temporary, temporary.open("wb") as file:
                if path.suffix == ".npz":
                    packed = pack_signal(content)
                    np.savez_compressed(
                        file, weights=packed["weights"], low=packed["low"], high=packed["high"]
                    )
                else:
                    np.save(file, content, allow_pickle=False)
        except WriteError as error:
            raise OperationError(
                f"{error} What the store at {self.folder} holds so far is whole, and the same "
                "command goes on from there."
            ) from error


def _read_index(path: Path) -> _Index:
    try:
        return _Index.model_validate_json(path.read_bytes())
    except ValidationError as error:
        raise InputError(
            "The index of the store is not valid",
            value=f"{path}: {error.errors()[0]['msg']}",
            remedy="Delete it to make the store anew, or choose another folder with --store.",
        ) from error


def _stamp(source: Source, amplifier: AmplifierProfile | None) -> str:
    """Tell whether a file is still the same and read the same way; data sets do not change."""
    path = Path(source.name)
    if not path.is_file():
        return ""
    stats = [one.stat() for one in (path, *companions(path))]
    told = [f"{one.st_size} bytes, modified {one.st_mtime_ns}" for one in stats]
    if amplifier is not None and (said := amplifier.model_dump_json(exclude_defaults=True)) != "{}":
        told.append(f"read as {said}")
    return "; ".join(told)


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
