"""Names in the place of what they name, and one recording for a list, are told as InputError."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import sjepa_online as so

PROTOCOL = so.load_protocol("ssvep-exo")
CONFIG = so.PreprocessorConfig()
REQUEST = so.DecoderRequest("riemann")


@pytest.fixture(scope="module")
def recording() -> so.Recording:
    return so.load_recording("sample:1")


@pytest.mark.parametrize(
    ("change", "remedy"),
    [
        ({"recordings": "sample:1"}, "load_recording(SOURCE)"),
        ({"recordings": ["sample:1"]}, "load_recording(SOURCE)"),
        ({"recordings": "one"}, "[recording]"),
        ({"protocol": "ssvep-exo"}, "load_protocol(name)"),
        ({"preprocessing": None}, "PreprocessorConfig()"),
        ({"request": "riemann"}, 'DecoderRequest("auto")'),
    ],
)
def test_calibrate_says_what_to_pass(
    change: dict[str, Any], remedy: str, recording: so.Recording
) -> None:
    right = {
        "recordings": [recording],
        "protocol": PROTOCOL,
        "preprocessing": CONFIG,
        "request": REQUEST,
    }
    if change.get("recordings") == "one":
        change = {"recordings": recording}
    with pytest.raises(so.InputError, match=re.escape(remedy)):
        so.calibrate(**(right | change))


def test_a_recording_is_read_by_text_or_path() -> None:
    sample = so.load_recording("sample:1")
    by_path = so.load_recording(Path(sample.files[0]))
    np.testing.assert_array_equal(by_path.data, sample.data)
    with pytest.raises(so.InputError, match="SOURCE is no str"):
        so.load_recording(3)  # type: ignore[arg-type]


def test_decode_recording_wants_a_decoder_and_a_recording(recording: so.Recording) -> None:
    with pytest.raises(so.InputError, match=re.escape("load_decoder(path)")):
        so.decode_recording("me.safetensors", recording)  # type: ignore[arg-type]
    trials = so.make_trials([recording], PROTOCOL, CONFIG)
    decoder = so.calibrate([recording], PROTOCOL, CONFIG, REQUEST).decoder
    with pytest.raises(so.InputError, match=re.escape("load_recording(SOURCE)")):
        so.decode_recording(decoder, "sample:1")  # type: ignore[arg-type]
    with pytest.raises(so.InputError, match="does not hold names"):
        decoder.predict_proba(trials.X, bad=np.zeros(8, bool))  # type: ignore[arg-type]
    by_list, by_array = (
        decoder.predict_proba(trials.X, bad=kind(["Oz"])) for kind in (list, np.array)
    )
    np.testing.assert_array_equal(by_list, by_array)


def test_publish_is_a_text_and_no_switch() -> None:
    with pytest.raises(so.InputError, match="publish is no str"):
        so.LiveDecoder.open("me.safetensors", publish=False)  # type: ignore[arg-type]
