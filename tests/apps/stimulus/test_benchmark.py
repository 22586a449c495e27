from __future__ import annotations

import gc
import json
import sys

import numpy as np
import pytest

pytest.importorskip("PyQt6", reason="the windows need PyQt6")

from sjepa_apps.stimulus import window as stimulus
from sjepa_apps.stimulus.benchmark import DisplayMeasurement, measure_display
from sjepa_apps.stimulus.display import DisplayReport
from sjepa_apps.stimulus.realtime_priority import RealtimePriority


def test_frames_of_a_display_are_counted(qapp, short_protocol, monkeypatch):
    monkeypatch.setattr(stimulus, "MEASURED_FRAMES", 25)
    monkeypatch.setattr(stimulus, "SETTLING_FRAMES", 2)
    told: list[float] = []
    measured = measure_display(short_protocol("ssvep"), 0.7, unattended=True, progress=told.append)
    assert measured.n_trials == len(told) == 2
    assert len(measured.intervals) == measured.n_frames - 2
    # two trials of half a second; late frames are skipped, so the time stays
    assert measured.intervals.sum() == pytest.approx(1.0, abs=0.2)
    document = measured.to_json()
    assert json.loads(json.dumps(document, allow_nan=False)) == document


def test_late_frames_are_those_after_one_and_a_half_refreshes():
    intervals = np.array([1.0, 1.4, 0.6, 1.6, 3.0, 1.0]) / 60
    measured = DisplayMeasurement(DisplayReport("test", 60.0, True), 1, 7, intervals)
    assert measured.n_late == 2
    assert measured.to_json()["late_share"] == pytest.approx(2 / 7)


def test_python_is_as_before_after_a_trial():
    interval = sys.getswitchinterval()
    rush = RealtimePriority()
    rush.start()
    rush.start()
    assert not gc.isenabled()
    assert sys.getswitchinterval() < interval
    rush.stop()
    assert gc.isenabled()
    assert sys.getswitchinterval() == interval
    rush.stop()
    assert gc.isenabled()
