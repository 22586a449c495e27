"""What a request resolves to, and that it is read once."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable

import numpy as np
import pytest

from sjepa_online.data import Recording
from sjepa_online.decoding import DecoderRequest
from sjepa_online.decoding.classifiers import network
from sjepa_online.decoding.transfer import start
from sjepa_online.errors import InputError
from sjepa_online.protocol import Protocol, load_protocol
from sjepa_online.signal import PreprocessorConfig
from sjepa_online.training import calibrate

CH_NAMES = ("Oz", "O1", "O2", "POz", "PO3", "PO4", "PO7", "PO8")


def test_names_are_known_without_what_decodes() -> None:
    code = "import sys, sjepa_online.decoding.catalog as c; c.check_decoder_name('auto'); " + (
        "print([m for m in ('torch', 'sklearn', 'scipy') if m in sys.modules])"
    )
    told = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert told.stdout.strip() == "[]"


@pytest.mark.parametrize("stopping", [False, True])
def test_a_calibration_reads_weights_and_population_once(
    stopping: bool,
    protocol: Protocol,
    simulated_recording: Callable[..., Recording],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    read: list[str] = []
    for module, name in ((network, "load_weights"), (start, "load_population")):
        original = getattr(module, name)

        def count(*args: object, name: str = name, original: Callable[..., object] = original):
            read.append(name)
            return original(*args)

        monkeypatch.setattr(module, name, count)
    ssvep = load_protocol("ssvep-exo").model_copy(
        update={"window": protocol.window.model_copy(update={"start": 0.0, "length": 1.9})}
    )
    recording = simulated_recording(
        "noise", n_trials=16, classes=ssvep.class_names, ch_names=CH_NAMES[:4]
    )
    request = DecoderRequest("filter-bank", device="cpu")
    calibrate(
        [recording], ssvep, PreprocessorConfig(), request, n_folds=3, dynamic_stopping=stopping
    )
    assert sorted(read) == ["load_population", "load_weights"]


def test_a_population_of_the_recordings_in_use_is_left_out() -> None:
    protocol = load_protocol("ssvep-exo")
    request = DecoderRequest("filter-bank", device="cpu")
    plan = request.resolve(protocol, CH_NAMES)
    assert plan.request.population == "auto"
    assert plan.note.startswith("starts from")
    (source, *_) = start.load_population("population-ssvep").config.sources
    plan = request.resolve(protocol, CH_NAMES, [source])
    assert plan.request.population == "none"
    assert "made from these recordings" in plan.note
    assert plan.make().prior is None  # type: ignore[attr-defined]


def test_labels_of_no_class_are_refused() -> None:
    classifier = DecoderRequest("riemann").make(load_protocol("mi"), ("C3", "C4"))
    X = np.random.default_rng(0).standard_normal((4, 2, 536))
    with pytest.raises(InputError, match="classes: feet"):
        classifier.fit(X, np.array(["left_hand", "feet", "right_hand", "feet"]))
