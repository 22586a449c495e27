from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from scipy.signal import periodogram

from sjepa_online.data.simulated import RESPONSE_DELAY, SimulatedParticipant
from sjepa_online.data.simulated.responses import IMAGERY
from sjepa_online.errors import InputError
from sjepa_online.protocol import Protocol

VISUAL = ("Fz", "C3", "Cz", "C4", "Pz", "PO7", "POz", "PO8", "O1", "Oz", "O2", "Iz")
MOTOR = ("C3", "Cz", "C4", "C5", "C6", "Oz")
SFREQ = 250.0
# float32 samples of up to some hundred µV
ROUNDING = 1e-4


def imagery_protocol(*names: str) -> Protocol:
    return Protocol.model_validate(
        {
            "name": "own",
            "paradigm": "mi",
            "window": {"start": 0.0, "length": 2.0},
            "classes": [{"name": name} for name in names],
        }
    )


def power_ratios(make: Callable[[], SimulatedParticipant], markers, start, stop, low, high):
    """Power between two frequencies, by channel, as a share of that without the markers."""
    powers = []
    for shown in (markers, {}):
        participant = make()
        for time, text in shown.items():
            participant.push_marker(text, time)
        signal = participant.generate(round(stop * SFREQ))[:, round(start * SFREQ) :]
        frequencies, power = periodogram(signal.astype(float), SFREQ)
        powers.append(power[:, (frequencies > low) & (frequencies < high)].sum(axis=1))
    return dict(zip(participant.ch_names, powers[0] / powers[1], strict=True))


@pytest.mark.parametrize(
    ("paradigm", "before", "marker"),
    [
        ("ssvep", "end", "12.0"),
        ("mi", "end", "left_hand"),
        ("erp", "end", "Target/ABC"),
        ("erp", "end", "NonTarget/ABC"),
        ("ssvep", "6.67", "end"),
        ("mi", "right_hand", "end"),
    ],
)
@pytest.mark.parametrize("seed", [0, 1, 2])
def test_nothing_changes_within_the_delay_of_a_response(
    participant, paradigm, before, marker, seed
):
    signals = []
    for texts in ((before, marker), (before,)):
        shown = participant(paradigm, seed=seed)
        for time, text in zip((0.5, 3.0), texts, strict=False):
            shown.push_marker(text, time)
        signals.append(shown.generate(round(6 * SFREQ)).astype(float))
    change = np.abs(signals[0] - signals[1]).max(axis=0)
    first = round((3.0 + RESPONSE_DELAY) * SFREQ)
    assert change[: first + 1].max() < ROUNDING
    assert change[first:].max() > 0.1


@pytest.mark.parametrize(
    ("label", "frequency"), [("12.0", 12.0), ("8.57", 60 / 7), ("5.45", 60 / 11)]
)
def test_flicker_drives_the_occiput_at_its_frequency_and_harmonics(answer, label, frequency):
    response = answer("ssvep", {1.0: label}, 12.0, ch_names=VISUAL)[:, round(2 * SFREQ) :]
    strength = dict(zip(VISUAL, response.std(axis=1), strict=True))
    assert max(strength, key=strength.__getitem__) == "Oz"
    assert strength["Fz"] < 0.2 * strength["Oz"]
    frequencies, power = periodogram(response[VISUAL.index("Oz")], SFREQ, window="hann")
    assert frequencies[power.argmax()] == pytest.approx(frequency, abs=0.11)
    harmonic = np.abs(frequencies - 2 * frequency) < 0.2
    between = np.abs(frequencies - 1.5 * frequency) < 0.2
    assert power[harmonic].max() > 0.02 * power.max()
    assert power[between].max() < 1e-4 * power.max()


def test_the_attended_flicker_stands_out_of_the_noise(participant):
    shown = participant("ssvep", seed=2)
    shown.push_marker("12.0", 0.0)
    shown.generate(round(2 * SFREQ))
    frequencies, power = periodogram(shown.generate(round(20 * SFREQ))[0], SFREQ, window="hann")
    near = (frequencies > 11) & (frequencies < 13)
    assert frequencies[near][power[near].argmax()] == pytest.approx(12.0, abs=0.06)
    assert power[near].max() > 10 * np.median(power[near])


def test_the_phase_is_locked_to_the_marker_within_a_sample(answer):
    early = answer("ssvep", {1.0: "12.0"}, 6.0)
    # a third of a sample later, at another place in the cycle
    late = answer("ssvep", {1.1373333: "12.0"}, 6.0)
    phases = []
    for response, start in ((early, 1.0), (late, 1.1373333)):
        times = np.arange(response.shape[1]) / SFREQ - start
        steady = (times > 1.0) & (times < 4.0)  # 36 cycles
        phases.append(np.angle(response[0, steady] @ np.exp(-24j * np.pi * times[steady])))
    shift = np.angle(np.exp(1j * (phases[0] - phases[1]))) / (24 * np.pi)
    assert abs(shift) < 0.2 / SFREQ


def test_the_response_lasts_from_its_marker_to_the_end(answer):
    response = np.abs(answer("ssvep", {2.0: "12.0", 6.0: "end"}, 8.0)[0])
    assert response[: round(2.08 * SFREQ)].max() < ROUNDING
    assert response[round(3 * SFREQ) : round(6 * SFREQ)].max() > 1.0
    assert response[round(6.6 * SFREQ) :].max() < ROUNDING


@pytest.mark.parametrize("word", ["end", "pause", "cue/12.0"])
def test_what_ends_a_trial_ends_the_response(answer, word):
    response = np.abs(answer("ssvep", {0.0: "12.0", 2.0: word}, 4.0)[0])
    assert response[round(2.6 * SFREQ) :].max() < ROUNDING


def test_a_target_that_does_not_flicker_evokes_nothing(answer):
    assert np.abs(answer("ssvep-exo", {0.5: "rest"}, 3.0)).max() < ROUNDING
    assert np.abs(answer("ssvep-exo", {0.5: "17"}, 3.0)).max() > 1.0


def test_practice_is_answered_like_the_rest(answer):
    real = answer("ssvep", {0.5: "12.0"}, 3.0)
    np.testing.assert_array_equal(answer("ssvep", {0.5: "practice/12.0"}, 3.0), real)


def test_a_free_trial_is_about_the_last_cue(answer):
    free = answer("ssvep", {0.0: "cue/6.67", 0.5: "cue/12.0", 1.0: "trial"}, 4.0)
    np.testing.assert_array_equal(free, answer("ssvep", {1.0: "12.0"}, 4.0))
    assert np.abs(answer("ssvep", {1.0: "trial"}, 4.0)).max() < ROUNDING


@pytest.mark.parametrize("seed", range(4))
def test_imagery_lowers_the_rhythms_of_the_other_hemisphere(participant, seed):
    left, right = (
        power_ratios(lambda: participant("mi", MOTOR, seed=seed), {1.0: name}, 3, 60, 8, 30)
        for name in ("left_hand", "right_hand")
    )
    assert left["C4"] < 0.95 * left["C3"]
    assert right["C3"] < 0.95 * right["C4"]
    assert left["C4"] < 0.95
    assert left["Oz"] == pytest.approx(1.0, abs=0.02)


@pytest.mark.parametrize(
    ("name", "area"),
    [("feet", "Cz"), ("tongue", "C5"), ("tongue", "C6"), ("left_hand", "C4"), ("hands", "C3")],
)
def test_each_movement_works_on_its_area(name, area):
    protocol = imagery_protocol(name, "rest")
    ratios = power_ratios(
        lambda: SimulatedParticipant(protocol, MOTOR, SFREQ, 5), {1.0: name}, 3, 30, 8, 30
    )
    assert area in sorted(ratios, key=ratios.__getitem__)[:2]
    assert ratios[area] < 0.95


def test_rest_changes_nothing():
    protocol = imagery_protocol("left_hand", "rest")
    shown, idle = (SimulatedParticipant(protocol, MOTOR, SFREQ, 5) for _ in range(2))
    shown.push_marker("rest", 0.5)
    np.testing.assert_array_equal(shown.generate(1000), idle.generate(1000))


def test_beta_rebounds_over_the_hand_that_rested(participant):
    beta = 2 * participant("mi", MOTOR, seed=1).traits.mu_frequency
    markers = {1.0: "right_hand", 5.0: "end"}

    def change(session: int, start: float, stop: float) -> list[float]:
        ratios = power_ratios(
            lambda: participant("mi", MOTOR, seed=1, session=session),
            *(markers, start, stop, beta - 3, beta + 3),
        )
        return [np.log(ratios["C3"]), np.log(ratios["C4"])]

    c3, c4 = np.mean([change(session, 5.7, 6.6) for session in range(1, 21)], axis=0)
    assert c3 > 0.2
    assert c3 > c4 > 0.0
    assert change(1, 8.0, 12.0) == pytest.approx([0.0, 0.0], abs=0.01)


def test_an_unknown_movement_is_refused_with_the_known_ones():
    with pytest.raises(InputError) as refused:
        SimulatedParticipant(imagery_protocol("left_hand", "elbow"), MOTOR, SFREQ, 0)
    assert "elbow" in refused.value.value
    assert "left_hand" not in refused.value.value
    assert all(name in refused.value.remedy for name in IMAGERY)


def test_a_target_evokes_a_p300_at_the_back_of_the_head(answer):
    markers = {0.5 + 1.5 * trial: "Target/ABC" for trial in range(60)}
    response = answer("erp", markers, 91.0, ch_names=VISUAL)
    start = round(0.5 * SFREQ)
    n = round(1.5 * SFREQ)
    average = np.mean([response[:, start + k * n : start + (k + 1) * n] for k in range(60)], axis=0)
    times = np.arange(n) / SFREQ
    peak = average[:, np.abs(times - 0.36) < 0.08].max(axis=1)
    pz = average[VISUAL.index("Pz")]
    assert 0.28 < times[pz.argmax()] < 0.45
    assert VISUAL[peak.argmax()] in {"Pz", "POz"}
    assert peak[VISUAL.index("Pz")] > peak[VISUAL.index("Oz")]
    po7 = average[VISUAL.index("PO7")]
    assert po7[np.abs(times - 0.11) < 0.02].max() > 0.2  # P1
    assert po7[np.abs(times - 0.17) < 0.03].min() < -0.5  # N1
    assert np.abs(average[:, times > 1.0]).max() < ROUNDING


def test_any_flash_evokes_early_peaks_but_no_p300(answer):
    other = answer("erp", {0.5: "NonTarget/ABC"}, 2.0, ch_names=VISUAL)
    times = np.arange(other.shape[1]) / SFREQ - 0.5
    assert other[VISUAL.index("PO8"), np.abs(times - 0.17) < 0.03].min() < -0.3
    assert np.abs(other[:, times > 0.23]).max() < ROUNDING


def test_a_free_flash_is_a_target_if_it_holds_the_cued_symbol(answer):
    cue = {0.0: "cue/B"}
    target = answer("erp", {**cue, 0.5: "flash/ABC"}, 2.0)
    other = answer("erp", {**cue, 0.5: "flash/DEF"}, 2.0)
    np.testing.assert_array_equal(target, answer("erp", {0.5: "Target/ABC"}, 2.0))
    late = slice(round(0.75 * SFREQ), None)
    assert np.abs(other[:, late]).max() < ROUNDING < np.abs(target[:, late]).max()
    uncued = answer("erp", {0.5: "flash/ABC"}, 2.0)
    assert np.abs(uncued[:, late]).max() < ROUNDING
