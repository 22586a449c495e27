"""Earlier names of options are still read, and not shown."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from sjepa_apps.cli.common import replace_aliases


@pytest.mark.parametrize("name", ["calibrate", "evaluate scores"])
def test_early_stopping_is_dynamic_stopping(command: Callable, name: str) -> None:
    outcome = command(*name.split(), "-p", "ssvep", "--early-stopping", "--help")
    assert outcome.code == 0
    assert "--dynamic-stopping" in outcome.out
    assert "early" not in outcome.out
    assert replace_aliases(["--early-stopping", "x"]) == ["--dynamic-stopping", "x"]


def test_the_help_of_calibrate_fits_on_two_screens(
    command: Callable, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    assert command("calibrate", "--help").out.count("\n") < 70
