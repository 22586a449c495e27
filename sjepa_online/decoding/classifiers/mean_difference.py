"""The attended symbol is the one whose flashes differ most from all others: no label is needed.

Unsupervised mean-difference maximisation (UMM; Sosulski and Tangermann 2023, arXiv 2306.11830)
tries every symbol: if it were attended, the mean of the epochs after its flashes minus that of the
others would be the response to a target. The symbol with the largest difference wins, measured
against structured noise. Here the difference has a Gaussian prior, smooth in time, so what is
compared is the evidence of each symbol, and everything that is known of the response (labelled
flashes, letters that were spelled before) is one more term of the same sum. Letters that were
spelled without labels are spelled again, all together, as each new one says more of the response.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import numpy as np
from scipy.linalg import eigh
from scipy.special import log_softmax, softmax

from sjepa_online.decoding.classifiers.letter_search import Spelled, spell_together
from sjepa_online.decoding.features.lagged_noise import LaggedNoise, decimated_times, decimation
from sjepa_online.typing import AnyArray, BoolMask, FloatArray, Floats

#: Where the response to a target may lie, and where mostly, in seconds after the flash.
RESPONSE, CORE = (0.05, 0.8), (0.1, 0.6)
#: Amplitude outside the core as a share of that inside, before anything is known.
EDGE = 0.3
#: Seconds between the bumps that a response is made of, and over which it is smooth.
BUMP, SMOOTHNESS = 0.0625, 0.045
#: Variance of a response as a share of the noise's, before anything is known.
RESPONSE_POWER = 0.005
#: Letters that are spelled again together.
MOST_LETTERS = 20
#: An epoch counts less where its amplitude is above this multiple of the median.
LOUD = 1.5
#: The weight of other people's response: that of two letters of some 15 repetitions.
PRIOR_WEIGHT = 40.0


@dataclass(frozen=True, eq=False)
class LetterSums:
    """Sums of the flashes of one letter under the hypothesis that each symbol was attended.

    Attributes
    ----------
    sums : ndarray, shape (symbols, channels, samples), float32
        Sum of the epochs of the flashes that lit the symbol, minus their share of all epochs.
    n : ndarray, shape (symbols,)
        What the difference is worth: ``n_lit * n_dark / n_flashes``.
    """

    sums: AnyArray
    n: Floats


def sum_letter(X: FloatArray, lit: BoolMask) -> tuple[LetterSums, LaggedNoise]:
    """Sum the epochs of a letter for each symbol, and estimate their noise.

    Parameters
    ----------
    X : ndarray, shape (flashes, channels, samples)
        µV at 128 Hz.
    lit : ndarray of bool, shape (flashes, symbols)
        Which symbols lit up in each flash.

    Returns
    -------
    sums : LetterSums
    noise : LaggedNoise
    """
    return sum_epochs(decimated(X), lit)


def sum_epochs(epochs: Floats, lit: BoolMask) -> tuple[LetterSums, LaggedNoise]:
    """Sum the decimated epochs of a letter for each symbol, and estimate their noise.

    Parameters
    ----------
    epochs : ndarray, shape (flashes, channels, samples)
        µV at 32 Hz.
    lit : ndarray of bool, shape (flashes, symbols)
        Which symbols lit up in each flash.

    Returns
    -------
    sums : LetterSums
    noise : LaggedNoise
    """
    epochs = quiet(epochs - epochs.mean(axis=0))
    weights = lit - lit.mean(axis=0)
    sums = np.tensordot(weights, epochs, axes=(0, 0)).astype(np.float32)
    return LetterSums(sums, np.sum(weights**2, axis=0)), LaggedNoise.fit(epochs)


@dataclass(frozen=True, eq=False)
class Response:
    """An estimate of the response to a target: a weighted sum of epochs, and its weight.

    Attributes
    ----------
    total : ndarray, shape (channels, samples), or (1, 1) of zero where nothing is known
        In µV: differences between targets and others, each times its weight.
    n : float
        Sum of the weights.
    """

    total: Floats = field(default_factory=lambda: np.zeros((1, 1)))
    n: float = 0.0

    def with_letter(self, letter: LetterSums, symbol: int, weight: float = 1.0) -> Response:
        """Return the response after one more letter.

        Parameters
        ----------
        letter : LetterSums
        symbol : int
            The symbol that was attended.
        weight : float
            From 0 to 1: how certain the symbol is.

        Returns
        -------
        response : Response
        """
        total = self.total + weight * letter.sums[symbol].astype(np.float64)
        return Response(total, self.n + weight * float(letter.n[symbol]))


class EvidenceModel:
    """Evidence of symbols under one estimate of the noise.

    Parameters
    ----------
    noise : LaggedNoise
    start : float
        Seconds from the flash to the epoch's first sample.
    """

    def __init__(self, noise: LaggedNoise, start: float) -> None:
        precision = noise.precision_in_time()
        bumps, prior = _bumps(decimated_times(noise.n_samples, start))
        # coordinates in which the prior is the identity and the noise is diagonal
        self._power, vectors = eigh(bumps.T @ precision @ bumps, np.linalg.inv(prior))
        self._temporal: Floats = precision @ bumps @ vectors
        self._spatial = noise.whitening(precision)

    def project(self, sums: FloatArray) -> Floats:
        """Return the coefficients of sums.

        Parameters
        ----------
        sums : ndarray, shape (..., channels, samples)
            µV at 32 Hz.

        Returns
        -------
        projected : ndarray, shape (..., channels, bumps)
        """
        result: Floats = self._spatial @ sums @ self._temporal
        return result

    def evidence(self, projected: Floats, n: Floats) -> Floats:
        """Return the log evidence of each symbol.

        Parameters
        ----------
        projected : ndarray, shape (symbols, channels, bumps)
            Of the symbols' sums.
        n : ndarray, shape (symbols,)
            Weights of the sums.

        Returns
        -------
        evidence : ndarray, shape (symbols,)
        """
        precision = 1 + n[:, np.newaxis] * self._power
        explained = np.sum(np.sum(projected**2, axis=1) / precision, axis=1)
        n_channels = projected.shape[1]
        result: Floats = 0.5 * (explained - n_channels * np.sum(np.log(precision), axis=1))
        return result

    def response(self, projected: Floats, n: float) -> Floats:
        """Return the expected response of a projected sum.

        Parameters
        ----------
        projected : ndarray, shape (channels, bumps)
        n : float
            Weight of the sum.

        Returns
        -------
        response : ndarray, shape (channels, bumps)
        """
        result: Floats = projected / (1 + n * self._power)
        return result

    def log_ratio(self, projected: Floats, response: Floats, share: float) -> Floats:
        """Return the log likelihood ratio ``(n,)`` of target against other for single epochs.

        Parameters
        ----------
        projected : ndarray, shape (n, channels, bumps)
            Of epochs without the mean of all epochs.
        response : ndarray, shape (channels, bumps)
        share : float
            Share of targets in that mean.

        Returns
        -------
        log_ratio : ndarray, shape (n,)
        """
        power = float(np.sum(response**2 * self._power))
        result: Floats = np.sum(projected * response, axis=(1, 2)) - (0.5 - share) * power
        return result


@dataclass(eq=False)
class UnlabelledSpeller:
    """Spell letter after letter, and spell the earlier ones again with each.

    Attributes
    ----------
    known : Response
        From labelled flashes.
    start : float
        As for :class:`EvidenceModel`.
    prior : ndarray, shape (channels, samples), or None
        The response of other people, as multiples of the noise's amplitude.
    noise : LaggedNoise or None
        Of all epochs so far; None before the first.
    letters : list of LetterSums
        Those without a label, the last :data:`MOST_LETTERS` of them.
    symbols : list of int
        What each was spelled as.
    """

    known: Response
    start: float
    prior: Floats | None = None
    noise: LaggedNoise | None = None
    letters: list[LetterSums] = field(default_factory=list)
    symbols: list[int] = field(default_factory=list)

    def copy(self) -> UnlabelledSpeller:
        """Return an independent copy, which learns by itself.

        Returns
        -------
        speller : UnlabelledSpeller
        """
        return replace(self, letters=list(self.letters), symbols=list(self.symbols))

    def take_noise(self, noise: LaggedNoise) -> None:
        """Add the noise of more epochs to the estimate.

        Parameters
        ----------
        noise : LaggedNoise
        """
        self.noise = noise.joined(self.noise)

    def spell(self, X: FloatArray, lit: BoolMask) -> Floats:
        """Return the log probabilities ``(symbols,)`` of a letter, and learn from it.

        Parameters
        ----------
        X, lit
            As for :func:`sum_letter`.

        Returns
        -------
        log_probabilities : ndarray, shape (symbols,)
        """
        return self.spell_epochs(decimated(X), lit)

    def spell_epochs(self, epochs: Floats, lit: BoolMask) -> Floats:
        """Do as :meth:`spell` with decimated epochs.

        Parameters
        ----------
        epochs : ndarray, shape (flashes, channels, samples)
            µV at 32 Hz.
        lit : ndarray of bool, shape (flashes, symbols)

        Returns
        -------
        log_probabilities : ndarray, shape (symbols,)
        """
        letter, noise = sum_epochs(epochs, lit)
        self.take_noise(noise)
        self.letters = [*self.letters, letter][-MOST_LETTERS:]
        found = self._spelled()
        self.symbols = found.symbols
        return np.asarray(log_softmax(found.evidence[-1]))

    def preview(self, X: FloatArray, lit: BoolMask) -> Floats:
        """Return the log probabilities of a letter whose flashes go on; nothing is learned from it.

        Parameters
        ----------
        X, lit
            As for :func:`sum_letter`.

        Returns
        -------
        log_probabilities : ndarray, shape (symbols,)
        """
        letter, noise = sum_letter(X, lit)
        joined = noise.joined(self.noise)
        known = self._expected(joined)
        for other, symbol in zip(self.letters, self.symbols, strict=True):
            known = known.with_letter(other, symbol)
        model = EvidenceModel(joined, self.start)
        sums = model.project(letter.sums + known.total)
        return np.asarray(log_softmax(model.evidence(sums, letter.n + known.n)))

    def learned(self) -> Response:
        """Return the response after all letters, each weighted by the certainty of its symbol.

        Returns
        -------
        response : Response
        """
        known = self.known if self.noise is None else self._expected(self.noise)
        if not self.letters:
            return known
        found = self._spelled()
        for letter, symbol, evidence in zip(
            self.letters, found.symbols, found.evidence, strict=True
        ):
            known = known.with_letter(letter, symbol, float(softmax(evidence)[symbol]))
        return known

    def model(self) -> EvidenceModel:
        """Return the model of the noise so far, of which there must be some.

        Returns
        -------
        model : EvidenceModel
        """
        assert self.noise is not None
        return EvidenceModel(self.noise, self.start)

    def _expected(self, noise: LaggedNoise) -> Response:
        """Return what labels say of the response, and other people."""
        if self.prior is None:
            return self.known
        total = self.known.total + PRIOR_WEIGHT * noise.amplitude * self.prior
        return Response(total, self.known.n + PRIOR_WEIGHT)

    def _spelled(self) -> Spelled:
        model = self.model()
        assert self.noise is not None
        known = self._expected(self.noise)
        return spell_together(
            model,
            [model.project(letter.sums) for letter in self.letters],
            [letter.n for letter in self.letters],
            model.project(np.broadcast_to(known.total, self.letters[0].sums.shape[1:])),
            known.n,
        )


def decimated(X: FloatArray) -> Floats:
    """Return epochs at 32 Hz.

    Parameters
    ----------
    X : ndarray, shape (n, channels, n_times)
        µV at 128 Hz.

    Returns
    -------
    epochs : ndarray, shape (n, channels, samples)
        µV at 32 Hz.
    """
    result: Floats = np.asarray(X, dtype=np.float64) @ decimation(X.shape[-1]).T
    return result


def quiet(epochs: Floats) -> Floats:
    """Scale down epochs whose amplitude is far above the median.

    Parameters
    ----------
    epochs : ndarray, shape (n, channels, samples)
        µV.

    Returns
    -------
    epochs : ndarray, shape (n, channels, samples)
        Of mean 0 over the epochs.
    """
    amplitude = np.sqrt(np.mean(epochs**2, axis=(1, 2))) + np.finfo(np.float64).tiny
    scale = np.minimum(1.0, LOUD * np.median(amplitude) / amplitude)
    scaled: Floats = epochs * scale[:, np.newaxis, np.newaxis]
    scaled -= scaled.mean(axis=0)
    return scaled


def _bumps(times: Floats) -> tuple[Floats, Floats]:
    """Return raised cosines ``(samples, bumps)`` over the response, and their prior covariance."""
    centres = np.arange(RESPONSE[0] + BUMP / 2, RESPONSE[1], BUMP)
    distance = np.clip((times[:, np.newaxis] - centres) / BUMP, -1, 1)
    bumps: Floats = np.cos(np.pi / 2 * distance) ** 2
    apart = (centres[:, np.newaxis] - centres) / SMOOTHNESS
    inside = (centres > CORE[0]) & (centres < CORE[1])
    amplitude = np.sqrt(RESPONSE_POWER) * np.where(inside, 1.0, EDGE)
    correlation = np.exp(-0.5 * apart**2) + 1e-3 * np.eye(len(centres))
    prior: Floats = amplitude[:, np.newaxis] * correlation * amplitude
    return bumps, prior
