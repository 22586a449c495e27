from __future__ import annotations

from functools import partial

import numpy as np
import pytest

from sjepa_online.data import Recording
from sjepa_online.decoding import DecoderRequest
from sjepa_online.errors import InputError
from sjepa_online.protocol import Protocol
from sjepa_online.signal import PreprocessorConfig
from sjepa_online.training import calibrate
from sjepa_online.training.second_day import calibrate_today

PROTOCOL = Protocol.model_validate(
    {
        "name": "flicker",
        "paradigm": "ssvep",
        "window": {"start": 0.0, "length": 1.5},
        "classes": [{"name": "9", "frequency": 9.0}, {"name": "13", "frequency": 13.0}],
    }
)


def day(name, n_trials, exchanged=False, ch_names=("Oz", "O1", "O2"), seed=0):
    """Trials whose flicker is as told, or the other one where ``exchanged``."""
    rng = np.random.default_rng(seed)
    sfreq, labels = 200.0, [("9", "13")[number % 2] for number in range(n_trials)]
    data = 8 * rng.standard_normal((3, round((2 * n_trials + 3) * sfreq)))
    seconds = np.arange(round(2 * sfreq)) / sfreq
    for number, label in enumerate(labels):
        shown = {"9": "13", "13": "9"}[label] if exchanged else label
        first = round((1 + 2 * number) * sfreq)
        data[:, first : first + len(seconds)] += 20 * np.sin(2 * np.pi * float(shown) * seconds)
    return Recording(
        name=name, data=data.astype(np.float32), unit="uV", sfreq=sfreq, ch_names=ch_names,
        onsets=1.0 + 2 * np.arange(n_trials), labels=tuple(labels), breaks=np.empty(0),
    )  # fmt: skip


@pytest.fixture
def run():
    return partial(
        calibrate,
        protocol=PROTOCOL,
        preprocessing=PreprocessorConfig(),
        request=DecoderRequest("riemann"),
    )


def test_earlier_sessions_make_up_for_a_day_with_too_few_trials(run):
    with pytest.raises(InputError):
        run([day("today", 6)])
    today = calibrate_today([day("earlier", 30, seed=1)], [day("today", 6)], run)
    assert today.calibration.decoder.calibration.sources == ("earlier", "today")
    assert len(today.calibration.trials.y) == 36
    assert "6 trials of today: used, as today alone is too little" in today.note


def test_earlier_sessions_that_mislead_are_left_out(run):
    earlier = [day("earlier", 60, exchanged=True, seed=1)]
    today = calibrate_today(earlier, [day("today", 20)], run)
    assert today.calibration.decoder.calibration.sources == ("today",)
    assert [one.name for one in today.recordings] == ["today"]
    assert "not used; score of today" in today.note


def test_sessions_of_two_caps_share_their_electrodes(run):
    earlier = [day("earlier", 20, ch_names=("PO7", "O2", "Oz"), seed=1)]
    today = calibrate_today(earlier, [day("today", 6)], run)
    assert set(today.calibration.decoder.ch_names) == {"O2", "Oz"}
