from __future__ import annotations

import pytest

from sjepa_apps.session.free_spelling import UNDO, FreeText, FreeTrials, frequent_words
from sjepa_online.errors import InputError
from sjepa_online.markers import parse_marker
from sjepa_online.protocol import load_protocol

SYMBOLS = load_protocol("erp").speller.symbols


@pytest.fixture
def text():
    return FreeText(SYMBOLS, ("THE", "THEN", "HELLO", "HELP", "HELD", "HELMET"))


def spell(text, symbols):
    for symbol in symbols:
        text.take(symbol)
    return text.text


def test_symbols_write_themselves(text):
    assert spell(text, "AB_C") == "AB_C"


def test_the_most_frequent_words_that_fit_are_suggested(text):
    assert text.suggestions == {}
    spell(text, "A_HEL")
    assert text.suggestions == {"1": "HELLO", "2": "HELP", "3": "HELD"}
    assert text.keys == {"1": "HELLO", "2": "HELP", "3": "HELD", "9": "undo"}
    assert spell(text, "2") == "A_HELP_"
    assert text.suggestions == {}


def test_undo_takes_back_a_symbol_and_a_word(text):
    spell(text, "HE1")
    assert text.text == "HELLO_"
    assert spell(text, UNDO) == "HE"
    assert spell(text, UNDO + UNDO + UNDO) == ""
    assert "9" not in text.keys


def test_a_word_that_is_written_is_not_suggested_again(text):
    spell(text, "THE")
    assert text.suggestions == {"1": "THEN"}


def test_a_number_without_a_suggestion_writes_itself(text):
    assert spell(text, "1") == "1"


def test_a_matrix_without_numbers_only_spells():
    text = FreeText("ABCDEHLOP_", ("HELLO",))
    assert spell(text, "HE") == "HE"
    assert text.keys == {}


def test_shipped_words_can_be_spelled_and_are_many():
    words = frequent_words()
    assert len(words) > 500
    assert len(set(words)) == len(words)
    assert set("".join(words)) <= set(SYMBOLS)


def test_free_trials_tell_nobody_a_target():
    protocol = load_protocol("erp")
    trials = FreeTrials(protocol, 0, 5)
    assert len(trials) == 5
    trial = trials[3]
    assert trial == trials[3] != trials[4]
    markers = [parse_marker(phase.marker) for phase in trial.phases if phase.marker]
    assert [one.word for one in markers[:-1]] == ["flash"] * (len(markers) - 1)
    assert markers[-1].word == "end"
    lit = "".join(one.about for one in markers)
    # each symbol lights up twice in each sequence
    assert {lit.count(symbol) for symbol in SYMBOLS} == {2 * protocol.speller.sequences}


def test_only_a_speller_spells_freely():
    with pytest.raises(InputError, match="has no matrix of symbols"):
        FreeTrials(load_protocol("mi"), 0)
