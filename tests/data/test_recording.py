from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from sjepa_online.errors import InputError


def test_duration_and_channels(recording):
    assert recording.duration == 22.0
    np.testing.assert_array_equal(recording.channels(["O2", "Oz"]), recording.data[[2, 0]])


def test_missing_channels_are_named(recording):
    with pytest.raises(InputError, match="missing Cz, Pz; there are Oz, O1, O2"):
        recording.channels(["Cz", "Oz", "Pz"])


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"data": np.empty((3, 0), np.float32)}, "holds no EEG"),
        ({"data": np.empty((0, 10), np.float32), "ch_names": ()}, "holds no EEG"),
        ({"ch_names": ("Oz", "O1")}, "a name of their own"),
        ({"ch_names": ("Oz", "O1", "O1")}, "a name of their own"),
        ({"sfreq": 0.0}, "no sampling rate"),
        ({"sfreq": float("nan")}, "no sampling rate"),
        ({"sfreq": 1e-3}, "no sampling rate"),
        ({"sfreq": 1e9}, "no sampling rate"),
        ({"sfreq": 1e308}, "no sampling rate"),
        ({"labels": ("13",)}, "3 onsets and 1 labels"),
        ({"onsets": np.array([1.0, np.nan, 3.0])}, "onsets are not finite"),
        ({"bad": "Oz"}, "Write bad="),
    ],
)
def test_what_does_not_fit_together_is_refused(recording, change, message):
    with pytest.raises(InputError, match=message):
        replace(recording, **change)


@pytest.mark.parametrize("sfreq", [100.0, 250.0, 256.0, 512.0])
def test_a_break_lies_on_the_sample_that_its_time_was_made_of(recording, sfreq):
    """Of a quotient of floats, a product is seldom the whole number again."""
    samples = np.arange(1, 1000)
    cut = replace(
        recording, data=np.zeros((3, 1000), np.float32), sfreq=sfreq, breaks=samples / sfreq
    )
    assert cut.segments == tuple((first, first + 1) for first in range(1000))
