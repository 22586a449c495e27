"""Recordings from the data sets of MOABB, Lee2019 among them."""

from __future__ import annotations

import contextlib
import difflib
import inspect
import os
from collections.abc import Iterator
from types import ModuleType
from typing import Any

import mne

from sjepa_online.data.mne_reader import recording_from_raw
from sjepa_online.data.reading import UNREADABLE, one_line
from sjepa_online.data.recording import Recording
from sjepa_online.errors import InputError

_PROVIDER = "MOABB_DOWNLOAD_PROVIDER"


def make_dataset(dataset_name: str) -> Any:
    """Return an object of a data set's class in ``moabb.datasets``.

    Parameters
    ----------
    dataset_name : str
        A class of ``moabb.datasets``, such as ``BNCI2014_001``.

    Returns
    -------
    moabb.datasets.base.BaseDataset

    Raises
    ------
    InputError
        MOABB is not installed or has no such data set.
    """
    datasets = _moabb_datasets()
    classes = {
        name: found
        for name, found in inspect.getmembers(datasets, inspect.isclass)
        if issubclass(found, datasets.base.BaseDataset)
    }
    if dataset_name not in classes:
        close = difflib.get_close_matches(dataset_name, classes, n=3)
        raise InputError(
            "MOABB has no data set of this name",
            value=dataset_name,
            remedy=f"Did you mean {' or '.join(close)}?"
            if close
            else "MOABB's documentation lists the names.",
        )
    return classes[dataset_name]()


def make_lee2019(paradigm: str, session: int) -> Any:
    """Return MOABB's Lee2019 for one paradigm ("ssvep", "erp", "mi") and one session.

    One session alone, so that MOABB neither needs nor downloads the file of the other.

    Parameters
    ----------
    paradigm : {"ssvep", "erp", "mi"}
        Steady-state potentials, the speller, or motor imagery.
    session : {1, 2}
        The day of recording.

    Returns
    -------
    moabb.datasets.base.BaseDataset
    """
    dataset_class = getattr(_moabb_datasets(), f"Lee2019_{paradigm.upper()}")
    return dataset_class(sessions=(session,))


def read_moabb(
    dataset: Any, subject: int, *, name: str, session: str = "", run: str = ""
) -> Iterator[Recording]:
    """Read one subject through MOABB, which downloads what its cache lacks.

    Events carry MOABB's names (``dataset.event_id``) and start where MOABB's trials do.

    Parameters
    ----------
    dataset : moabb.datasets.base.BaseDataset
        The data set.
    subject : int
        One of ``dataset.subject_list``.
    name : str
        Start of the recordings' names; session and run follow.
    session, run : str
        Only these; all when empty.

    Yields
    ------
    Recording
        One for each run, in the order of MOABB.

    Raises
    ------
    InputError
        There is no such subject, session or run, or its files cannot be read or downloaded.
    """
    if subject not in dataset.subject_list:
        first, last = min(dataset.subject_list), max(dataset.subject_list)
        raise InputError(
            f"{dataset.code} has no such subject",
            value=subject,
            remedy=f"Its subjects are {first} to {last}.",
        )
    try:
        with upstream_unless_chosen(), mne.use_log_level("error"):
            sessions = dataset.get_data([subject])[subject]
    except UNREADABLE as error:
        raise InputError(
            f"MOABB can neither find nor download subject {subject} of {dataset.code}",
            value=one_line(error),
            remedy="Check the network and the space on the disk, and delete a damaged file "
            f"from MOABB's cache; {_PROVIDER}=nemar makes MOABB use its mirror.",
        ) from error
    for session_name in _chosen(sessions, session, f"{name}: session"):
        runs = sessions[session_name]
        for run_name in _chosen(runs, run, f"{name}:{session_name}: run"):
            yield recording_from_raw(
                runs[run_name],
                name=f"{name}:{session_name}:{run_name}",
                subject=str(subject),
                session=session_name,
                run=run_name,
            )


def _moabb_datasets() -> ModuleType:
    try:
        import moabb.datasets
    except ImportError as error:
        raise InputError(
            "The extra moabb, which its data sets need, is not installed",
            value=str(error),
            remedy='Run in the folder of sjepa-online: pip install -c constraints.txt ".[moabb]"',
        ) from error
    datasets: ModuleType = moabb.datasets
    return datasets


def _chosen(there: dict[str, Any], wanted: str, what: str) -> list[str]:
    if not wanted:
        return list(there)
    if wanted in there:
        return [wanted]
    raise InputError(
        "The data set has no such session or run",
        value=f"{what} {wanted}",
        remedy=f"There are: {', '.join(there) or 'none'}.",
    )


@contextlib.contextmanager
def upstream_unless_chosen() -> Iterator[None]:
    """Keep MOABB from asking its mirror for files that its cache already holds.

    Yields
    ------
    None
        Within the block MOABB asks the original servers, unless the user has chosen others.
    """
    if mne.get_config(_PROVIDER) is not None:
        yield
        return
    os.environ[_PROVIDER] = "upstream"
    try:
        yield
    finally:
        del os.environ[_PROVIDER]
