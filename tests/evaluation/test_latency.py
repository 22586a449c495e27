from __future__ import annotations

import signal
from collections.abc import Iterator

import pytest

from sjepa_online.decoding import DecoderRequest
from sjepa_online.decoding.classifiers.paper_heads import PaperHead
from sjepa_online.decoding.dynamic_stopping import PrefixClassifier
from sjepa_online.evaluation import latency
from sjepa_online.model import ModelConfig, SignalJEPA
from sjepa_online.protocol import Protocol

CH_NAMES = ("C3", "Cz", "C4")


@pytest.mark.parametrize("name", ["pre-local", "riemann", "auto"])
def test_what_never_leaves_the_processor_says_so(protocol: Protocol, name: str) -> None:
    classifier = DecoderRequest(name, "random", population="none").make(protocol, CH_NAMES)
    assert classifier.device == "cpu"


def test_a_fine_tuned_network_tells_its_device_for_all_prefixes() -> None:
    network = SignalJEPA(ModelConfig.for_channels(CH_NAMES))
    head = PaperHead("contextual", "full", network, ("left", "right"), 0, "cuda")
    assert head.device == "cuda"
    assert PrefixClassifier({192: head.clone(), 256: head}).device == "cuda"


@pytest.fixture
def handler() -> Iterator[None]:
    before = signal.getsignal(signal.SIGINT)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.mark.usefixtures("handler")
def test_the_simulated_amplifier_leaves_an_interrupt_to_its_parent(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    class Interrupted:
        """Ctrl-C comes while the noise is sent."""

        def __init__(self, *_: object, **__: object) -> None: ...

        def run(self) -> None:
            signal.raise_signal(signal.SIGINT)

    monkeypatch.setattr(latency, "Replay", Interrupted)
    monkeypatch.setattr(latency, "end_with_parent", lambda: None)
    latency._stream_noise("noise", 2, 100.0, 1.0)
