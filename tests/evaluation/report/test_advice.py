from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from sjepa_online.evaluation.report.advice import advise, more_trials_help
from sjepa_online.evaluation.report.channels import ChannelReport
from sjepa_online.evaluation.report.trials_curve import CurvePoint
from sjepa_online.evaluation.significance import Score

GOOD = Score("accuracy", 0.9, 0.86, 0.94, 0.5, 0.6, 100)


def curve(*points, error=0.01):
    return [
        CurvePoint(size, value, value - 0.05, value + 0.05, error * (size != points[-1][0]))
        for size, value in points
    ]


@pytest.fixture
def content(content_of, scalp_recording):
    return replace(
        content_of("mi", scalp_recording("mi", n_channels=4)),
        score=GOOD,
        curve=curve((10, 0.88), (20, 0.9)),
        confusion=np.array([[18, 2], [2, 18]]),
        channels=[ChannelReport("C3", 8.0, 1.0, 0.1)],
    )


def _texts(content, level):
    return [one.text for one in advise(content) if one.level == level]


def test_a_good_calibration_gets_no_warning(content):
    assert _texts(content, "warning") == []
    assert any("decoder works" in text for text in _texts(content, "good"))
    assert any("enough trials" in text for text in _texts(content, "good"))


def test_at_chance_in_few_trials_the_first_advice_is_to_record_more():
    few = Score("accuracy", 0.8, 0.49, 0.94, 0.5, 0.8, 10)
    assert "reaches up to 0.80 in 95 % of the cases" in few.warning()
    assert "yet: so few trials" in few.warning()
    assert "If it stays at chance, check that" in few.warning()
    for told in (replace(few, n_trials=100), replace(few, value=0.4)):
        assert "Record more" not in told.warning()
        assert "decoder. Check that" in told.warning()


def test_at_chance_the_first_advice_is_what_to_check(content):
    score = Score("accuracy", 0.55, 0.4, 0.7, 0.5, 0.6, 100)
    advice = advise(replace(content, score=score))
    assert advice[0].level == "warning"
    assert advice[0].text.startswith("At chance: accuracy 0.55")
    assert "markers" in advice[0].text
    # neither more trials nor confusions matter then
    assert not any("trials would help" in one.text or "taken for" in one.text for one in advice)


def test_a_curve_that_rises_asks_for_more_trials(content):
    rising = replace(content, curve=curve((10, 0.7), (20, 0.8), (40, 0.9)))
    (text,) = [text for text in _texts(rising, "note") if "More trials" in text]
    assert more_trials_help(rising)
    assert not more_trials_help(content)
    assert not more_trials_help(replace(content, curve=[]))
    assert "from 20 to 40" in text
    assert "+0.10" in text


@pytest.mark.parametrize(
    "points",
    [
        # flat at the end
        ((10, 0.7), (20, 0.8), (30, 0.9), (40, 0.9)),
        # falls at the end
        ((10, 0.7), (20, 0.8), (30, 0.92), (40, 0.9)),
        # nearly flat throughout
        ((10, 0.88), (20, 0.89), (40, 0.9)),
    ],
)
def test_a_curve_that_has_become_flat_asks_for_no_more_trials(content, points):
    assert not more_trials_help(replace(content, curve=curve(*points)))


def test_a_gain_within_its_uncertainty_is_called_unknown(content):
    unsure = replace(content, curve=curve((10, 0.7), (20, 0.8), (40, 0.9), error=0.1))
    assert not more_trials_help(unsure)
    assert any("is not known" in text and "±0.16" in text for text in _texts(unsure, "note"))


def test_a_wide_interval_is_told(content):
    wide = replace(content, score=replace(GOOD, low=0.7, high=0.98))
    assert any("±0.14" in text for text in _texts(wide, "note"))


def test_confusions_are_named(content):
    confused = replace(content, confusion=np.array([[12, 8], [1, 19]]))
    assert any("left hand is taken for right hand in 40 %" in t for t in _texts(confused, "note"))


def test_bad_channels_are_named_up_to_six(content):
    channels = [ChannelReport(f"C{index}", 80.0, 8.0, None) for index in range(1, 9)]
    (text,) = _texts(replace(content, channels=channels), "warning")
    assert "C1 has 8.0 times the median amplitude" in text
    assert "C7" not in text
    assert "and 2 more" in text


def test_dropped_trials_are_told(content):
    trials = replace(content.trials, dropped=("run 1: 2 of 30 trials reach past the end",))
    assert any("run 1: 2 of 30" in text for text in _texts(replace(content, trials=trials), "note"))


def test_what_the_classifier_notes_is_a_warning(content, monkeypatch):
    notes = property(lambda self: ("the labels contradict the population: exchanged?",))
    monkeypatch.setattr(type(content.decoder.classifier), "notes", notes)
    assert "The labels contradict the population: exchanged?" in _texts(content, "warning")
