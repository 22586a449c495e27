from __future__ import annotations

import signal
from collections.abc import Iterator

import pytest

from sjepa_online.decoding import DecoderRequest, SJEPAClassifier
from sjepa_online.evaluation import latency
from sjepa_online.protocol import Protocol

CH_NAMES = ("C3", "Cz", "C4")


@pytest.mark.parametrize("name", ["pre-local", "riemann", "auto"])
def test_what_never_leaves_the_processor_says_so(protocol: Protocol, name: str) -> None:
    classifier = DecoderRequest(name, "random", population="none").make(protocol, CH_NAMES)
    assert latency.device_of(classifier) == "cpu"


def test_a_fine_tuned_network_tells_its_device() -> None:
    assert latency.device_of(SJEPAClassifier(head="contextual", device="cuda")) == "cuda"


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
    latency._stream_noise("noise", 2, 100.0, 1.0)
