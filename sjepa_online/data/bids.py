"""Recordings as a BIDS data set, through mne-bids."""

from __future__ import annotations

import csv
import re
import warnings
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from types import ModuleType
from typing import Any

import mne
import numpy as np

from sjepa_online.data.reading import SIMULATED
from sjepa_online.data.recording import Recording
from sjepa_online.errors import InputError
from sjepa_online.signal.montage import MNE_MONTAGE, resolve_channel_names
from sjepa_online.signal.units import microvolt_factor

#: What MNE calls a place where parts were joined.
BREAK = "BAD boundary"

_ENTITY = re.compile(r"[A-Za-z0-9]+")
_PLACEMENT = (
    "Electrodes of the 10-05 system, known by their names; positions are those of a template "
    "head, not measured on this participant."
)


def raw_from_recording(recording: Recording) -> mne.io.RawArray:
    """Give a recording to MNE: EEG in volts, template positions, events as annotations.

    Breaks become annotations ``BAD boundary``; MNE has no reader of XDF files, so this is the
    way of an XDF recording into MNE.

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
        digits, a channel has no known electrode's name, or the recording is there already.
    """
    mne_bids = _mne_bids()
    _check_entities(subject=subject, session=session, task=task)
    path = mne_bids.BIDSPath(
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
    if path.fpath.exists() and not overwrite:
        raise InputError(
            "A recording of a BIDS data set is not replaced unasked",
            value=str(path.fpath),
            remedy="Choose another subject, session, task or root, or add --overwrite.",
        )
    raw = raw_from_recording(recording)
    raw.info["line_freq"] = line_frequency
    with mne.utils.catch_logging(), warnings.catch_warnings():
        # float32 in µV is what was recorded; pybv tells that other software prefers integers
        warnings.simplefilter("ignore", RuntimeWarning)
        if not (root / "dataset_description.json").exists():
            # mne-bids would write "[Unspecified]"
            mne_bids.make_dataset_description(path=root, name=root.resolve().name, verbose="error")
        written = mne_bids.write_raw_bids(
            raw,
            path,
            format="BrainVision",
            allow_preload=True,
            overwrite=overwrite,
            verbose="error",
        )
        _describe(mne_bids, written, recording)
    return Path(written.fpath)


def bids_annotations(path: Path) -> mne.Annotations | None:
    """Return the events of a recording's ``events.tsv``, None where there is none.

    In a BIDS data set the labels stand there; the recording itself may hold codes only.

    Parameters
    ----------
    path : Path
        The recording, named ``*_eeg.*``.
    """
    events = path.with_name(f"{path.stem.removesuffix('_eeg')}_events.tsv")
    if not path.stem.endswith("_eeg") or not events.is_file():
        return None
    with events.open(encoding="utf-8-sig", newline="") as file:
        rows = [row for row in csv.DictReader(file, delimiter="\t") if "trial_type" in row]
    onsets = [float(row["onset"]) for row in rows]
    return mne.Annotations(onsets, 0.0, [row["trial_type"] for row in rows])


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
                f"The {name} of a BIDS data set consists of letters and digits",
                value=repr(value),
                remedy="Leave out anything else.",
            )


def _mne_bids() -> ModuleType:
    missing = [name for name in ("mne_bids", "pybv") if find_spec(name) is None]
    if missing:
        raise InputError(
            "An export to BIDS needs the bids extra",
            value=f"{' and '.join(missing)} not installed",
            remedy='Run: pip install "sjepa-online[bids]"',
        )
    return import_module("mne_bids")
