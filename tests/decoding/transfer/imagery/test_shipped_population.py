"""The population of imagery that ships with the project."""

from __future__ import annotations

import numpy as np

from sjepa_online.decoding.catalog import classifier_from_state
from sjepa_online.decoding.transfer.imagery.classifier import PopulationClassifier
from sjepa_online.decoding.transfer.imagery.population import (
    cortex_electrodes,
    list_imagery_populations,
    load_imagery_population,
)
from sjepa_online.resources import find_resource


def test_it_decodes_and_its_decoder_is_read_back() -> None:
    assert "population-mi" in list_imagery_populations()
    population = load_imagery_population("population-mi")
    X = np.random.default_rng(0).normal(scale=10, size=(12, 3, 536))
    classifier = PopulationClassifier(population, ("C3", "Cz", "C4"), ("left", "right")).fit(X)
    again = classifier_from_state(classifier.to_state())
    assert isinstance(again, PopulationClassifier)
    np.testing.assert_array_equal(again.predict_proba(X), classifier.predict_proba(X))
    assert "not sure" in " ".join(classifier.notes_)


def test_it_reads_cortex_only_and_names_its_sources() -> None:
    population = load_imagery_population("population-mi")
    assert cortex_electrodes(population.config.ch_names) == population.config.ch_names
    assert len(population.config.people) == 55
    card = find_resource("models", "population-mi").with_suffix(".md").read_text(encoding="utf-8")
    for told in ("ODC-BY 1.0", "Schalk et al. 2004", "Goldberger et al. 2000", "forehead"):
        assert told in card
