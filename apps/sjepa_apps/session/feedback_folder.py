"""The folder of a run with feedback: its recording and its results."""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Callable, Sequence
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from sjepa_online.errors import InputError
from sjepa_online.files import atomic_write
from sjepa_online.foreign_text import csv_cell

if TYPE_CHECKING:
    from sjepa_apps.session.free_spelling import FreeText
    from sjepa_apps.session.selections import Selection

RESULTS, TABLE = "results.json", "results.csv"
_PART = re.compile(r"feedback_part-(\d+)\.xdf")
_COLUMNS = ("trial", "target", "selected", "correct", "seconds", "time")


class FeedbackFolder:
    """Where a run with feedback goes.

    Parameters
    ----------
    path : Path
        Made where it does not exist.
    document : callable
        Gives the results of selections as a JSON document.

    Raises
    ------
    InputError
        The folder exists and is not empty, or cannot be made.
    """

    def __init__(
        self, path: Path, document: Callable[[Sequence[Selection]], dict[str, object]]
    ) -> None:
        self.path = path
        self._document = document
        if path.exists() and (not path.is_dir() or any(path.iterdir())):
            raise InputError(
                "The folder for the run is not empty",
                value=path,
                remedy="Choose another --folder.",
            )
        try:
            path.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise InputError(
                "The folder for the run cannot be made",
                value=f"{path} ({error.strerror})",
                remedy="Choose another --folder, or leave out the recording with --no-recording.",
            ) from error

    def next_part(self) -> Path:
        """Name the part of the recording that comes next."""
        numbers = [
            int(found.group(1))
            for one in self.path.iterdir()
            if (found := _PART.fullmatch(one.name))
        ]
        return self.path / f"feedback_part-{max(numbers, default=0) + 1}.xdf"

    def write(self, selections: Sequence[Selection], free: FreeText | None) -> None:
        """Write all results so far, as JSON and as a table.

        Parameters
        ----------
        selections : sequence of Selection
        free : FreeText or None
            What was spelled freely.
        """
        document = self._document(selections) | ({"text": free.text} if free else {})
        text = json.dumps(document, indent=2, ensure_ascii=False, allow_nan=False)
        atomic_write(self.path / RESULTS, f"{text}\n".encode())
        table = io.StringIO()
        writer = csv.writer(table)
        writer.writerow(_COLUMNS)
        for number, one in enumerate(selections, start=1):
            correct = one.correct if one.target else ""
            row = (number, one.target, one.selected, correct, one.seconds, round(one.time, 3))
            writer.writerow([csv_cell(cell) for cell in row])
        atomic_write(self.path / TABLE, table.getvalue().encode())


def new_folder(decoder: Path) -> Path:
    """Name the folder of a run, beside the decoder."""
    return decoder.parent / f"feedback_{datetime.now():%Y-%m-%d_%H-%M-%S}"
