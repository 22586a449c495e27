from __future__ import annotations

import importlib.util
import sys
from collections.abc import Callable
from typing import Any

import pytest

from sjepa_apps.cli import live as live_module


def test_without_a_display_it_says_so(
    command: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    if not sys.platform.startswith("linux"):
        pytest.skip("other systems always have a display")
    for name in ("DISPLAY", "WAYLAND_DISPLAY", "QT_QPA_PLATFORM"):
        monkeypatch.delenv(name, raising=False)
    outcome = command("live")
    assert outcome.code == 2
    assert "DISPLAY" in outcome.err
    assert not live_module.has_window()


def test_without_pyqt_it_names_the_extra(
    command: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    find = importlib.util.find_spec
    monkeypatch.setattr(
        live_module, "find_spec", lambda name: None if name == "PyQt6" else find(name)
    )
    outcome = command("live")
    assert outcome.code == 2
    assert "sjepa-online[gui]" in outcome.err
