"""Small simulated signals whose classes are known, for tests of every package.

Nothing here was recorded from a person. Each kind of signal carries its classes in one way only:

- ``phase-locked``: the first class has a response 0.3 s after the start of its trial;
- ``power``: a rhythm of 10 Hz and random phase stands at an electrode of its own for each class;
- ``stimulus``: a flicker of random phase, at another frequency for each class but the last;
- ``noise``: the classes do not differ.
"""

from __future__ import annotations

import json
import os
import shutil
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from sklearn.linear_model import LogisticRegression

from sjepa_online.data import Recording, make_trials
from sjepa_online.decoding import CalibrationSummary, Decoder, EpochClassifier, State
from sjepa_online.decoding.bad_channels.interpolation import ChannelInterpolation
from sjepa_online.decoding.base import EPOCHS, Features
from sjepa_online.model import covariance_kernel
from sjepa_online.protocol import Protocol, load_protocol
from sjepa_online.signal import PreprocessorConfig
from sjepa_online.stream import configure, library
from sjepa_online.tensor_file import open_safetensors, write_tensor_file
from sjepa_online.training.calibration import fit_baseline

# tests run side by side: a second thread for small matrices would only wait for a core
os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ["QT_QPA_PLATFORM"] = "offscreen"

CH_NAMES = ("C3", "Cz", "C4", "Pz")
FREQUENCIES = (9.0, 13.0)
TRIAL_SECONDS = 2.0
Floats = NDArray[np.float64]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin with the tests that mostly wait, the same number of them in each process.

    ``pytest -n N --dist worksteal`` gives each process one Nth of the list, and whoever is done
    takes from the end of another's: what waits long must not come last.
    """
    n_processes = int(os.environ.get("PYTEST_XDIST_WORKER_COUNT", "1"))
    slow = [item for item in items if item.get_closest_marker("slow")]
    others = [item for item in items if not item.get_closest_marker("slow")]
    share = -(-len(others) // n_processes)
    items[:] = [
        item
        for place in range(n_processes)
        for item in (*slow[place::n_processes], *others[place * share : (place + 1) * share])
    ]


def pytest_configure(config: pytest.Config) -> None:
    """Keep LSL on the loopback interface, in a session of its own for each process of tests.

    The processes of ``pytest -n`` so never see each other's streams.
    """
    folder = Path(tempfile.mkdtemp(prefix="sjepa-online-tests-"))
    config.add_cleanup(lambda: shutil.rmtree(folder))
    library.SCOPES = shutil.copytree(library.SCOPES, folder / "scopes")
    machine = library.SCOPES / "machine.cfg"
    before, lab, after = machine.read_text().partition("[lab]\n")
    machine.write_text(f"{before}{lab}SessionID = {folder.name}\n{after}")
    os.environ.pop("LSLAPICFG", None)
    configure("machine")


def _background(rng: np.random.Generator, n_channels: int, n_samples: int) -> Floats:
    """Noise of about 10 µV that neighbouring channels share."""
    mixing = np.eye(n_channels) + 0.4 * np.eye(n_channels, k=1) + 0.4 * np.eye(n_channels, k=-1)
    return 9.0 * mixing @ rng.standard_normal((n_channels, n_samples))


def _carrier(kind: str, target: int, n_classes: int, seconds: Floats, phase: float) -> Floats:
    """What is added to the background in a trial of class ``target``, (channels, samples)."""
    signal = np.zeros((len(CH_NAMES), len(seconds)))
    if kind == "phase-locked" and target == 0:
        response = 25.0 * np.exp(-(((seconds - 0.3) / 0.06) ** 2))
        signal += np.array([[0.3], [1.0], [0.5], [0.8]]) * response
    elif kind == "power":
        signal[2 * target] = 25.0 * np.cos(2 * np.pi * 10.0 * seconds + phase)
    elif kind == "stimulus" and target < n_classes - 1:
        flicker = np.cos(2 * np.pi * FREQUENCIES[target] * seconds + phase)
        signal += np.array([[0.2], [0.4], [0.2], [1.0]]) * 12.0 * flicker
    return signal


@pytest.fixture
def simulated_epochs() -> Callable[..., tuple[NDArray[np.float32], NDArray[np.str_]]]:
    """Make simulated epochs ``(n, 4, samples)`` in µV at 128 Hz, and their labels."""

    def make(
        kind: str,
        n_trials: int = 40,
        classes: tuple[str, ...] = ("right", "left"),
        n_times: int = 192,
        seed: int = 0,
    ) -> tuple[NDArray[np.float32], NDArray[np.str_]]:
        rng = np.random.default_rng(seed)
        seconds = np.arange(n_times) / 128
        targets = np.arange(n_trials) % len(classes)
        epochs = [
            _background(rng, len(CH_NAMES), n_times)
            + _carrier(kind, target, len(classes), seconds, rng.uniform(0, 2 * np.pi))
            for target in targets
        ]
        return np.array(epochs, dtype=np.float32), np.array(classes)[targets]

    return make


@pytest.fixture
def protocol() -> Protocol:
    """Two classes, and the shortest window there is: one token."""
    return Protocol.model_validate(
        {
            "name": "simulated",
            "paradigm": "mi",
            "electrodes": "all",
            "window": {"start": 0.25, "length": 1.1875},
            "classes": [{"name": "right", "aliases": ["T2"]}, {"name": "left"}],
        }
    )


@pytest.fixture
def simulated_recording() -> Callable[..., Recording]:
    """Make a simulated recording in µV, with a trial every 2 s from 1 s on."""

    def make(
        kind: str = "power",
        n_trials: int = 16,
        classes: tuple[str, ...] = ("right", "left"),
        sfreq: float = 250.0,
        seed: int = 0,
        **fields: Any,
    ) -> Recording:
        rng = np.random.default_rng(seed)
        onsets = 1.0 + TRIAL_SECONDS * np.arange(n_trials)
        data = _background(rng, len(CH_NAMES), round((onsets[-1] + TRIAL_SECONDS) * sfreq))
        seconds = np.arange(round(TRIAL_SECONDS * sfreq)) / sfreq
        for index, onset in enumerate(onsets):
            first = round(onset * sfreq)
            data[:, first : first + len(seconds)] += _carrier(
                kind, index % len(classes), len(classes), seconds, rng.uniform(0, 2 * np.pi)
            )
        values = {
            "name": "simulated",
            "data": data.astype(np.float32),
            "unit": "uV",
            "sfreq": sfreq,
            "ch_names": CH_NAMES,
            "onsets": onsets,
            "labels": tuple(classes[index % len(classes)] for index in range(n_trials)),
            "breaks": np.empty(0),
            "simulated": True,
        }
        return Recording(**(values | fields))

    return make


@pytest.fixture(scope="session")
def simulated_spelling() -> Callable[..., Recording]:
    """Make a simulated recording of a speller whose rows and columns flash, without cues.

    A flash of the attended row or column has a response 0.3 s later. Letters are ``gap`` seconds
    apart.
    """

    def make(
        text: str,
        n_repetitions: int = 4,
        response: float = 12.0,
        gap: float = 2.5,
        seed: int = 0,
        labelled: bool = True,
        sfreq: float = 128.0,
    ) -> Recording:
        rng = np.random.default_rng(seed)
        speller = load_protocol("erp-rowcol").speller
        assert speller is not None
        codes = [f"{kind}{number}" for kind in ("row", "col") for number in range(1, 7)]
        labels, onsets, hits, time = [], [], [], 1.0
        for letter in text:
            for code in (code for _ in range(n_repetitions) for code in rng.permutation(codes)):
                is_target = letter in speller.lit(code)
                word = ("Target" if is_target else "NonTarget") if labelled else "flash"
                labels.append(f"{word}/{code}")
                onsets.append(time)
                hits += [time] if is_target else []
                time += 0.15
            time += gap
        data = _background(rng, len(CH_NAMES), round((time + 1.6) * sfreq))
        seconds = np.arange(round(0.6 * sfreq)) / sfreq
        shape = np.array([[0.3], [1.0], [0.5], [0.8]]) * np.exp(-(((seconds - 0.3) / 0.06) ** 2))
        for onset in hits:
            first = round(onset * sfreq)
            data[:, first : first + len(seconds)] += response * shape
        return Recording(
            name=f"simulated spelling {seed}",
            data=data.astype(np.float32),
            unit="uV",
            sfreq=sfreq,
            ch_names=CH_NAMES,
            onsets=np.array(onsets),
            labels=tuple(labels),
            breaks=np.empty(0),
            simulated=True,
        )

    return make


class LogVarianceClassifier(EpochClassifier):
    """The log variance of each channel, read by a timid logistic regression.

    It is fast, and its probabilities stay far from 0 and 1, so that every sample shows in them.
    """

    kind = "log-variance"

    def __init__(self, classes: tuple[str, ...]) -> None:
        super().__init__(classes)
        self._regression = LogisticRegression(C=0.05)

    def features(self, X: Floats) -> Features:
        return {EPOCHS: np.log(X.var(axis=-1))}

    def predict_features(self, features: Features) -> Floats:
        probabilities: Floats = self._regression.predict_proba(features[EPOCHS])
        return probabilities

    def _fit_targets(self, features: Features, targets: NDArray[np.intp], _: bool) -> None:
        self._regression.fit(features[EPOCHS], targets)

    def to_state(self) -> State:
        raise NotImplementedError

    @classmethod
    def from_state(cls, state: State, restore: Callable[[State], EpochClassifier]) -> Any:
        raise NotImplementedError


@pytest.fixture
def make_decoder(protocol: Protocol) -> Callable[..., Decoder]:
    """Fit a decoder on the trials of a recording."""

    def make(
        recording: Recording,
        protocol: Protocol = protocol,
        config: PreprocessorConfig | None = None,
        classifier: EpochClassifier | None = None,
    ) -> Decoder:
        config = PreprocessorConfig() if config is None else config
        trials = make_trials([recording], protocol, config)
        if classifier is None:
            classifier = LogVarianceClassifier(protocol.class_names)
        summary = CalibrationSummary(
            n_trials=len(trials.y),
            sfreq=recording.sfreq,
            sources=(recording.name,),
            simulated=True,
            amplitude=10.0,
        )
        return Decoder(
            "test",
            classifier.fit(trials.X, trials.y),
            protocol,
            trials.ch_names,
            config,
            ChannelInterpolation(trials.ch_names, covariance_kernel(trials.X)),
            fit_baseline([recording], trials.ch_names),
            summary,
        )

    return make


@pytest.fixture(scope="session")
def edit_tensor_file() -> Callable[..., None]:
    """Change a file of ours in place and give it the checksum of what it then holds."""

    def edit(
        path: Path,
        change: Callable[[dict[str, Any], dict[str, NDArray[Any]]], object] = lambda *_: None,
        format_version: int = 1,
    ) -> None:
        metadata, arrays = open_safetensors(path)
        config = json.loads(metadata["config"])
        change(config, arrays)
        write_tensor_file(path, metadata["format"], format_version, config, arrays)

    return edit
