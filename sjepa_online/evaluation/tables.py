"""Results as tables that any program reads."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping, Sequence
from pathlib import Path

from sjepa_online.files import atomic_write
from sjepa_online.foreign_text import csv_cell

Row = Mapping[str, object]


def write_csv(path: Path, rows: Sequence[Row]) -> None:
    """Write rows of the same columns as CSV (UTF-8, one header line), atomically.

    Parameters
    ----------
    path : Path
        The file.
    rows : sequence of mapping
        One mapping of column to value for each row.

    Raises
    ------
    InputError
        The folder does not exist or cannot be written.
    """
    text = io.StringIO()
    writer = csv.DictWriter(text, list(rows[0]), lineterminator="\n")
    writer.writeheader()
    writer.writerows({name: csv_cell(value) for name, value in row.items()} for row in rows)
    atomic_write(path, text.getvalue().encode())
