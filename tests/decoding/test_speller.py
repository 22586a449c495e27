"""Evidence of flashes against Bayes' rule with the densities that the scores were drawn from."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.special import expit
from scipy.stats import norm

from sjepa_online.decoding.speller import FlashEvidence, SymbolPosterior
from sjepa_online.errors import InputError
from sjepa_online.protocol import load_protocol
from sjepa_online.schedule import make_schedule

DISTANCE = 1.5


def _scores(rng: np.random.Generator, is_target: np.ndarray) -> np.ndarray:
    return rng.normal(np.where(is_target, DISTANCE / 2, -DISTANCE / 2))


@pytest.mark.parametrize("share", [0.5, 0.1])
def test_evidence_is_the_likelihood_ratio_whatever_the_decoder_makes_of_it(share: float) -> None:
    rng = np.random.default_rng(0)
    is_target = rng.random(20_000) < share
    scores = _scores(rng, is_target)
    # a decoder that is twice too sure, and prefers targets
    evidence = FlashEvidence.fit(expit(2 * DISTANCE * scores + 1.0), is_target)
    for score in (-1.0, 0.0, 1.5):
        expected = norm.logpdf(score, DISTANCE / 2) - norm.logpdf(score, -DISTANCE / 2)
        found = evidence.log_likelihood_ratio(float(expit(2 * DISTANCE * score + 1.0)))
        assert found == pytest.approx(expected, abs=0.15)


def test_the_posterior_is_that_of_bayes_rule() -> None:
    rng = np.random.default_rng(1)
    evidence = FlashEvidence(slope=1.0, intercept=0.0)
    posterior = SymbolPosterior("ABCD", evidence)
    expected = np.ones(4)
    for _ in range(20):
        lit = "".join(rng.permutation(list("ABCD"))[:2])
        score = rng.normal()
        posterior.update(lit, float(expit(DISTANCE * score)))
        for index, symbol in enumerate("ABCD"):
            expected[index] *= norm.pdf(score, DISTANCE / 2 if symbol in lit else -DISTANCE / 2)
    np.testing.assert_allclose(posterior.probabilities, expected / expected.sum(), atol=1e-9)
    assert posterior.best == (
        "ABCD"[int(expected.argmax())],
        pytest.approx(max(posterior.probabilities)),
    )


def test_a_symbol_of_the_speller_is_as_often_right_as_its_probability_says() -> None:
    rng = np.random.default_rng(2)
    speller = load_protocol("erp").speller
    assert speller is not None
    training = rng.random(2000) < 1 / 6
    evidence = FlashEvidence.fit(expit(DISTANCE * _scores(rng, training) - 1.6), training)
    probabilities, right = [], []
    for seed in range(12):
        for trial in make_schedule(load_protocol("erp"), seed):
            posterior = SymbolPosterior(speller.symbols, evidence)
            for phase in [one for one in trial.phases if one.kind == "flash"][:24]:
                score = _scores(rng, np.array(trial.target in phase.lit))
                posterior.update(phase.lit, float(expit(DISTANCE * score - 1.6)))
            symbol, probability = posterior.best
            probabilities.append(probability)
            right.append(symbol == trial.target)
    assert 0.6 < np.mean(right) < 0.95
    assert np.mean(right) == pytest.approx(np.mean(probabilities), abs=0.06)


def test_symbols_that_the_matrix_lacks_are_refused() -> None:
    posterior = SymbolPosterior("ABCD", FlashEvidence(slope=1.0, intercept=0.0))
    with pytest.raises(InputError, match="E"):
        posterior.update("AE", 0.5)
    assert posterior.n_flashes == 0
