"""Damaged files: each is refused with a typed error, or read with the right result.

In the suite each kind of file gets a few seconds of random damage. A campaign is the same test with
more: ``SJEPA_FUZZ_MUTATIONS=10000 pytest tests/fuzz -k decoder``. A failure names the seed of its
mutation, and ``SJEPA_FUZZ_FIRST=SEED SJEPA_FUZZ_MUTATIONS=1`` repeats it.
"""

from __future__ import annotations

import ctypes
import json
import os
import resource
import struct
import time
import warnings
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import mne
import numpy as np
import pytest

from sjepa_online.amplifier import AS_DECLARED, pick_channels
from sjepa_online.data import load_source
from sjepa_online.decoding import Decoder, DecoderRequest, load_decoder
from sjepa_online.decoding.classifiers.riemann import RiemannClassifier
from sjepa_online.decoding.transfer.population import load_population
from sjepa_online.errors import InputError
from sjepa_online.model import load_weights
from sjepa_online.protocol import load_protocol
from sjepa_online.resources import shipped_folder
from sjepa_online.stream import discovery
from sjepa_online.training.pretraining.recipe import load_recipe

#: Seconds of damage for each kind of file in the suite.
SECONDS = 4.0
#: What one damaged file may take.
MAX_SECONDS, MAX_BYTES = 5.0, 500e6
MUTATIONS = os.environ.get("SJEPA_FUZZ_MUTATIONS")
FIRST = int(os.environ.get("SJEPA_FUZZ_FIRST", "0"))


@dataclass(frozen=True)
class Kind:
    """One kind of file: a whole one, what reads it, and what is right.

    ``same`` tells whether what was read of a damaged file is as good as what was read of the
    whole one. Text has no checksum, so another valid text is right too.
    """

    whole: bytes
    suffix: str
    read: Callable[[Path], Any]
    same: Callable[[Any, Any], bool] = lambda read, expected: True


def damage(content: bytes, rng: np.random.Generator) -> bytes:
    """Return the content with one to three random damages: most of them near the header."""
    broken = bytearray(content)
    for _ in range(int(rng.integers(1, 4))):
        reach = len(broken) if rng.random() < 0.5 else min(len(broken), 2048)
        at = int(rng.integers(0, max(1, reach)))
        length = int(rng.choice([1, 2, 4, 8, 64, 512]))
        noise = rng.integers(0, 256, length, dtype=np.uint8).tobytes()
        match int(rng.integers(0, 7)):
            case 0:  # another bit
                if broken:
                    broken[min(at, len(broken) - 1)] ^= 1 << int(rng.integers(0, 8))
            case 1:  # other bytes
                broken[at : at + length] = noise[: max(0, len(broken) - at)]
            case 2:  # an end that is missing
                del broken[at:]
            case 3:  # bytes that are missing
                del broken[at : at + length]
            case 4:  # bytes too many
                broken[at:at] = noise
            case 5:  # a stretch twice
                broken[at:at] = broken[at : at + length]
            case 6:  # an extreme number
                value = struct.pack("<q", int(rng.choice([0, -1, 2**31, 2**62])))
                broken[at : at + 8] = value[: max(0, len(broken) - at)]
    return bytes(broken)


def seeds() -> Iterator[int]:
    """Give seeds: as many as asked for, or for some seconds."""
    if MUTATIONS is not None:
        yield from range(FIRST, FIRST + int(MUTATIONS))
        return
    begin = time.monotonic()
    seed = FIRST
    while time.monotonic() - begin < SECONDS:
        yield seed
        seed += 1


def peak_bytes() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024.0


@pytest.fixture
def decoder_kind(make_decoder: Callable[..., Decoder], simulated_recording, protocol, tmp_path):
    classifier = RiemannClassifier("mi", (), protocol.class_names)
    decoder = make_decoder(simulated_recording(n_trials=12), classifier=classifier)
    return decoder_of(decoder, tmp_path)


def decoder_of(decoder: Decoder, tmp_path: Path) -> Kind:
    """Return a kind of file whose right result is the same probabilities, to the last bit."""
    decoder.save(tmp_path / "whole.safetensors")
    epochs = np.random.default_rng(0).normal(scale=10.0, size=(3, 4, decoder.n_times))

    def same(read: Decoder, expected: Decoder) -> bool:
        return np.array_equal(read.predict_proba(epochs), expected.predict_proba(epochs))

    whole = (tmp_path / "whole.safetensors").read_bytes()
    return Kind(whole, ".safetensors", load_decoder, same)


@pytest.fixture
def auto_kind(make_decoder: Callable[..., Decoder], simulated_recording, protocol, tmp_path):
    """The decoder of several members, with the filter bank in it."""
    request = DecoderRequest("auto", population="none")
    recording = simulated_recording(n_trials=16)
    classifier = request.make(protocol, recording.ch_names)
    decoder = make_decoder(recording, classifier=classifier)
    return decoder_of(decoder, tmp_path)


@pytest.fixture
def weights_kind():
    whole = (shipped_folder("models") / "default.safetensors").read_bytes()
    return Kind(whole, ".safetensors", load_weights)


@pytest.fixture
def population_kind():
    whole = (shipped_folder("models") / "population-ssvep.safetensors").read_bytes()
    return Kind(whole, ".safetensors", load_population)


@pytest.fixture
def protocol_kind():
    whole = (shipped_folder("calibration") / "ssvep.toml").read_bytes()
    return Kind(whole, ".toml", load_protocol)


@pytest.fixture
def recipe_kind():
    (recipe, *_) = sorted(shipped_folder("models").glob("*.toml"))
    return Kind(recipe.read_bytes(), ".toml", load_recipe)


@pytest.fixture
def edf_kind(tmp_path):
    noise = np.random.default_rng(0).normal(scale=2e-5, size=(3, 1280))
    raw = mne.io.RawArray(noise, mne.create_info(["C3", "Cz", "C4"], 128.0, "eeg"), verbose="error")
    raw.set_annotations(mne.Annotations([1.0, 4.0], [2.0, 2.0], ["left", "right"]))
    mne.export.export_raw(tmp_path / "whole.edf", raw, verbose="error")
    return Kind((tmp_path / "whole.edf").read_bytes(), ".edf", lambda path: load_source(str(path)))


@pytest.fixture
def xdf_kind():
    return Kind(small_xdf(), ".xdf", lambda path: load_source(str(path)))


@pytest.fixture
def stream_kind():
    """What a stream says of itself, as it comes over the network."""
    names = ("Fz", "C3", "Cz", "C4", "Pz", "PO7", "Oz", "PO8")
    channels = "".join(
        f"<channel><label>{name}</label><unit>microvolts</unit><type>EEG</type></channel>"
        for name in names
    )
    whole = (
        "<?xml version='1.0'?><info><name>amp</name><type>EEG</type><channel_count>8"
        "</channel_count><channel_format>float32</channel_format><source_id>serial 7</source_id>"
        "<nominal_srate>250</nominal_srate><version>1.1</version><created_at>1.5</created_at>"
        "<uid>u</uid><session_id>default</session_id><hostname>here</hostname>"
        "<v4address/><v4data_port>16572</v4data_port><v4service_port>16572</v4service_port>"
        "<v6address/><v6data_port>0</v6data_port><v6service_port>0</v6service_port>"
        f"<desc><channels>{channels}</channels></desc></info>"
    )
    return Kind(whole.encode(), ".xml", read_description)


def read_description(path: Path) -> discovery.StreamDescription:
    """Read a description as discovery does; an impossible one counts as refused."""
    lsl = discovery.liblsl()
    from_xml = lsl.lib.lib.lsl_streaminfo_from_xml
    from_xml.restype = ctypes.c_void_p
    info = lsl.StreamInfo(handle=from_xml(path.read_bytes()))
    stream = discovery._describe(info)
    if not stream.problem:
        stream = discovery._described(stream, info)
        pick_channels(stream.declaration, AS_DECLARED)
    json.dumps(stream.summary(), allow_nan=False)
    if stream.problem:
        raise InputError("No stream", value=stream.problem, remedy="Correct it.")
    return stream


def small_xdf() -> bytes:
    """An amplifier of three channels and a marker stream, 4 s, with clock offsets and footers."""

    def chunk(tag: int, content: bytes) -> bytes:
        return b"\x04" + struct.pack("<IH", len(content) + 2, tag) + content

    def header(number: int, name: str, kind: str, form: str, rate: int, n: int, desc: str) -> bytes:
        xml = (
            f"<info><name>{name}</name><type>{kind}</type><channel_count>{n}</channel_count>"
            f"<nominal_srate>{rate}</nominal_srate><channel_format>{form}</channel_format>"
            f"<source_id>{name}</source_id><desc>{desc}</desc></info>"
        )
        return chunk(2, struct.pack("<I", number) + xml.encode())

    channels = "".join(
        f"<channel><label>{name}</label><unit>microvolts</unit><type>EEG</type></channel>"
        for name in ("C3", "Cz", "C4")
    )
    content = b"XDF:" + chunk(1, b"<info><version>1.0</version></info>")
    content += header(1, "amp", "EEG", "float32", 128, 3, f"<channels>{channels}</channels>")
    content += header(2, "cues", "Markers", "string", 0, 1, "")
    rng = np.random.default_rng(0)
    for block in range(16):
        body = struct.pack("<IBI", 1, 4, 32)
        for sample in range(32):
            values = rng.normal(scale=20.0, size=3).astype("<f4").tobytes()
            body += struct.pack("<Bd", 8, 10 + (32 * block + sample) / 128) + values
        content += chunk(3, body) + chunk(4, struct.pack("<Idd", 1, 10.0 + block / 4, 0.5))
    for onset, label in ((11.0, b"left"), (12.0, b"right")):
        text = struct.pack("<Bd", 8, onset) + struct.pack("<BB", 1, len(label)) + label
        content += chunk(3, struct.pack("<IBI", 2, 4, 1) + text)
    for number in (1, 2):
        footer = b"<info><sample_count>1</sample_count></info>"
        content += chunk(6, struct.pack("<I", number) + footer)
    return content


@pytest.mark.timeout(0 if MUTATIONS else 180)
@pytest.mark.parametrize(
    "name",
    ["decoder", "auto", "weights", "population", "protocol", "recipe", "edf", "xdf", "stream"],
)
def test_damaged_files_are_refused_or_right(
    name: str, request: pytest.FixtureRequest, tmp_path: Path
) -> None:
    kind: Kind = request.getfixturevalue(f"{name}_kind")
    path = tmp_path / f"damaged{kind.suffix}"
    path.write_bytes(kind.whole)
    expected = kind.read(path)
    before = peak_bytes()
    refused = accepted = 0
    for seed in seeds():
        path.write_bytes(damage(kind.whole, np.random.default_rng(seed)))
        begin = time.perf_counter()
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("error", ResourceWarning)
                read = kind.read(path)
        except InputError:
            refused += 1
        except Exception as error:
            raise AssertionError(f"{name}, seed {seed}: {type(error).__name__}: {error}") from error
        else:
            accepted += 1
            assert kind.same(read, expected), f"{name}, seed {seed}: another result"
        assert time.perf_counter() - begin < MAX_SECONDS, f"{name}, seed {seed}"
        assert peak_bytes() - before < MAX_BYTES, f"{name}, seed {seed}"
    assert refused > 0
    assert refused + accepted > 20
