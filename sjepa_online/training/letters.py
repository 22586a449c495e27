"""Decoders of letters: one that needs no label, and classifiers of flashes that need some."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

import numpy as np
from scipy.special import log_softmax

from sjepa_online.data import Trials
from sjepa_online.data.letters import Letter
from sjepa_online.decoding import DecoderRequest, EpochClassifier
from sjepa_online.decoding.catalog import AUTO, UMM, make_umm
from sjepa_online.decoding.classifiers.auto import AutoClassifier
from sjepa_online.decoding.classifiers.mean_difference import UnlabelledSpeller
from sjepa_online.decoding.classifiers.umm import SpelledLetter
from sjepa_online.decoding.speller import FlashEvidence
from sjepa_online.decoding.transfer.start import response_prior
from sjepa_online.markers import TARGET
from sjepa_online.protocol import Protocol
from sjepa_online.training.cross_validation import DECISION, N_FOLDS, cross_validate
from sjepa_online.typing import FloatArray, Floats, Indices


def spelled_letter(trials: Trials, letter: Letter, symbols: str) -> SpelledLetter:
    """Return a letter with its epochs, the symbols that lit up, and its target where it is known.

    Parameters
    ----------
    trials : Trials
        Whose rows are the letter's flashes.
    letter : Letter
    symbols : str
        Of the matrix.

    Returns
    -------
    letter : SpelledLetter
    """
    target = symbols.index(letter.target) if letter.target else None
    return SpelledLetter(trials.X[letter.rows], letter.lit_matrix(symbols), target)


@dataclass(frozen=True)
class FlashClassifier:
    """A classifier of flashes, and the evidence of its probabilities for the symbols.

    Attributes
    ----------
    classifier : EpochClassifier
    evidence : FlashEvidence
    """

    classifier: EpochClassifier
    evidence: FlashEvidence

    @classmethod
    def fit(cls, request: DecoderRequest, trials: Trials, rows: Indices) -> FlashClassifier:
        """Fit on labelled flashes, and the evidence on flashes that the classifier did not see.

        Parameters
        ----------
        request : DecoderRequest
        trials : Trials
        rows : ndarray of int, shape (n,)
            The flashes among the trials.

        Returns
        -------
        FlashClassifier
        """
        classifier, y = request.make(trials.protocol, trials.ch_names), trials.y[rows]
        features = classifier.features(trials.X[rows])
        if isinstance(classifier, AutoClassifier):
            # its members hold trials out already; to fit it for each fold takes minutes
            held_out = classifier.fit_features(features, y).out_of_fold_
        else:
            held_out = cross_validate(classifier, features, y, n_folds=N_FOLDS)[DECISION]
            classifier.fit_features(features, y)
        target = trials.protocol.class_names.index(TARGET)
        return cls(classifier, FlashEvidence.fit(held_out[:, target], y == TARGET))

    def log_evidence(self, letter: SpelledLetter) -> Floats:
        """Return the log evidence of a letter's flashes.

        Parameters
        ----------
        letter : SpelledLetter

        Returns
        -------
        evidence : ndarray, shape (symbols,)
        """
        target = list(self.classifier.classes_).index(TARGET)
        probabilities = self.classifier.predict_proba(letter.X)[:, target]
        ratios = np.array([self.evidence.log_likelihood_ratio(one) for one in probabilities])
        evidence: Floats = ratios @ letter.lit
        return evidence


class LetterSpeller:
    """Spell letter after letter: the mean of the log probabilities of its members.

    Parameters
    ----------
    flashes : FlashClassifier or None
    unlabelled : UnlabelledSpeller or None
        At least one of the two.
    """

    def __init__(
        self, flashes: FlashClassifier | None, unlabelled: UnlabelledSpeller | None
    ) -> None:
        self._flashes, self._unlabelled = flashes, unlabelled

    def spell(self, letter: SpelledLetter) -> Floats:
        """Return the log probabilities of a letter, and learn from it.

        Parameters
        ----------
        letter : SpelledLetter

        Returns
        -------
        log_probabilities : ndarray, shape (symbols,)
        """
        members = []
        if self._flashes is not None:
            members.append(log_softmax(self._flashes.log_evidence(letter)))
        if self._unlabelled is not None:
            members.append(self._unlabelled.spell(letter.X, letter.lit))
        mean: Floats = log_softmax(np.mean(members, axis=0))
        return mean


class LetterDecoder:
    """A decoder of letters by name: ``umm``, a classifier of flashes, or ``auto`` for both.

    Parameters
    ----------
    request : DecoderRequest
    protocol : Protocol
        With a speller.
    ch_names : sequence of str
    recordings : sequence of str
        Names of the recordings in use, of which a population must know none.
    epochs : sequence of ndarray, shape (n, channels, samples)
        Trials in use, in µV at 128 Hz, of which it must know none either.
    """

    def __init__(
        self,
        request: DecoderRequest,
        protocol: Protocol,
        ch_names: Sequence[str],
        recordings: Sequence[str] = (),
        epochs: Sequence[FloatArray] = (),
    ) -> None:
        self._request = request
        self._umm = None
        if request.name in (UMM, AUTO):
            prior = response_prior(request.population, protocol, ch_names, recordings, epochs)
            self._umm = make_umm(protocol, prior)
        self._flashes: FlashClassifier | None = None

    def fit(self, trials: Trials, letters: Sequence[Letter]) -> Self:
        """Fit on letters; those without a target are used without labels.

        Parameters
        ----------
        trials : Trials
        letters : sequence of Letter
            Whose rows are among ``trials``.

        Returns
        -------
        Self
        """
        speller = trials.protocol.speller
        assert speller is not None
        if self._umm is not None and letters:
            self._umm.fit_letters(
                [spelled_letter(trials, letter, speller.symbols) for letter in letters]
            )
        rows = np.array([row for one in letters if one.target for row in one.rows], dtype=np.intp)
        if len(rows) and self._request.name != UMM:
            self._flashes = FlashClassifier.fit(self._request, trials, np.sort(rows))
        return self

    def speller(self) -> LetterSpeller:
        """Return a fresh speller that has not spelled any letter yet.

        Returns
        -------
        speller : LetterSpeller
        """
        return LetterSpeller(self._flashes, None if self._umm is None else self._umm.speller())
