"""Letters spelled without labels, on simulated flashes whose letters are known."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from numpy.typing import NDArray
from sklearn.metrics import roc_auc_score

from sjepa_online.data import Recording, make_trials
from sjepa_online.data.letters import find_letters
from sjepa_online.decoding.catalog import classifier_from_state
from sjepa_online.decoding.classifiers.umm import SpelledLetter, UmmClassifier
from sjepa_online.decoding.features.lagged_noise import LaggedNoise
from sjepa_online.protocol import load_protocol
from sjepa_online.signal import PreprocessorConfig

SYMBOLS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ123456789_"
Spelling = Callable[..., Recording]


def _letters(recording: Recording, *, labelled: bool = False) -> list[SpelledLetter]:
    trials = make_trials([recording], load_protocol("erp-rowcol"), PreprocessorConfig())
    return [
        SpelledLetter(
            trials.X[letter.rows],
            letter.lit_matrix(SYMBOLS),
            SYMBOLS.index(letter.target) if labelled else None,
        )
        for letter in find_letters([recording], trials)
    ]


def _classifier() -> UmmClassifier:
    return UmmClassifier(("Target", "NonTarget"))


def _spell(classifier: UmmClassifier, letters: list[SpelledLetter]) -> str:
    speller = classifier.speller()
    return "".join(SYMBOLS[int(np.argmax(speller.spell(one.X, one.lit)))] for one in letters)


def test_a_text_is_spelled_from_the_first_letter_without_a_label(
    simulated_spelling: Spelling,
) -> None:
    letters = _letters(simulated_spelling("WATER", 10))
    assert _spell(_classifier(), letters) == "WATER"


def test_noise_spells_nothing_and_says_so(simulated_spelling: Spelling) -> None:
    letters = _letters(simulated_spelling("ABCDEFGH", 4, response=0.0))
    speller = _classifier().speller()
    logs = [speller.spell(one.X, one.lit) for one in letters]
    right = sum(int(np.argmax(log)) == index for index, log in enumerate(logs))
    assert right <= 2  # binomial of 8 with 1/36: more in 1 of 1000
    np.testing.assert_allclose([np.exp(log).sum() for log in logs], 1)
    assert np.mean([np.exp(log).max() for log in logs]) < 0.8


def test_letters_before_help_the_next_with_and_without_their_labels(
    simulated_spelling: Spelling,
) -> None:
    """Three repetitions of a weak response say little of one letter alone."""
    before = simulated_spelling("LUKAS", 10, response=5.0)
    test = _letters(simulated_spelling("WATER_BCDFG", 3, response=5.0, seed=1))

    def right(classifier: UmmClassifier) -> int:
        spelled = _spell(classifier, test)
        return sum(one == other for one, other in zip(spelled, "WATER_BCDFG", strict=True))

    alone = right(_classifier())
    unlabelled = right(_classifier().fit_letters(_letters(before)))
    labelled = right(_classifier().fit_letters(_letters(before, labelled=True)))
    assert alone < unlabelled
    assert labelled >= unlabelled - 1
    assert unlabelled >= 6


def test_single_flashes_are_told_apart_after_letters_without_labels(
    simulated_spelling: Spelling,
) -> None:
    classifier = _classifier().fit_letters(_letters(simulated_spelling("LUKAS", 8)))
    recording = simulated_spelling("WATER", 4, seed=1)
    trials = make_trials([recording], load_protocol("erp-rowcol"), PreprocessorConfig())
    probabilities = classifier.predict_proba(trials.X)
    np.testing.assert_allclose(probabilities.sum(axis=1), 1)
    assert roc_auc_score(trials.y == "Target", probabilities[:, 0]) > 0.8


def test_before_the_first_letter_every_flash_is_alike(simulated_spelling: Spelling) -> None:
    (letter,) = _letters(simulated_spelling("A", 2))
    for classifier in (_classifier(), _classifier().fit_noise(letter.X)):
        np.testing.assert_allclose(classifier.predict_proba(letter.X)[:, 0], 1 / 6)


@pytest.mark.parametrize("labelled", [False, True])
def test_what_was_learned_is_restored_exactly(labelled: bool, simulated_spelling: Spelling) -> None:
    fitted = _classifier().fit_letters(_letters(simulated_spelling("LUK", 4), labelled=labelled))
    restored = classifier_from_state(fitted.to_state())
    assert isinstance(restored, UmmClassifier)
    letters = _letters(simulated_spelling("WA", 2, seed=1))
    np.testing.assert_array_equal(
        restored.predict_proba(letters[0].X), fitted.predict_proba(letters[0].X)
    )
    ours, theirs = fitted.speller(), restored.speller()
    for one in letters:
        np.testing.assert_array_equal(ours.spell(one.X, one.lit), theirs.spell(one.X, one.lit))


def test_a_speller_changes_nothing_of_its_classifier(simulated_spelling: Spelling) -> None:
    classifier = _classifier().fit_letters(_letters(simulated_spelling("LU", 4)))
    letters = _letters(simulated_spelling("WATER", 3, seed=1))
    assert _spell(classifier, letters) == _spell(classifier, letters)


def test_one_loud_flash_does_not_decide(simulated_spelling: Spelling) -> None:
    letters = _letters(simulated_spelling("WAT", 10))
    for letter in letters:
        letter.X[5] *= 30
    assert _spell(_classifier(), letters) == "WAT"


def test_lagged_noise_whitens_what_is_a_product_of_time_and_channels() -> None:
    rng = np.random.default_rng(0)
    mixing = rng.normal(size=(3, 3))
    white: NDArray[np.float64] = rng.normal(size=(400, 3, 38 + 200))
    for sample in range(1, white.shape[-1]):
        white[..., sample] += 0.7 * white[..., sample - 1]
    epochs = np.einsum("cd,ndt->nct", mixing, white[..., 200:])
    noise = LaggedNoise.fit(epochs)
    precision = noise.precision_in_time()
    spatial = noise.whitening(precision)
    in_time = np.linalg.cholesky(precision)
    whitened = spatial @ epochs @ in_time
    covariance = np.einsum("nct,ndt->cd", whitened, whitened) / (400 * 38)
    np.testing.assert_allclose(covariance, np.eye(3), atol=0.15)
    lag = np.mean(whitened[..., 1:] * whitened[..., :-1]) / np.mean(whitened**2)
    before = np.mean(epochs[..., 1:] * epochs[..., :-1]) / np.mean(epochs**2)
    assert abs(lag) < 0.1 < 0.6 < before


def test_noise_of_two_sets_is_that_of_both_together() -> None:
    epochs = np.random.default_rng(0).normal(size=(30, 2, 38))
    joined = LaggedNoise.fit(epochs[:10]).joined(LaggedNoise.fit(epochs[10:]))
    whole = LaggedNoise.fit(epochs)
    np.testing.assert_allclose(joined.covariances, whole.covariances)
    assert joined.n_epochs == 30
