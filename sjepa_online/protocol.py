"""Protocols: the stimuli of a paradigm, their markers, and their decoding."""

from __future__ import annotations

import tomllib
from collections import Counter
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Annotated, Any, Literal, TypeVar

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from sjepa_online.errors import InputError
from sjepa_online.files import path_error
from sjepa_online.markers import NON_TARGET, TARGET, parse_marker
from sjepa_online.resources import find_resource

#: Sampling rate (Hz) of everything behind the preprocessor (paper: Datasets section).
MODEL_SFREQ = 128

Paradigm = Literal["ssvep", "erp", "mi"]
Electrodes = Literal["all", "cortex"]
# most problems that are told at once, and most bytes times lines in which their lines are found
_TOLD = 20
_SEARCHED = 4_000_000
T = TypeVar("T", bound=BaseModel)
Seconds = Annotated[float, Field(allow_inf_nan=False)]


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Window(_Part):
    """The part of the signal that is decoded, in seconds after a trial's marker."""

    start: Seconds = Field(ge=-1.0, le=10.0)
    length: Seconds = Field(ge=152 / MODEL_SFREQ, le=60.0)


class ClassSpecification(_Part):
    """A class: its name, other labels that recordings use for it, its stimulus frequency."""

    name: str = Field(min_length=1)
    aliases: tuple[str, ...] = ()
    frequency: float | None = Field(default=None, gt=0.0, lt=MODEL_SFREQ / 2)


class Flicker(_Part):
    """Stimuli of an SSVEP session: all targets flicker, and each trial cues one of them.

    Times in seconds. A class without a frequency is a target that does not flicker.
    """

    trials_per_class: int = Field(ge=1, le=1000)
    practice_trials: int = Field(ge=0, le=100)
    cue: Seconds = Field(gt=0.0, le=60.0)
    stimulation: Seconds = Field(gt=0.0, le=60.0)
    rest: Seconds = Field(gt=0.0, le=60.0)
    waveform: Literal["sinusoid", "square"] = "sinusoid"


class Imagery(_Part):
    """Stimuli of a motor imagery session: a fixation cross, a cue, a rest.

    Times in seconds; a rest lasts ``rest`` give or take up to ``rest_jitter``.
    """

    trials_per_class: int = Field(ge=1, le=1000)
    practice_trials: int = Field(ge=0, le=100)
    fixation: Seconds = Field(gt=0.0, le=60.0)
    imagery: Seconds = Field(gt=0.0, le=60.0)
    rest: Seconds = Field(gt=0.0, le=60.0)
    rest_jitter: Seconds = Field(default=0.0, ge=0.0, le=60.0)


class Speller(_Part):
    """Stimuli of an ERP session: a matrix of symbols that light up in groups.

    Times in seconds. ``rows`` holds the symbols of each row, one character a symbol; ``text``
    what is copied in calibration. In a sequence every symbol lights up twice, with its row and
    its column, or with two random groups of the same size. Online a symbol is decided before the
    last sequence once its probability reaches ``confidence``.
    """

    rows: tuple[str, ...] = Field(min_length=2, max_length=12)
    text: str = Field(min_length=1)
    practice_text: str = ""
    flashes: Literal["random-set", "row-column"] = "random-set"
    sequences: int = Field(ge=1, le=50)
    cue: Seconds = Field(gt=0.0, le=60.0)
    on: Seconds = Field(gt=0.0, le=2.0)
    between: Seconds = Field(gt=0.0, le=2.0)
    rest: Seconds = Field(gt=0.0, le=60.0)
    confidence: float = Field(default=0.95, ge=0.1, le=1.0)

    @property
    def symbols(self) -> str:
        """All symbols, row by row."""
        return "".join(self.rows)

    @property
    def groups_per_sequence(self) -> int:
        """Flashes of a sequence: as many as the matrix has rows and columns."""
        return len(self.rows) + len(self.rows[0])

    @property
    def lines(self) -> dict[str, str]:
        """Symbols of every row and column, by its name: ``row1``, ..., ``col1``, ..."""
        columns = ("".join(one) for one in zip(*self.rows, strict=True))
        named = {"row": self.rows, "col": columns}
        return {
            f"{kind}{number}": line
            for kind, lines in named.items()
            for number, line in enumerate(lines, start=1)
        }

    def lit(self, about: str) -> str:
        """Return the symbols that light up in a flash.

        Parameters
        ----------
        about : str
            What its marker names: the symbols, or, where rows and columns flash, ``row3`` or
            ``col5``.

        Returns
        -------
        str
        """
        return self.lines.get(about, about) if self.flashes == "row-column" else about

    def code(self, lit: str) -> str:
        """Return how a marker names a flash, which :meth:`lit` reads.

        Parameters
        ----------
        lit : str
            The symbols that light up.

        Returns
        -------
        str
            ``row3`` or ``col5`` where rows and columns flash, the symbols otherwise.
        """
        names = {line: name for name, line in self.lines.items()}
        return names.get(lit, lit) if self.flashes == "row-column" else lit

    @model_validator(mode="after")
    def _is_a_matrix(self) -> Speller:
        if len({len(row) for row in self.rows}) != 1 or len(self.rows[0]) < 2:
            raise ValueError("the rows differ in length, or have only one symbol")
        if len(set(self.symbols)) != len(self.symbols) or "/" in self.symbols:
            raise ValueError("a symbol stands in the matrix twice, or is '/'")
        unknown = sorted(set(self.text + self.practice_text) - set(self.symbols))
        if unknown:
            raise ValueError(f"the matrix lacks these symbols of the text: {' '.join(unknown)}")
        return self


#: The field of a protocol that tells what is shown, and its model, by paradigm.
_PRESENTATIONS = {"ssvep": "flicker", "mi": "imagery", "erp": "speller"}


class Protocol(_Part):
    """A calibration protocol, as a TOML file in ``calibration/`` describes it.

    The classes keep their order in every probability that a decoder gives. ``flicker``,
    ``imagery`` or ``speller`` tells what a session shows; without it the protocol serves
    recordings only. ``electrodes`` tells which electrodes are read: all, or those over the
    sensorimotor cortex only; without it, imagery is read from the cortex, all else from all.
    """

    name: str = Field(min_length=1)
    paradigm: Paradigm
    electrodes: Electrodes | None = None
    description: str = ""
    window: Window
    classes: tuple[ClassSpecification, ...] = Field(min_length=2)
    flicker: Flicker | None = None
    imagery: Imagery | None = None
    speller: Speller | None = None

    @model_validator(mode="after")
    def _presentation_suits_the_paradigm(self) -> Protocol:
        given = [field for field in _PRESENTATIONS.values() if getattr(self, field) is not None]
        if any(field != _PRESENTATIONS[self.paradigm] for field in given):
            raise ValueError(
                f"[{', '.join(given)}] does not suit {self.paradigm}, whose section is "
                f"[{_PRESENTATIONS[self.paradigm]}]"
            )
        if self.speller is not None and set(self.class_names) != {TARGET, NON_TARGET}:
            raise ValueError("the classes of this speller are not Target and NonTarget")
        return self

    @model_validator(mode="after")
    def _labels_are_unique(self) -> Protocol:
        labels = [label for spec in self.classes for label in {spec.name, *spec.aliases}]
        twice = sorted(label for label, count in Counter(labels).items() if count > 1)
        if twice:
            raise ValueError(f"these labels stand for more than one class: {', '.join(twice)}")
        if self.paradigm == "ssvep" and not self.frequencies:
            raise ValueError("an ssvep protocol needs the frequency of at least one class")
        return self

    @property
    def class_names(self) -> tuple[str, ...]:
        """Names of the classes in their order."""
        return tuple(spec.name for spec in self.classes)

    @property
    def reads(self) -> Electrodes:
        """Which electrodes are read where the montage has enough of them."""
        return self.electrodes or ("cortex" if self.paradigm == "mi" else "all")

    def reading(self, electrodes: Electrodes | None) -> Protocol:
        """Return the protocol for these electrodes.

        Parameters
        ----------
        electrodes : {"all", "cortex"} or None
            None changes nothing.

        Returns
        -------
        Protocol
        """
        return self.model_copy(update={"electrodes": electrodes}) if electrodes else self

    @property
    def frequencies(self) -> tuple[float, ...]:
        """Stimulus frequencies (Hz) of the classes that have one, in their order."""
        return tuple(spec.frequency for spec in self.classes if spec.frequency is not None)

    @property
    def n_times(self) -> int:
        """Length of the window in samples at 128 Hz."""
        return round(self.window.length * MODEL_SFREQ)

    @property
    def presentation(self) -> Flicker | Imagery | Speller | None:
        """The stimuli of a session; None where the protocol serves recordings only."""
        return self.flicker or self.imagery or self.speller

    def class_of(self, label: str) -> str | None:
        """Return the class that a recording's label stands for, None for any other label.

        A stimulus marker such as ``Target/ABC`` stands for the class of its first word; a
        marker of a practice trial for none.

        Parameters
        ----------
        label : str
            Label of an event in a recording.

        Returns
        -------
        str or None
        """
        marker = parse_marker(label)
        for spec in self.classes:
            names = (spec.name, *spec.aliases)
            if label in names or (marker.word in names and not marker.practice):
                return spec.name
        return None


def load_protocol(name_or_path: str | Path) -> Protocol:
    """Read a protocol by its name or its path.

    Parameters
    ----------
    name_or_path : str or Path
        ``ssvep``, ``erp``, ``erp-rowcol``, ``mi``, ``ssvep-exo``, any other shipped or own name,
        or a path.

    Returns
    -------
    Protocol

    Raises
    ------
    InputError
        There is no such file, it is not TOML, or a field is wrong; the message names the
        line and the field.
    """
    path = find_resource("calibration", name_or_path)
    return parse_toml(path, Protocol)


def parse_toml(path: Path, model: type[T]) -> T:
    """Read a TOML file into a pydantic model.

    Parameters
    ----------
    path : Path
        The file.
    model : type of pydantic model

    Returns
    -------
    instance of ``model``

    Raises
    ------
    InputError
        The file cannot be read, is not UTF-8 TOML (the message names the line), or fields are
        wrong (the message names each, and its line; where one is missing, that of its table).
    """
    try:
        # editors of Windows put a byte order mark before the text
        text = path.read_text(encoding="utf-8-sig")
        content: dict[str, Any] = tomllib.loads(text)
    # too many digits are a bare ValueError, too many brackets a RecursionError
    except (ValueError, RecursionError) as error:
        raise InputError(
            "The file is not a UTF-8 TOML file",
            value=f"{path}: {error}",
            remedy="Correct the line that is named.",
        ) from error
    except OSError as error:
        raise path_error(path, error) from error
    try:
        return model.model_validate(content)
    except ValidationError as error:
        raise InputError(
            f"{path.name} has unknown fields or wrong values",
            value="; ".join(_problems(text, error)),
            remedy="Correct the fields that are named; a shipped file shows the form.",
        ) from error


def _problems(text: str, error: ValidationError) -> list[str]:
    """Tell what is wrong with which field of a TOML text, in the order of its lines."""
    # to find a line takes a time that grows with the square of the text
    is_short = len(text) * text.count("\n") < _SEARCHED
    statements = list(_statements(text)) if is_short else []
    problems = error.errors()[:_TOLD]
    locs = [problem["loc"] for problem in problems]
    found = []
    for problem in problems:
        loc = problem["loc"]
        # classes with an error each are not counted, and called too few
        if any(len(other) > len(loc) > 0 and other[: len(loc)] == loc for other in locs):
            continue
        line, depth = 0, 0
        for first, content in statements:
            if (now := _known_depth(content, loc)) > depth:
                line, depth = first, now
        where = f"line {line}, " if depth else ""
        name = ".".join(str(part) for part in loc) or "(file)"
        found.append((line, f"{where}field {name}: {problem['msg']}"))
    return [told for _, told in sorted(found, key=lambda one: one[0])]


def _statements(text: str) -> Iterator[tuple[int, dict[str, Any]]]:
    """Yield the first line of each statement, and all that is said up to its end."""
    lines = text.split("\n")
    first = 1
    for last in range(1, len(lines) + 1):
        # only an unfinished statement, one of several lines, is no TOML
        with suppress(tomllib.TOMLDecodeError):
            yield first, tomllib.loads("\n".join(lines[:last]))
            first = last + 1


def _known_depth(content: Any, loc: tuple[int | str, ...]) -> int:
    """Count the steps of a field's path that lead to something."""
    for depth, part in enumerate(loc):
        try:
            content = content[part]
        except (KeyError, IndexError, TypeError):
            return depth
    return len(loc)
