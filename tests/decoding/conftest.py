"""Fitted decoders that are small enough to be made for each test."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest
import torch

from sjepa_online.data import Recording
from sjepa_online.decoding import Decoder, DecoderRequest
from sjepa_online.decoding.classifiers import fine_tuning
from sjepa_online.decoding.classifiers.pre_local import classifier as pre_local
from sjepa_online.model import ModelConfig, SignalJEPA
from sjepa_online.model.checkpoint import save_checkpoint
from sjepa_online.protocol import Protocol

#: Which simulated signal carries the classes that a paradigm reads.
KIND_OF = {"erp": "phase-locked", "mi": "power", "ssvep": "stimulus"}


@pytest.fixture
def protocol_of() -> Callable[[str], Protocol]:
    """Make a protocol of windows of one token, whose class order is not alphabetical."""

    def make(paradigm: str) -> Protocol:
        classes = [{"name": name} for name in ("right", "left")]
        if paradigm == "ssvep":
            classes = [
                {"name": "slow", "frequency": 9.0},
                {"name": "fast", "frequency": 13.0},
                {"name": "rest"},
            ]
        window = {"start": 0.0, "length": 1.1875}
        return Protocol.model_validate(
            {
                "name": "simulated",
                "paradigm": paradigm,
                "electrodes": "all",
                "window": window,
                "classes": classes,
            }
        )

    return make


@pytest.fixture(scope="session")
def tiny_weights(tmp_path_factory: pytest.TempPathFactory) -> str:
    """Weights of a network with one small layer in each transformer."""
    path = tmp_path_factory.mktemp("weights") / "tiny.safetensors"
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        config = ModelConfig.for_channels(
            ("C3", "Cz", "C4", "Pz"), n_encoder_layers=1, n_decoder_layers=1, d_feed_forward=16
        )
        save_checkpoint(SignalJEPA(config), path)
    return str(path)


@pytest.fixture
def short_training(monkeypatch: pytest.MonkeyPatch) -> None:
    """Fine-tune for a few epochs, where the test is not about how well."""
    monkeypatch.setattr(fine_tuning, "MAX_EPOCHS", 3)
    monkeypatch.setattr(fine_tuning, "WARM_UP_EPOCHS", 2)
    short = {name: replace(one, steps=5) for name, one in pre_local.SCHEDULES.items()}
    monkeypatch.setattr(pre_local, "SCHEDULES", short)


@pytest.fixture
def fitted(
    simulated_recording: Callable[..., Recording],
    make_decoder: Callable[..., Decoder],
    protocol_of: Callable[[str], Protocol],
    tiny_weights: str,
) -> Callable[..., Decoder]:
    """Fit the decoder of a name on a simulated recording that suits its paradigm."""

    def make(name: str, paradigm: str = "mi") -> Decoder:
        protocol = protocol_of(paradigm)
        recording = simulated_recording(
            KIND_OF[paradigm], n_trials=24, classes=protocol.class_names
        )
        request = DecoderRequest(name, weights=tiny_weights, device="cpu")
        classifier = request.make(protocol, recording.ch_names)
        return make_decoder(recording, protocol, classifier=classifier)

    return make
