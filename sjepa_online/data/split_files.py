"""Recordings that MNE split over several .fif files, as a file holds 2 GB."""

from __future__ import annotations

import re
import warnings
from collections.abc import Sequence
from pathlib import Path

#: What MNE adds to the name of a later part: ``run_raw-1.fif``, ``run_split-02_raw.fif``.
_NUMBER = re.compile(r"(?P<before>.*)(?:-\d+$|_split-\d+(?P<after>.*))", re.DOTALL)


def later_parts(paths: Sequence[Path]) -> set[Path]:
    """Return those of some files that are read with another of them, of which they are parts.

    Names tell which files may belong together; whether they do, the files themselves.

    Parameters
    ----------
    paths : sequence of Path
        Recordings of any format.

    Returns
    -------
    set of Path
        Empty where every file stands for itself.
    """
    together: dict[Path, list[Path]] = {}
    for path in paths:
        if path.suffix.lower() == ".fif":
            together.setdefault(_whole(path), []).append(path)
    found: set[Path] = set()
    for parts in together.values():
        for first in parts if len(parts) > 1 else ():
            read_with = {part.resolve() for part in _following(first)}
            found.update(part for part in parts if part.resolve() in read_with)
    return found


def _whole(path: Path) -> Path:
    """Return the name of a recording without the number of its part."""
    found = _NUMBER.fullmatch(path.stem)
    stem = path.stem if found is None else found["before"] + (found["after"] or "")
    return path.resolve().with_name(f"{stem}.fif")


def _following(path: Path) -> list[Path]:
    """Return the parts that MNE reads after this one."""
    # heavy, and names alone seldom ask for it
    import mne

    from sjepa_online.data.reading import UNREADABLE

    try:
        with mne.utils.catch_logging(), warnings.catch_warnings():
            # what is to be said of the file is said when it is read
            warnings.simplefilter("ignore")
            raw = mne.io.read_raw_fif(path, verbose="error")
    except UNREADABLE:
        return []
    return [Path(name) for name in raw.filenames[1:] if name is not None]
