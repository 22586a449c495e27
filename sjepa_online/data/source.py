"""The SOURCE of the command line: files, globs, MOABB's data sets, the sample, simulations."""

from __future__ import annotations

import glob
import logging
import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from sjepa_online.data.recording import Recording
from sjepa_online.data.split_files import later_parts
from sjepa_online.errors import InputError
from sjepa_online.files import is_file, path_error, user_path
from sjepa_online.protocol import load_protocol
from sjepa_online.validation import check_type

if TYPE_CHECKING:
    from sjepa_online.amplifier import AmplifierProfile

logger = logging.getLogger(__name__)

SUFFIXES = (".fif", ".edf", ".bdf", ".gdf", ".vhdr", ".set", ".xdf")
GRAMMAR = (
    f"A SOURCE is a file or a glob ({' '.join(SUFFIXES)}), "
    "moabb:DATASET:SUBJECT[:SESSION[:RUN]], lee2019:PARADIGM:SUBJECT[:SESSION], "
    "sample or sample:SESSION, simulated:PROTOCOL:SUBJECT[:SESSION]; SUBJECT may be a range "
    "such as 1-40."
)
LEE2019_PARADIGMS = ("ssvep", "erp", "mi")
LEE2019_SESSIONS = (1, 2)
SAMPLE_FOLDER = Path(__file__).resolve().parent / "sample"


@dataclass(frozen=True)
class Source:
    """One file, or one subject of a data set, that is known but not read yet.

    Parameters
    ----------
    name : str
        Path, or place in a data set.
    read : callable
        Reads the recordings, one at a time.
    """

    name: str
    read: Callable[[], Iterator[Recording]]


def expand_sources(texts: Iterable[str], profile: AmplifierProfile | None = None) -> list[Source]:
    """Find what each SOURCE stands for, without reading any recording.

    A glob's files come in natural order (run 2 before run 10). Of a recording that MNE split over
    several .fif files only the first part is kept, as the others are read with it.

    Parameters
    ----------
    texts : iterable of str
        The SOURCEs.
    profile : AmplifierProfile, optional
        What is known of files beside what they say: channels, unit, events.

    Raises
    ------
    InputError
        A SOURCE breaks the grammar, stands for nothing, or for what another stands for too.
    """
    sources = [source for text in texts for source in _expand(text, profile)]
    refuse_repetition(source.name for source in sources)
    later = later_parts([Path(source.name) for source in sources])
    return [source for source in sources if Path(source.name) not in later]


def refuse_repetition(names: Iterable[str]) -> None:
    """Refuse recordings of which one is given twice.

    Parameters
    ----------
    names : iterable of str
        Of sources or recordings; a file may be written as a relative and as an absolute path.

    Raises
    ------
    InputError
        Two names stand for the same recording.
    """
    by_place: dict[str, list[str]] = {}
    for name in names:
        place = str(Path(name).resolve()) if Path(name).exists() else name
        by_place.setdefault(place, []).append(name)
    twice = sorted({name for same in by_place.values() if len(same) > 1 for name in same})
    if twice:
        raise InputError(
            "A recording is given more than once",
            value=f"twice: {', '.join(twice)}",
            remedy="Leave out one of the sources that overlap.",
        )


def iter_sources(
    texts: Iterable[str],
    on_broken: Callable[[str, InputError], None] | None = None,
    profile: AmplifierProfile | None = None,
) -> Iterator[Recording]:
    """Read the recordings of several SOURCEs, one in memory at a time.

    Parameters
    ----------
    texts : iterable of str
        The SOURCEs.
    on_broken : callable, optional
        Called with the name and the error of a file or subject that cannot be read, which
        is then left out. Without it the error is raised.
    profile : AmplifierProfile, optional
        See :func:`expand_sources`.

    Raises
    ------
    InputError
        See :func:`expand_sources`; or a recording cannot be read.
    """
    for source in expand_sources(texts, profile):
        try:
            for recording in source.read():
                for note in recording.notes:
                    logger.warning("%s", note)
                yield recording
        except InputError as error:
            if on_broken is None:
                raise
            on_broken(source.name, error)


def load_sources(texts: Iterable[str], profile: AmplifierProfile | None = None) -> list[Recording]:
    """Read all recordings of several SOURCEs; the errors are those of :func:`iter_sources`."""
    recordings = list(iter_sources(texts, profile=profile))
    # a subject of a data set and one of its sessions are two sources, with recordings in common
    refuse_repetition(name for recording in recordings for name in recording.files)
    return recordings


def load_source(text: str, profile: AmplifierProfile | None = None) -> list[Recording]:
    """Read all recordings of one SOURCE; the errors are those of :func:`iter_sources`."""
    return load_sources([text], profile)


def load_recording(text: str | Path, profile: AmplifierProfile | None = None) -> Recording:
    """Read the one recording of a SOURCE, such as a file.

    Parameters
    ----------
    text : str or Path
        A SOURCE: a file, ``sample:1``, ``moabb:DATASET:SUBJECT:SESSION:RUN``, ...
    profile : AmplifierProfile, optional
        See :func:`expand_sources`.

    Returns
    -------
    Recording

    Raises
    ------
    InputError
        As for :func:`iter_sources`, or the source holds more recordings than one.
    """
    if not isinstance(text, Path):
        check_type("The SOURCE", text, str, "Give the path of a file, or sample:1, ...")
    recordings = load_source(str(text), profile)
    if len(recordings) > 1:
        raise InputError(
            f"{text} holds more than one recording",
            value=", ".join(recording.name for recording in recordings),
            remedy="Name one of them, or read all with load_sources.",
        )
    return recordings[0]


def natural_key(text: str) -> tuple[tuple[int, str], ...]:
    """Return a sorting key by which ``run-2`` comes before ``run-10``."""
    return tuple(
        (int(part), "") if part.isdecimal() else (-1, part) for part in re.split(r"(\d+)", text)
    )


def _expand(text: str, profile: AmplifierProfile | None) -> list[Source]:
    kind, *fields = text.split(":")
    if kind == "moabb":
        return _moabb_sources(text, fields)
    if kind == "lee2019":
        return _lee2019_sources(text, fields)
    if kind == "sample":
        return _sample_sources(text, fields)
    if kind == "simulated":
        return _simulated_sources(text, fields)
    return [_file_source(path, profile) for path in _find_files(text)]


def _file_source(path: Path, profile: AmplifierProfile | None = None) -> Source:
    def read() -> Iterator[Recording]:
        from sjepa_online.amplifier import AS_DECLARED

        described = profile or AS_DECLARED
        # a reader is imported when it is needed: a name that is wrong is told at once
        if path.suffix.lower() == ".xdf":
            from sjepa_online.data.xdf_reader import read_xdf_file

            yield read_xdf_file(path, described)
        else:
            from sjepa_online.data.mne_reader import read_mne_file

            yield read_mne_file(path, described)

    return Source(str(path), read)


def _find_files(text: str) -> list[Path]:
    pattern = str(user_path(text)) if text else ""
    if is_file(Path(pattern)):  # before globbing: a file's own name may hold brackets
        paths = [Path(pattern)]
    else:
        matches = sorted(glob.glob(pattern, recursive=True), key=natural_key)  # noqa: PTH207
        paths = [Path(match) for match in matches if is_file(Path(match))]
    if not paths:
        raise _nothing_there(text, Path(pattern))
    unknown = [str(path) for path in paths if path.suffix.lower() not in SUFFIXES]
    if unknown:
        raise InputError(
            f"The format of this file is none of {' '.join(SUFFIXES)}",
            value=", ".join(unknown),
            remedy="Choose other files, or export these to .edf or .fif.",
        )
    for path in paths:
        _check_name(path)
    return paths


def _nothing_there(text: str, path: Path) -> InputError:
    """Return what to tell of a text that stands for no file."""
    is_folder = bool(text) and path.is_dir()
    try:
        within = list(path.iterdir()) if is_folder else []
    except OSError as error:
        return path_error(path, error)
    files = next((f"*{one.suffix}" for one in within if one.suffix in SUFFIXES), "**/*.edf")
    return InputError(
        "The SOURCE stands for no recording",
        value=f"{text!r} is a folder" if is_folder else f"nothing matches {text!r}",
        remedy=f'Give a glob such as "{text}/{files}".' if is_folder else GRAMMAR,
    )


def _check_name(path: Path) -> None:
    """Refuse a name that is no text: decoders and tables could not hold it."""
    try:
        str(path).encode()
    except UnicodeEncodeError as error:
        raise InputError(
            "The path of the recording is no text in UTF-8",
            value=str(path).encode(errors="backslashreplace").decode(),
            remedy="Rename the file or the folder.",
        ) from error


def _moabb_sources(text: str, fields: list[str]) -> list[Source]:
    if not 2 <= len(fields) <= 4 or not all(fields):
        raise _grammar_error(text)
    from sjepa_online.data.moabb_reader import make_dataset, read_moabb

    dataset_name, subjects, session, run = (*fields, "", "")[:4]
    dataset = make_dataset(dataset_name)
    return [
        Source(
            ":".join(filter(None, ("moabb", dataset_name, str(subject), session, run))),
            partial(
                read_moabb,
                dataset,
                subject,
                name=f"moabb:{dataset_name}:{subject}",
                session=session,
                run=run,
            ),
        )
        for subject in _subjects(text, subjects)
    ]


def _lee2019_sources(text: str, fields: list[str]) -> list[Source]:
    if not 2 <= len(fields) <= 3 or fields[0] not in LEE2019_PARADIGMS:
        raise _grammar_error(text)
    paradigm, subjects = fields[:2]
    sessions = [str(session) for session in LEE2019_SESSIONS]
    if len(fields) == 3:
        if fields[2] not in sessions:
            raise _grammar_error(text)
        sessions = [fields[2]]
    from sjepa_online.data.moabb_reader import make_lee2019, read_moabb

    prefix = f"lee2019:{paradigm}"
    datasets = {session: make_lee2019(paradigm, int(session)) for session in sessions}
    return [
        Source(
            f"{prefix}:{subject}:{session}",
            partial(read_moabb, datasets[session], subject, name=f"{prefix}:{subject}"),
        )
        for subject in _subjects(text, subjects)
        for session in sessions
    ]


def _sample_sources(text: str, fields: list[str]) -> list[Source]:
    paths = sorted(SAMPLE_FOLDER.glob("*.edf"))
    if fields:
        paths = [path for path in paths if f"_ses-{fields[0]}_" in path.name]
    if len(fields) > 1 or not paths:
        raise InputError(
            "The sample has no such session, only 1, 2 and 3",
            value=text,
            remedy="Write sample for all of them, or sample:1, sample:2 or sample:3.",
        )
    return [_file_source(path) for path in paths]


def _simulated_sources(text: str, fields: list[str]) -> list[Source]:
    if not 2 <= len(fields) <= 3:
        raise _grammar_error(text)
    protocol_name, subjects, session = (*fields, "1")[:3]
    if not session.isdecimal() or session == "0":
        raise _grammar_error(text)
    protocol = load_protocol(protocol_name)

    def read(name: str, subject: int) -> Iterator[Recording]:
        from sjepa_online.data.simulated import simulate_session

        yield simulate_session(protocol, subject, int(session), name)

    names = {
        f"simulated:{protocol_name}:{subject}:{session}": subject
        for subject in _subjects(text, subjects)
    }
    return [Source(name, partial(read, name, subject)) for name, subject in names.items()]


def _subjects(text: str, field: str) -> list[int]:
    found = re.fullmatch(r"(\d+)(?:-(\d+))?", field)
    if found is None:
        raise _grammar_error(text)
    first = int(found.group(1))
    last = int(found.group(2) or first)
    if last < first:
        raise _grammar_error(text)
    return list(range(first, last + 1))


def _grammar_error(text: str) -> InputError:
    return InputError("This SOURCE cannot be read", value=text, remedy=GRAMMAR)
