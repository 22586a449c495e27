"""``calibrate --trials 0`` with a stream: what cannot be made is refused before the minute."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from sjepa_online import stream as streams
from sjepa_online.stream import StreamDescription, stretch


def test_nothing_is_recorded_for_a_decoder_that_needs_labels(
    command: Callable[..., Any], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    found = StreamDescription(
        "amplifier", "EEG", 3, 250.0, "float32", "lab", "serial 7", "uid", ("O1", "Oz", "O2"),
        ("eeg",) * 3, ("uV",) * 3,
    )  # fmt: skip
    recorded: list[Any] = []
    monkeypatch.setattr(streams, "resolve_stream", lambda *_, **__: found)
    monkeypatch.setattr(stretch, "record_stretch", lambda *given: recorded.append(given))
    out = tmp_path / "decoder.safetensors"
    arguments = ("calibrate", "--trials", "0", "-p", "ssvep", "--decoder", "riemann", "--out", out)
    outcome = command(*arguments)
    assert outcome.code == 2
    assert "needs labelled trials" in outcome.err
    assert recorded == []
    assert not out.exists()
