"""Menus, buttons and keys of the window, and what they do."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sjepa_apps.live.window import LiveWindow


class WindowActions:
    def __init__(self, window: LiveWindow) -> None:
        self._window = window

    def may_close(self) -> bool:
        return True

    def close(self) -> None:
        pass

    def refresh(self) -> None:
        pass
