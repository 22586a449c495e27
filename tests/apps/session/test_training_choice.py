"""A session that goes on trains what it was begun with, unless something else is chosen."""

from __future__ import annotations

from sjepa_apps.session.training_choice import TrainingChoice
from sjepa_apps.session_window.setup import SessionSetup
from sjepa_online.decoding import DecoderRequest


def test_what_is_chosen_now_goes_before_what_was_chosen_then() -> None:
    begun = TrainingChoice(decoder="riemann", population="none", dynamic_stopping=True)
    assert TrainingChoice().or_of(begun) == begun
    now = TrainingChoice(decoder="umm", weights="mine")
    expected = TrainingChoice(
        decoder="umm", weights="mine", population="none", dynamic_stopping=True
    )
    assert now.or_of(begun) == expected


def test_a_setup_takes_over_the_decoder_of_a_session() -> None:
    setup = SessionSetup("mi", DecoderRequest("auto", "default", 3, "cpu"))
    begun = TrainingChoice(decoder="riemann", weights="mine", population="none")
    again = setup.as_begun(begun)
    assert again.training == begun
    assert (again.request.random_state, again.request.device) == (3, "cpu")
    other = SessionSetup("mi", DecoderRequest("riemann"), dynamic_stopping=True)
    assert SessionSetup("mi", DecoderRequest()).as_begun(other.training).training == other.training
