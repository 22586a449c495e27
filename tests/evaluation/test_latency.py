from __future__ import annotations

import signal
from collections.abc import Iterator

import pytest

from sjepa_online.decoding import DecoderRequest
from sjepa_online.decoding.classifiers.paper_heads import PaperHead
from sjepa_online.decoding.dynamic_stopping import PrefixClassifier
from sjepa_online.errors import InputError
from sjepa_online.evaluation import latency
from sjepa_online.model import ModelConfig, SignalJEPA
from sjepa_online.protocol import Protocol
from sjepa_online.signal import resolve_channel_names

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


def test_a_large_amplifier_has_electrodes_of_its_own() -> None:
    names = latency._electrodes(latency.MOST_CHANNELS)
    assert len(set(resolve_channel_names(names))) == latency.MOST_CHANNELS == 128
    assert names[:62] == latency._electrodes(62)


def test_more_channels_than_electrodes_are_refused(protocol: Protocol) -> None:
    with pytest.raises(InputError, match="129 channels"):
        latency.measure_latency(protocol, DecoderRequest("riemann"), 129, 250.0, 2.0)
