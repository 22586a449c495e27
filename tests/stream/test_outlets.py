from __future__ import annotations

import numpy as np
import pylsl
import pytest

from sjepa_online.errors import InputError
from sjepa_online.stream import DecisionOutlet, FrameOutlet, ProbabilityOutlet


def open_inlet(name: str) -> pylsl.StreamInlet:
    (info,) = pylsl.resolve_byprop("name", name, timeout=5)
    inlet = pylsl.StreamInlet(info)
    inlet.open_stream(5)
    return inlet


@pytest.mark.parametrize("sfreq", [0.0, 8.0])
def test_probabilities_are_published_exactly_with_their_classes(sfreq):
    with ProbabilityOutlet("probabilities", ["13", "rest"], sfreq) as outlet:
        inlet = open_inlet("probabilities")
        outlet._outlet.wait_for_consumers(5)
        outlet.push(np.array([0.3, 0.7]), 1234.5678)
        sample, timestamp = inlet.pull_sample(5)
        info = inlet.info(5)
    assert (sample, timestamp) == ([0.3, 0.7], 1234.5678)
    assert (info.type(), info.nominal_srate()) == ("Probability", sfreq)
    assert info.get_channel_labels() == ["13", "rest"]
    assert info.get_channel_types() == ["probability"] * 2


def test_probabilities_of_another_number_of_classes_are_refused():
    with (
        ProbabilityOutlet("refused", ["13", "rest"]) as outlet,
        pytest.raises(InputError, match="number of probabilities"),
    ):
        outlet.push([0.2, 0.3, 0.5], 1.0)


def test_decisions_are_markers():
    with DecisionOutlet("decisions") as outlet:
        inlet = open_inlet("decisions")
        outlet._outlet.wait_for_consumers(5)
        outlet.push("left_hand", 99.25)
        sample, timestamp = inlet.pull_sample(5)
        info = inlet.info(5)
    assert (sample, timestamp) == (["left_hand"], 99.25)
    assert (info.type(), info.nominal_srate()) == ("Markers", 0.0)


def test_a_closed_outlet_is_gone():
    outlet = DecisionOutlet("closed")
    outlet.close()
    assert pylsl.resolve_byprop("name", "closed", timeout=0.5) == []


def test_each_frame_needs_a_time_and_a_count():
    with FrameOutlet(60.0) as outlet, pytest.raises(InputError, match="counts of late refreshes"):
        outlet.push([1.0, 2.0], [0])
