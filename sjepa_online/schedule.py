"""The schedule of a session: stimuli and their times, drawn from a protocol."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

import numpy as np

from sjepa_online.errors import InputError
from sjepa_online.markers import CUE, END, NON_TARGET, PRACTICE, TARGET, StimulusMarker
from sjepa_online.protocol import Flicker, Imagery, Protocol, Speller

PhaseKind = Literal["fixation", "cue", "stimulation", "imagery", "flash", "between", "rest"]


@dataclass(frozen=True, slots=True)
class Phase:
    """A time in which the display does not change (targets may flicker).

    Attributes
    ----------
    kind : str
        ``fixation``, ``cue``, ``stimulation`` (SSVEP), ``imagery``, ``flash``, ``between``
        (two flashes) or ``rest``.
    duration : float
        Seconds.
    marker : str
        Marker to send, stamped with the time at which the phase becomes visible; may be empty.
    lit : str
        The symbols that light up in a flash.
    """

    kind: PhaseKind
    duration: float
    marker: str = ""
    lit: str = ""


@dataclass(frozen=True, slots=True)
class ScheduledTrial:
    """One trial: a target, and the phases from its cue to the rest after it.

    Attributes
    ----------
    number : int
        From 0, practice trials and others counted apart.
    target : str
        The class, or the symbol in a speller.
    phases : tuple of Phase
    practice : bool
    """

    number: int
    target: str
    phases: tuple[Phase, ...]
    practice: bool = False

    @property
    def duration(self) -> float:
        """Seconds from the first phase to the end of the last."""
        return sum(phase.duration for phase in self.phases)


def make_schedule(
    protocol: Protocol, seed: int, *, practice: bool = False
) -> tuple[ScheduledTrial, ...]:
    """Draw the trials of a session.

    The same protocol and seed give the same trials, so an interrupted session goes on where it
    was.

    Parameters
    ----------
    protocol : Protocol
    seed : int
        Of the order of the classes, the jitter and the groups of symbols.
    practice : bool
        The practice trials instead of those to learn from.

    Returns
    -------
    tuple of ScheduledTrial

    Raises
    ------
    InputError
        The protocol does not say what a session shows.
    """
    random = np.random.default_rng([seed, practice])
    match protocol.presentation:
        case Flicker() as flicker:
            targets = _balanced(protocol, flicker, random, practice)
            phases = [_flicker_phases(flicker, target) for target in targets]
        case Imagery() as imagery:
            targets = _balanced(protocol, imagery, random, practice)
            phases = [_imagery_phases(imagery, target, random) for target in targets]
        case Speller() as speller:
            targets = list(speller.practice_text if practice else speller.text)
            phases = [_speller_phases(speller, target, random) for target in targets]
        case None:
            raise InputError(
                "This protocol does not say what a session shows",
                value=f"none of them in {protocol.name}",
                remedy="Add one, as in the shipped protocols, or calibrate --from recordings.",
            )
    return tuple(
        ScheduledTrial(number, target, _for_practice(shown) if practice else shown, practice)
        for number, (target, shown) in enumerate(zip(targets, phases, strict=True))
    )


def _balanced(
    protocol: Protocol, shown: Flicker | Imagery, random: np.random.Generator, practice: bool
) -> list[str]:
    """Draw blocks of one trial a class, so that every prefix of a session is balanced."""
    n_trials = shown.practice_trials if practice else shown.trials_per_class * len(protocol.classes)
    n_blocks = -(-n_trials // len(protocol.classes))
    blocks = [random.permutation(protocol.class_names).tolist() for _ in range(n_blocks)]
    return [target for block in blocks for target in block][:n_trials]


def _flicker_phases(flicker: Flicker, target: str) -> tuple[Phase, ...]:
    return (
        Phase("cue", flicker.cue, str(StimulusMarker(CUE, target))),
        Phase("stimulation", flicker.stimulation, target),
        Phase("rest", flicker.rest, END),
    )


def _imagery_phases(
    imagery: Imagery, target: str, random: np.random.Generator
) -> tuple[Phase, ...]:
    rest = imagery.rest + random.uniform(-1.0, 1.0) * imagery.rest_jitter
    return (
        Phase("fixation", imagery.fixation),
        Phase("imagery", imagery.imagery, target),
        Phase("rest", rest, END),
    )


def _speller_phases(
    speller: Speller, target: str, random: np.random.Generator
) -> tuple[Phase, ...]:
    phases = [Phase("cue", speller.cue, str(StimulusMarker(CUE, target)))]
    for lit in flash_groups(speller, random):
        word = TARGET if target in lit else NON_TARGET
        phases += [
            Phase("flash", speller.on, str(StimulusMarker(word, speller.code(lit))), lit),
            Phase("between", speller.between),
        ]
    return (*phases, Phase("rest", speller.rest, END))


def flash_groups(speller: Speller, random: np.random.Generator) -> Iterator[str]:
    """Draw the groups of symbols that light up for one symbol to be spelled.

    Each sequence is a matrix of all symbols flashed row by row and column by column in random
    order: the matrix on the display (row-column: Farwell and Donchin 1988), or one with the
    symbols shuffled (random-set: Lee et al. 2019).

    Parameters
    ----------
    speller : Speller
    random : numpy.random.Generator

    Yields
    ------
    str
        The symbols of one flash.
    """
    shape = (len(speller.rows), len(speller.rows[0]))
    for _ in range(speller.sequences):
        symbols = np.array(list(speller.symbols))
        if speller.flashes == "random-set":
            symbols = random.permutation(symbols)
        matrix = symbols.reshape(shape)
        groups = ["".join(line) for line in (*matrix, *matrix.T)]
        yield from (groups[index] for index in random.permutation(len(groups)))


def _for_practice(phases: tuple[Phase, ...]) -> tuple[Phase, ...]:
    return tuple(
        Phase(phase.kind, phase.duration, phase.marker and f"{PRACTICE}/{phase.marker}", phase.lit)
        for phase in phases
    )
