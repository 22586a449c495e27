"""What MNE does not tell of EDF and BDF files: units as written, and pauses in EDF+D."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

_FIXED = 256
_ANNOTATIONS = ("EDF Annotations", "BDF Annotations")


@dataclass(frozen=True)
class EdfHeader:
    """The header of an EDF or BDF file.

    Attributes
    ----------
    labels, units : tuple of str
        Of each signal but annotations, as written.
    n_records : int
        Records that the header tells; -1 where a recording was not ended.
    record_seconds : float
    record_onsets : array, shape (n_whole_records,), or None
        When each record begins (s after the first one) in a file with pauses; None in others.
    """

    labels: tuple[str, ...]
    units: tuple[str, ...]
    n_records: int
    record_seconds: float
    record_onsets: npt.NDArray[np.float64] | None

    def place(self, time: float) -> float | None:
        """Return where in the samples (s) a time of the file lies; None within a pause.

        Parameters
        ----------
        time : float
            Seconds after the beginning of the first record.

        Returns
        -------
        float or None
            Seconds of samples before that time, pauses not counted.
        """
        if self.record_onsets is None:
            return time
        record = int(np.searchsorted(self.record_onsets, time + 1e-9, side="right")) - 1
        if record < 0:
            return None
        within = time - float(self.record_onsets[record])
        return None if within >= self.record_seconds else record * self.record_seconds + within

    @property
    def pauses(self) -> list[float]:
        """Places in the samples (s) at which a pause lies."""
        if self.record_onsets is None:
            return []
        steps = np.diff(self.record_onsets) - self.record_seconds
        return [float(one) * self.record_seconds for one in np.flatnonzero(steps > 1e-3) + 1]


def read_edf_header(path: Path) -> EdfHeader:
    """Read the header of an EDF or BDF file, and the onsets of its records where it has pauses.

    Parameters
    ----------
    path : Path
        A file ``.edf`` or ``.bdf``.

    Returns
    -------
    EdfHeader

    Raises
    ------
    ValueError, OSError
        The file is damaged.
    """
    with path.open("rb") as file:
        fixed = file.read(_FIXED)
        n_signals = int(fixed[252:256])
        signals = file.read(_FIXED * n_signals)
    if len(signals) < _FIXED * n_signals:
        raise ValueError("the header is cut off")
    labels = _column(signals, n_signals, 0, 16)
    units = _column(signals, n_signals, 96, 8)
    n_samples = [int(one) for one in _column(signals, n_signals, 216, 8)]
    record_seconds = float(fixed[244:252])
    onsets = None
    if fixed[192:197] in (b"EDF+D", b"BDF+D"):
        width = 3 if fixed[:1] == b"\xff" else 2
        onsets = _record_onsets(path, labels, [width * n for n in n_samples])
    kept = [index for index, label in enumerate(labels) if label not in _ANNOTATIONS]
    return EdfHeader(
        tuple(labels[index] for index in kept),
        tuple(units[index] for index in kept),
        int(fixed[236:244]),
        record_seconds,
        onsets,
    )


def _column(signals: bytes, n_signals: int, offset: int, width: int) -> list[str]:
    start = offset * n_signals
    fields = (signals[start + k * width : start + (k + 1) * width] for k in range(n_signals))
    return [_text(field).strip() for field in fields]


def _text(field: bytes) -> str:
    # the standard wants ASCII; both of these are in use for the micro sign
    try:
        return field.decode("utf-8")
    except UnicodeDecodeError:
        return field.decode("latin-1")


def _record_onsets(
    path: Path, labels: list[str], n_bytes: list[int]
) -> npt.NDArray[np.float64] | None:
    """Read the onset with which the annotations of each record begin."""
    marked = [index for index, label in enumerate(labels) if label in _ANNOTATIONS]
    if not marked:
        return None
    size, offset = sum(n_bytes), sum(n_bytes[: marked[0]])
    begin = _FIXED * (len(labels) + 1)
    n_records = (path.stat().st_size - begin) // size
    onsets = np.empty(n_records)
    with path.open("rb") as file:
        for record in range(n_records):
            file.seek(begin + record * size + offset)
            onsets[record] = float(file.read(n_bytes[marked[0]]).split(b"\x14", 1)[0])
    return onsets - onsets[0] if n_records else None
