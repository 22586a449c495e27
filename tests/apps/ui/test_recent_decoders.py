"""Decoders of late: kept for all windows, and offered by their names."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("PyQt6", reason="the windows need PyQt6")

from sjepa_apps.ui.recent_decoders import (
    LONGEST_SHOWN,
    MOST_RECENT,
    RecentButton,
    RecentDecoders,
    RecentMenu,
)


def decoder(folder: Path, name: str) -> str:
    path = folder / f"{name}.safetensors"
    path.touch()
    return str(path)


def test_the_last_one_is_first_and_every_window_sees_it(tmp_path: Path) -> None:
    one, other = (RecentDecoders(tmp_path / "config" / "recent.json") for _ in range(2))
    paths = [decoder(tmp_path, str(number)) for number in range(MOST_RECENT + 2)]
    for path in paths:
        one.add(path)
    other.add(paths[5])
    assert one.paths == [paths[5], *reversed(paths[6:]), *reversed(paths[2:5])]
    assert len(one.paths) == MOST_RECENT
    Path(paths[5]).unlink()
    assert paths[5] not in other.paths


@pytest.mark.parametrize("content", [b"", b"{", b'{"decoders": 7}', b"\xff\xfe"])
def test_a_damaged_file_is_begun_anew(tmp_path: Path, content: bytes) -> None:
    file = tmp_path / "recent.json"
    file.write_bytes(content)
    recent = RecentDecoders(file)
    assert recent.paths == []
    path = decoder(tmp_path, "a")
    recent.add(path)
    assert RecentDecoders(file).paths == [path]


def test_where_nothing_can_be_written_the_window_still_remembers(tmp_path: Path) -> None:
    (tmp_path / "config").touch()
    recent = RecentDecoders(tmp_path / "config" / "recent.json")
    path = decoder(tmp_path, "a")
    recent.add(path)
    assert recent.paths == [path]


def test_menus_show_names_as_they_are_and_not_wider_than_the_window(
    qapp: Any, tmp_path: Path
) -> None:
    recent = RecentDecoders(None)
    for name in ("a & b", "x" * 200, "משתתף 🧠"):
        recent.add(decoder(tmp_path, name))
    loaded: list[Path] = []
    menu = RecentMenu("Recent", recent, {"Load": loaded.append})
    texts = [one.text() for one in menu.actions()]
    assert texts[0].endswith("משתתף 🧠.safetensors")
    assert "a && b" in texts[2]
    assert all(len(text.replace("&&", "&")) <= LONGEST_SHOWN for text in texts)
    menu.actions()[2].trigger()
    assert [one.name for one in loaded] == ["a & b.safetensors"]


def test_a_button_offers_each_use_of_each_decoder(qapp: Any, tmp_path: Path) -> None:
    recent = RecentDecoders(None)
    button = RecentButton("Recent", recent, {"Decode now": "live", "Feedback": "feedback"})
    assert not button.isEnabled()
    path = decoder(tmp_path, "a")
    recent.add(path)
    button.refresh()
    assert button.isEnabled()
    chosen: list[tuple[str, Path]] = []
    button.chosen.connect(lambda command, one: chosen.append((command, one)))
    for use in button.decoders.actions()[0].menu().actions():
        use.trigger()
    assert chosen == [("live", Path(path)), ("feedback", Path(path))]
