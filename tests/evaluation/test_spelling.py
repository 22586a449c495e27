"""Letters right, on simulated flashes whose letters are known."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from sjepa_online.data import Recording, make_trials
from sjepa_online.decoding import DecoderRequest
from sjepa_online.errors import InputError
from sjepa_online.evaluation.spelling import (
    SpellingData,
    check_letters,
    check_repetitions,
    check_speller,
    evaluate_spelling,
    spelling_data,
)
from sjepa_online.protocol import load_protocol
from sjepa_online.signal import PreprocessorConfig

Spelling = Callable[..., Recording]


@pytest.fixture
def data(simulated_spelling: Spelling) -> SpellingData:
    protocol, config = load_protocol("erp-rowcol"), PreprocessorConfig()
    sides = [simulated_spelling("LUKAS", 6)], [simulated_spelling("WATER", 6, seed=1)]
    training, testing = (make_trials(side, protocol, config) for side in sides)
    return spelling_data(training, sides[0], testing, sides[1])


def test_every_decoder_spells_after_labels_and_some_without(data: SpellingData) -> None:
    requests = [DecoderRequest(name, "random") for name in ("umm", "riemann", "auto")]
    calls: list[int] = []
    labelled = evaluate_spelling(data, requests[:2], 5, [1, 6], lambda: calls.append(1))
    assert len(calls) == 2
    for name in ("umm", "riemann"):
        shares = labelled[name]
        assert shares is not None
        assert shares[1] == 1.0
        assert shares[0] <= shares[1]
    without = evaluate_spelling(data, requests, 0, [6])
    assert without["riemann"] is None
    assert without["umm"] == without["auto"] == [1.0]


def test_more_letters_or_repetitions_than_there_are_are_refused(data: SpellingData) -> None:
    assert check_letters(data, None) == 5
    assert check_letters(data, 2) == 2
    with pytest.raises(InputError, match="has 5 letters"):
        check_letters(data, 6)
    assert check_repetitions(data, None) == [1, 2, 3, 5]
    assert check_repetitions(data, [6]) == [6]
    with pytest.raises(InputError, match="flashed 6 times"):
        check_repetitions(data, [5, 7])


def test_what_cannot_be_spelled_is_refused(simulated_spelling: Spelling) -> None:
    with pytest.raises(InputError, match="no matrix of symbols"):
        check_speller(load_protocol("mi"))
    protocol = load_protocol("erp")  # its flashes light random sets: row3 is not read as a row
    recording = simulated_spelling("AB", 2)
    trials = make_trials([recording], protocol, PreprocessorConfig())
    with pytest.raises(InputError, match="which symbol was attended"):
        spelling_data(None, [], trials, [recording])
