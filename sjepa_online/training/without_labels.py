"""Decoders without labelled trials: a stretch of the person's signal aligns them.

Each paradigm has a maker in :data:`MAKERS`: it gets the recordings, cuts what it reads of them,
and returns a fitted classifier.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, cast

import numpy as np

from sjepa_online.data import Recording, Trials, make_trials
from sjepa_online.data.letters import Letter, find_letters
from sjepa_online.decoding import Decoder, DecoderRequest, EpochClassifier
from sjepa_online.decoding.catalog import (
    AUTO,
    FBCCA,
    FILTER_BANK,
    POPULATION,
    UMM,
    make_fbcca,
    make_umm,
)
from sjepa_online.decoding.classifiers.auto import LEAST_OWN_TRIALS
from sjepa_online.decoding.classifiers.umm import SpelledLetter, UmmClassifier
from sjepa_online.decoding.transfer.flicker_classifier import FlickerPopulation
from sjepa_online.decoding.transfer.start import imagery_start, population_start, response_prior
from sjepa_online.errors import InputError
from sjepa_online.markers import FLASH, NON_TARGET, TARGET, parse_marker
from sjepa_online.protocol import Paradigm, Protocol
from sjepa_online.signal import PreprocessorConfig
from sjepa_online.training.artefacts import without_artefacts
from sjepa_online.training.calibration import assemble_decoder
from sjepa_online.training.letters import spelled_letter

if TYPE_CHECKING:
    from sjepa_online.decoding.classifiers.filter_bank import FilterBankClassifier
    from sjepa_online.decoding.transfer.imagery.classifier import PopulationClassifier

#: What the windows of a stretch of signal are called while they are cut.
_SIGNAL = "sjepa-online-signal"
#: Unknown markers that are named at most.
_MOST_NAMED = 6
#: With fewer labelled trials than this ``auto`` reads the signal of the others, too. Of 360 flashes
#: 60 are targets; with fewer of s6 and s7 a classifier of flashes is behind, and with fewer than
#: 24 trials of SSVEP one that learns from labels (docs/accuracy.md).
FEW_LABELS = {"mi": 2 * LEAST_OWN_TRIALS, "erp": 360, "ssvep": 24}
#: Less signal than this (s) tells nothing of the person's noise.
LEAST_SECONDS = 10.0


@dataclass(frozen=True)
class Unlabelled:
    """A decoder that was made without labels.

    Attributes
    ----------
    decoder : Decoder
    dropped : tuple of str
        What was left out of the signal, and why.
    seconds : float
        Of signal that aligned it.
    fit_seconds : float
    """

    decoder: Decoder
    dropped: tuple[str, ...]
    seconds: float
    fit_seconds: float


@dataclass(frozen=True)
class Aligned:
    """A classifier that was fitted without labels, its windows and its description.

    Attributes
    ----------
    name : str
        Of the decoder.
    classifier : EpochClassifier
    windows : Trials
        Whose classes are not to be believed.
    told : str
        What was used of the signal, in a sentence.
    """

    name: str
    classifier: EpochClassifier
    windows: Trials
    told: str


#: Gets the recordings, the population to start from, and how many of the first trials may be
#: used with their labels.
Maker = Callable[[Sequence[Recording], Protocol, PreprocessorConfig, str, int], Aligned]


def calibrate_without_labels(
    recordings: Sequence[Recording],
    protocol: Protocol,
    preprocessing: PreprocessorConfig,
    request: DecoderRequest,
) -> Unlabelled:
    """Make a decoder from signal of the person, of which no label is read.

    Parameters
    ----------
    recordings : sequence of Recording
        Of one montage; with or without trials of the protocol.
    protocol : Protocol
    preprocessing : PreprocessorConfig
    request : DecoderRequest
        ``auto``, or a decoder that needs no label.

    Returns
    -------
    made : Unlabelled

    Raises
    ------
    InputError
        The decoder needs labels, none exists for the paradigm, or there is too little signal.
    """
    seconds = sum(one.data.shape[1] / one.sfreq for one in recordings)
    if seconds < LEAST_SECONDS:
        raise InputError(
            "There is too little signal to align a decoder to the person",
            value=f"{seconds:.1f} s",
            remedy=f"Give {LEAST_SECONDS:.0f} s or more; a minute is better.",
        )
    started = time.perf_counter()
    maker = _maker(protocol, request)
    aligned = maker(recordings, protocol, preprocessing, _population(request), 0)
    windows = replace(aligned.windows, protocol=protocol)
    decoder = assemble_decoder(
        aligned.name,
        aligned.classifier,
        recordings,
        windows,
        preprocessing,
        n_trials=0,
        choice=aligned.told,
    )
    return Unlabelled(decoder, windows.dropped, seconds, time.perf_counter() - started)


def require_possible(protocol: Protocol, request: DecoderRequest, ch_names: Sequence[str]) -> None:
    """Refuse what cannot be made without labels, before the person's time is spent.

    Parameters
    ----------
    protocol : Protocol
    request : DecoderRequest
    ch_names : sequence of str
        Electrodes that will be recorded.

    Raises
    ------
    InputError
        The decoder needs labels, none exists for the protocol, or no population suits the
        electrodes.
    """
    _maker(protocol, request)
    if protocol.paradigm == "erp":
        _symbols(protocol)
    if protocol.paradigm == "mi":
        DecoderRequest(POPULATION, population=request.population).make(protocol, ch_names)
    if protocol.paradigm == "ssvep":
        population_start(_population(request), protocol, ch_names, same_stimuli=True)


def align(
    recordings: Sequence[Recording],
    protocol: Protocol,
    preprocessing: PreprocessorConfig,
    request: DecoderRequest,
    ch_names: Sequence[str],
    n_labelled: int = 0,
) -> tuple[EpochClassifier, float] | None:
    """Align a classifier on some channels of recordings; None where the request needs labels.

    Parameters
    ----------
    recordings, protocol, preprocessing, request
        As for :func:`calibrate_without_labels`.
    ch_names : sequence of str
        Channels of the recordings to use.
    n_labelled : int
        How many of the first trials are used with their labels, the others without. ``auto``
        is aligned without labels, and with so few labels that what needs none decides better:
        for imagery with fewer than 10 labelled trials of a class, for ERP with fewer flashes
        than two letters have.

    Returns
    -------
    classifier : EpochClassifier
    seconds : float
        Time of the fit.
    """
    maker, names = MAKERS.get(protocol.paradigm, (None, ()))
    if n_labelled < FEW_LABELS.get(protocol.paradigm, 1):
        names = (AUTO, *names)
    if maker is None or request.name not in names:
        return None
    if protocol.paradigm == "mi" and request.population == "none":
        return None
    started = time.perf_counter()
    wanted = set(ch_names)
    picked = [
        replace(one, bad=tuple(name for name in one.ch_names if name not in wanted))
        for one in recordings
    ]
    # auto goes on with labels alone where no population suits, and tells why
    may_go_on = protocol.paradigm == "mi" and request.name == AUTO and n_labelled
    if may_go_on and not _has_population(picked, protocol, preprocessing, request.population):
        return None
    aligned = maker(picked, protocol, preprocessing, _population(request), n_labelled)
    return aligned.classifier, time.perf_counter() - started


def signal_windows(
    recordings: Sequence[Recording], protocol: Protocol, preprocessing: PreprocessorConfig
) -> Trials:
    """Cut recordings into windows of the protocol's length, one after the other.

    Parameters
    ----------
    recordings : sequence of Recording
        Of one montage.
    protocol : Protocol
    preprocessing : PreprocessorConfig

    Returns
    -------
    windows : Trials
        Markers that the protocol does not know are told among what is left out.
    """
    window = protocol.window
    cut = []
    for recording in recordings:
        last = recording.data.shape[1] / recording.sfreq - window.start - window.length
        onsets = np.arange(max(0.0, -window.start), max(last, 0.0), window.length)
        labels = (_SIGNAL,) * len(onsets)
        cut.append(replace(recording, onsets=onsets, labels=labels))
    windows = make_trials(cut, _with_alias(protocol, 0, _SIGNAL), preprocessing)
    if unknown := sorted({label for one in recordings for label in one.labels}):
        shown = ", ".join(unknown[:_MOST_NAMED]) + (", ..." if unknown[_MOST_NAMED:] else "")
        told = f"markers, of which none is a class of the protocol {protocol.name}: {shown}"
        return replace(windows, dropped=(*windows.dropped, told))
    return windows


def unlabelled_flashes(
    recordings: Sequence[Recording], protocol: Protocol, preprocessing: PreprocessorConfig
) -> tuple[Trials, list[Letter]]:
    """Cut the flashes of a speller's recordings, and gather them as letters without a target.

    Parameters
    ----------
    recordings : sequence of Recording
        Of one montage.
    protocol : Protocol
    preprocessing : PreprocessorConfig

    Returns
    -------
    trials : Trials
        Whose classes are not to be believed.
    letters : list of Letter
        Empty where the markers do not name symbols.
    """
    accepting = _with_alias(protocol, protocol.class_names.index(NON_TARGET), FLASH)
    trials = make_trials(recordings, accepting, preprocessing)
    found = find_letters([_without_targets(one) for one in recordings], trials)
    return trials, [Letter("", letter.rows, letter.lit) for letter in found]


def _without_targets(recording: Recording) -> Recording:
    """Return the recording with flashes of which nobody knows whether they are targets."""
    markers = [parse_marker(label) for label in recording.labels]
    labels = tuple(
        str(replace(marker, word=FLASH)) if marker.word in (TARGET, NON_TARGET) else label
        for marker, label in zip(markers, recording.labels, strict=True)
    )
    return replace(recording, labels=labels)


def _maker(protocol: Protocol, request: DecoderRequest) -> Maker:
    maker, names = MAKERS.get(protocol.paradigm, (None, ()))
    if maker is None:
        raise InputError(
            f"There is no decoder without labelled trials for {protocol.paradigm}",
            value=f"the protocol {protocol.name}",
            remedy="Calibrate with labelled trials.",
        )
    if request.name not in (AUTO, *names):
        raise InputError(
            f"The decoder {request.name} needs labelled trials",
            value="--trials 0",
            remedy=f"Choose {' or '.join((AUTO, *names))}, or calibrate with trials.",
        )
    return maker


def _has_population(
    recordings: Sequence[Recording],
    protocol: Protocol,
    preprocessing: PreprocessorConfig,
    population: str,
) -> bool:
    """Tell whether a population of imagery suits the recordings."""
    trials = make_trials(recordings, protocol, preprocessing)
    return imagery_start(population, protocol, trials.ch_names, (trials.X,)).suits


def _population(request: DecoderRequest) -> str:
    """Return the population to start from, which fbcca by itself does not."""
    return "none" if request.name == FBCCA else request.population


def _has_trials(recordings: Sequence[Recording], protocol: Protocol) -> bool:
    return all(
        any(protocol.class_of(label) is not None for label in recording.labels)
        for recording in recordings
    )


def _with_alias(protocol: Protocol, index: int, label: str) -> Protocol:
    """Return the protocol with one more label for one of its classes."""
    classes = list(protocol.classes)
    aliases = (*classes[index].aliases, label)
    classes[index] = classes[index].model_copy(update={"aliases": aliases})
    return protocol.model_copy(update={"classes": tuple(classes)})


def _symbols(protocol: Protocol) -> str:
    if protocol.speller is None:
        raise InputError(
            "The protocol has no matrix of symbols, so it cannot be decoded without labels",
            value=f"{protocol.name} has no [speller]",
            remedy="Choose erp-rowcol, erp, or an own protocol with [speller].",
        )
    return protocol.speller.symbols


def _align_speller(
    recordings: Sequence[Recording],
    protocol: Protocol,
    preprocessing: PreprocessorConfig,
    population: str,
    n_labelled: int,
) -> Aligned:
    """Spell the letters of the recordings without labels, or learn the noise of plain signal."""
    symbols = _symbols(protocol)
    named = population not in ("auto", "none")
    start = f"starts from the response in {population}; " if named else ""
    accepting = _with_alias(protocol, protocol.class_names.index(NON_TARGET), FLASH)
    if _has_trials(recordings, accepting):
        trials, letters = unlabelled_flashes(recordings, protocol, preprocessing)
        classifier = _umm(recordings, protocol, trials, population)
        if letters:
            spelled = _spelled(trials, letters, symbols, n_labelled)
            told = f"learned from the flashes of {len(letters)} letters, without labels"
            fitted = classifier.fit_letters(spelled)
            return Aligned(UMM, fitted, trials, f"{UMM}: {start}{told}")
        windows = trials
    else:
        windows = signal_windows(recordings, protocol, preprocessing)
        classifier = _umm(recordings, protocol, windows, population)
    told = "the noise of the signal only; it learns the response while it spells"
    fitted = classifier.fit_noise(windows.X)
    return Aligned(UMM, fitted, windows, f"{UMM}: {start}learned {told}")


def _umm(
    recordings: Sequence[Recording], protocol: Protocol, windows: Trials, population: str
) -> UmmClassifier:
    names = [recording.name for recording in recordings]
    prior = response_prior(population, protocol, windows.ch_names, names, [windows.X])
    return make_umm(protocol, prior)


def _spelled(
    trials: Trials, letters: Sequence[Letter], symbols: str, n_labelled: int
) -> list[SpelledLetter]:
    """Return the first flashes with their labels, and the letters of the others without."""
    spelled = []
    if n_labelled:
        target = trials.y[:n_labelled, np.newaxis] == TARGET
        spelled.append(SpelledLetter(trials.X[:n_labelled], target, 0))
    for letter in letters:
        rest = sum(row < n_labelled for row in letter.rows)
        if rest < len(letter.rows):
            unlabelled = Letter("", letter.rows[rest:], letter.lit[rest:])
            spelled.append(spelled_letter(trials, unlabelled, symbols))
    return spelled


def _align_flicker(
    recordings: Sequence[Recording],
    protocol: Protocol,
    preprocessing: PreprocessorConfig,
    population: str,
    n_labelled: int,
) -> Aligned:
    """Align other people's weights where they suit, and compare with sines."""
    if _has_trials(recordings, protocol):
        windows = make_trials(recordings, protocol, preprocessing)
    else:
        windows = signal_windows(recordings, protocol, preprocessing)
    fbcca = make_fbcca(protocol)
    told = f"{FBCCA}: canonical correlations with sines, which need nothing of the person"
    if population == "none":
        return Aligned(FBCCA, fbcca, windows, told)
    names = [recording.name for recording in recordings]
    start = population_start(
        population, protocol, windows.ch_names, names, [windows.X], same_stimuli=True
    )
    if start.prior is None:
        return Aligned(FBCCA, fbcca, windows, f"{told}; {start.note}")
    request = DecoderRequest(FILTER_BANK, population=population)
    filter_bank = cast("FilterBankClassifier", request.make(protocol, windows.ch_names))
    classifier = FlickerPopulation(filter_bank, fbcca).align(windows.X)
    used = f"aligned by {len(windows.X)} windows without labels, beside {FBCCA}"
    return Aligned(POPULATION, classifier, windows, f"{POPULATION}: {start.note}; {used}")


def _align_imagery(
    recordings: Sequence[Recording],
    protocol: Protocol,
    preprocessing: PreprocessorConfig,
    population: str,
    n_labelled: int,
) -> Aligned:
    """Align other people's network to the person by windows without artefacts."""
    if _has_trials(recordings, protocol):
        windows = make_trials(recordings, protocol, preprocessing)
    else:
        windows = signal_windows(recordings, protocol, preprocessing)
    request = DecoderRequest(POPULATION, population=population)
    plan = request.resolve(protocol, windows.ch_names, epochs=(windows.X,))
    classifier = cast("PopulationClassifier", plan.make())
    clean = without_artefacts(windows.X, classifier.montage.picks)
    labelled, unlabelled = clean.copy(), clean.copy()
    labelled[n_labelled:] = unlabelled[:n_labelled] = False
    classifier.fit(windows.X[labelled], windows.y[labelled], unlabelled=windows.X[unlabelled])
    n_loud = int(np.sum(~clean))
    loud = f"{n_loud} of {len(clean)} windows, whose amplitude says that they hold artefacts"
    used = f"aligned by {int(clean.sum())} windows"
    told = (POPULATION, plan.note, used if n_labelled else f"{used} without labels")
    return Aligned(
        POPULATION,
        classifier,
        replace(windows, dropped=(*windows.dropped, loud)) if n_loud else windows,
        "; ".join((": ".join(told[:2]), told[2], *classifier.notes_)),
    )


#: What makes a decoder without labels for each paradigm, and which decoders that are.
MAKERS: dict[Paradigm, tuple[Maker, tuple[str, ...]]] = {
    "erp": (_align_speller, (UMM,)),
    "mi": (_align_imagery, (POPULATION,)),
    "ssvep": (_align_flicker, (FBCCA,)),
}
