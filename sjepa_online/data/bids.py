"""Recordings as a BIDS data set, through mne-bids."""

from __future__ import annotations

import csv
import math
import re
import warnings
from collections.abc import Iterable
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from types import ModuleType
from typing import Any

import mne
import numpy as np

from sjepa_online.data.reading import BREAK, SIMULATED, bids_table
from sjepa_online.data.recording import Recording
from sjepa_online.errors import InputError
from sjepa_online.signal.montage import MNE_MONTAGE, resolve_channel_names
from sjepa_online.signal.units import microvolt_factor

#: What a cell of a BIDS table without a value holds.
NOT_SAID = "n/a"

_ENTITY = re.compile(r"[A-Za-z0-9]+")
_PLACEMENT = (
    "Electrodes of the 10-05 system, known by their names; positions are those of a template "
    "head, not measured on this participant."
)


def raw_from_recording(recording: Recording) -> mne.io.RawArray:
    """Give a recording to MNE: EEG in volts, template positions, events as annotations.

    Breaks become annotations ``BAD boundary``; MNE has no reader of XDF files, so this is the
    way of an XDF recording into MNE.

    Parameters
    ----------
    recording : Recording
        In any unit of voltage.

    Returns
    -------
    mne.io.RawArray
        Its bad channels are those of the recording.

    Raises
    ------
    InputError
        A channel's name is no electrode's.
    """
    names = resolve_channel_names(recording.ch_names)
    info = mne.create_info(names, recording.sfreq, "eeg")
    volts = recording.data * (1e-6 * microvolt_factor(recording.unit))
    raw = mne.io.RawArray(volts.astype(np.float64), info, verbose="error")
    raw.set_montage(mne.channels.make_standard_montage(MNE_MONTAGE), verbose="error")
    raw.info["bads"] = resolve_channel_names(recording.bad)
    onsets = [*recording.onsets, *recording.breaks]
    labels = [*recording.labels, *([BREAK] * len(recording.breaks))]
    raw.set_annotations(mne.Annotations(onsets, 0.0, labels), verbose="error")
    return raw


def write_bids(
    recording: Recording,
    root: Path,
    *,
    subject: str,
    task: str,
    session: str | None = None,
    run: int | None = None,
    line_frequency: float | None = None,
    overwrite: bool = False,
) -> Path:
    """Add a recording to a BIDS data set as BrainVision files.

    A recording of no person gets ``acq-simulated`` in its name, and its description says so.

    Parameters
    ----------
    recording : Recording
    root : Path
        Folder of the data set; made where there is none.
    subject, task : str
        Letters and digits.
    session : str, optional
        Letters and digits.
    run : int, optional
        Where one task was recorded in several runs.
    line_frequency : float, optional
        Of the mains (Hz); told as unknown otherwise.
    overwrite : bool
        Replace a recording of the same name.

    Returns
    -------
    Path
        The header file (``.vhdr``).

    Raises
    ------
    InputError
        The extra ``bids`` is not installed, an entity has other characters than letters and
        digits, a channel has no known electrode's name, the recording is there already, or the
        folder cannot be written.
    """
    mne_bids = _mne_bids()
    path = bids_path(recording, root, subject=subject, task=task, session=session, run=run)
    if not overwrite:
        refuse_replacement([path])
    raw = raw_from_recording(recording)
    raw.info["line_freq"] = line_frequency
    if list(path.directory.glob("*_electrodes.tsv")):
        # one table holds for all recordings of a session; another montage would contradict it, and
        # positions of a template head are no loss
        raw.set_montage(None, verbose="error")
    try:
        with mne.utils.catch_logging(), warnings.catch_warnings():
            # float32 in µV is what was recorded; pybv tells that other software prefers integers
            warnings.simplefilter("ignore", RuntimeWarning)
            if not (root / "dataset_description.json").exists():
                # mne-bids would write "[Unspecified]"
                name = root.resolve().name
                mne_bids.make_dataset_description(path=root, name=name, verbose="error")
            written = mne_bids.write_raw_bids(
                raw,
                path,
                format="BrainVision",
                allow_preload=True,
                overwrite=overwrite,
                verbose="error",
            )
            _describe(mne_bids, written, recording)
    except OSError as error:
        raise InputError(
            "The folder of the BIDS data set cannot be made or written",
            value=f"{error.filename or root} ({error.strerror or error})",
            remedy="Choose another root.",
        ) from error
    return Path(written.fpath)


def bids_path(
    recording: Recording,
    root: Path,
    *,
    subject: str,
    task: str,
    session: str | None = None,
    run: int | None = None,
) -> Any:
    """Return where a recording stands in a BIDS data set; the parameters are :func:`write_bids`'.

    Parameters
    ----------
    recording : Recording
        Tells whether the signal is simulated, which its name says.
    root : Path
        Folder of the data set.
    subject, task : str
        Letters and digits.
    session : str, optional
        Letters and digits.
    run : int, optional
        Where one task was recorded in several runs.

    Returns
    -------
    mne_bids.BIDSPath
        Of the header file.

    Raises
    ------
    InputError
        The extra ``bids`` is not installed, or an entity has other characters than letters and
        digits.
    """
    mne_bids = _mne_bids()
    _check_entities(subject=subject, session=session, task=task)
    return mne_bids.BIDSPath(
        root=root,
        subject=subject,
        session=session,
        task=task,
        acquisition=SIMULATED if recording.simulated else None,
        run=None if run is None else f"{run:02d}",
        datatype="eeg",
        suffix="eeg",
        extension=".vhdr",
    )


def refuse_replacement(paths: Iterable[Any]) -> None:
    """Refuse to write where recordings of a BIDS data set are.

    Parameters
    ----------
    paths : iterable of mne_bids.BIDSPath
        Header files that are to be written.

    Raises
    ------
    InputError
        One of the header files is there.
    """
    there = [str(path.fpath) for path in paths if path.fpath.exists()]
    if there:
        raise InputError(
            "The BIDS data set holds this recording already",
            value=", ".join(there),
            remedy="Choose another subject, session, task or root, or add --overwrite.",
        )


def bids_annotations(path: Path, *, values: bool = True) -> mne.Annotations | None:
    """Return the events of a recording's ``events.tsv``.

    In a BIDS data set the labels stand there; the recording itself may hold codes only.

    Parameters
    ----------
    path : Path
        The recording, named ``*_eeg.*``.
    values : bool
        Whether a table that has only the column ``value`` is used.

    Returns
    -------
    annotations or None
        Onsets (s) count from the first sample; None where there is no such file, or none with
        the optional columns ``trial_type`` and ``value``. Where ``trial_type`` says nothing, as
        where it is the same in all rows or ``n/a``, the ``value`` tells.

    Raises
    ------
    InputError
        The file cannot be read, or an onset is no number; the message names the line.
    """
    table = bids_table(path, "events")
    rows = [] if table is None else _rows(table)
    columns = ("trial_type", "value") if values else ("trial_type",)
    if table is None or not any(column in row for _, row in rows for column in columns):
        return None
    onsets = [_onset(table, line, row.get("onset", "")) for line, row in rows]
    return mne.Annotations(onsets, 0.0, _event_labels([row for _, row in rows]))


def _event_labels(rows: list[dict[str, str]]) -> list[str]:
    types = [_said(row.get("trial_type")) for row in rows]
    values = [_said(row.get("value")) for row in rows]
    if len(set(types)) == 1 and len(set(values)) > 1:
        types = [""] * len(rows)
    return [kind or value or NOT_SAID for kind, value in zip(types, values, strict=True)]


def _said(cell: str | None) -> str:
    text = (cell or "").strip()
    return "" if text.lower() == NOT_SAID else text


def bids_channels(path: Path) -> list[tuple[str, str, str, str]]:
    """Return name, type, unit and status of the channels in a recording's ``channels.tsv``.

    Parameters
    ----------
    path : Path
        The recording, named ``*_eeg.*``.

    Returns
    -------
    list of tuple of str
        Types in lower case; empty text for what is not said.

    Raises
    ------
    InputError
        The file cannot be read.
    """
    table = bids_table(path, "channels")
    rows = [] if table is None else _rows(table)
    return [
        (
            row.get("name", "").strip(),
            _said(row.get("type")).lower(),
            _said(row.get("units")),
            _said(row.get("status")),
        )
        for _, row in rows
    ]


def _rows(table: Path) -> list[tuple[int, dict[str, str]]]:
    """Read a table of a BIDS data set: the line and the fields of each row."""
    try:
        with table.open(encoding="utf-8-sig", newline="") as file:
            reader = csv.DictReader(file, delimiter="\t", restval="")
            return [(reader.line_num, row) for row in reader]
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(
            "This table of the BIDS data set cannot be read as UTF-8",
            value=f"{table}: {error}",
            remedy="Save it again as tab-separated text in UTF-8.",
        ) from error


def _onset(table: Path, line: int, text: str) -> float:
    try:
        onset = float(text)
    except ValueError:
        onset = math.nan
    if not math.isfinite(onset):
        raise InputError(
            "An onset in the events.tsv is no number of seconds",
            value=f"{table}, line {line}: {text!r}",
            remedy="Correct the column onset.",
        )
    return onset


def _describe(mne_bids: ModuleType, path: Any, recording: Recording) -> None:
    """Say in the sidecar what was recorded, and where the positions come from."""
    told = "Brain-computer interface; events are the stimulus markers."
    if recording.simulated:
        told = f"SIMULATED: no person was recorded. {told}"
    described = {
        "TaskDescription": told,
        "EEGPlacementScheme": _PLACEMENT,
        # mne-bids takes the maker of the file format for that of the amplifier
        "Manufacturer": "n/a",
    }
    sidecar = path.copy().update(suffix="eeg", extension=".json")
    mne_bids.update_sidecar_json(sidecar, described, verbose="error")


def _check_entities(**entities: str | None) -> None:
    for name, value in entities.items():
        if value is not None and not _ENTITY.fullmatch(value):
            raise InputError(
                f"The {name} of the BIDS data set has other characters than letters and digits",
                value=repr(value),
                remedy="Leave out anything else.",
            )


def _mne_bids() -> ModuleType:
    missing = [name for name in ("mne_bids", "pybv") if find_spec(name) is None]
    if missing:
        raise InputError(
            "The extra bids, which exports need, is not installed",
            value=f"{' and '.join(missing)} not installed",
            remedy='Run in the folder of sjepa-online: pip install -c constraints.txt ".[bids]"',
        )
    return import_module("mne_bids")
