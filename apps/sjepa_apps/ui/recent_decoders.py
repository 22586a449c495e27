"""Decoders that were made or used lately, which every window offers."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path

import platformdirs
from pydantic import BaseModel, ConfigDict, ValidationError
from PyQt6.QtCore import pyqtSignal
from PyQt6.QtWidgets import QMenu, QPushButton, QWidget

from sjepa_online.errors import InputError
from sjepa_online.files import atomic_write

#: Decoders that are remembered, and characters of a path in a menu.
MOST_RECENT, LONGEST_SHOWN = 8, 80


class _Remembered(BaseModel):
    model_config = ConfigDict(extra="ignore")

    decoders: tuple[str, ...] = ()


def recent_file() -> Path:
    """Return where they are kept."""
    folder = Path(platformdirs.user_config_dir("sjepa-online", appauthor=False))
    return folder / "recent_decoders.json"


class RecentDecoders:
    """Paths of decoder files, the last one first.

    Parameters
    ----------
    file : Path or None
        Where they are kept between windows; None keeps them as long as this object.
    """

    def __init__(self, file: Path | None) -> None:
        self._file = file
        self._kept: tuple[str, ...] = ()

    @property
    def paths(self) -> list[str]:
        """Those whose file still exists."""
        return [path for path in self._read() if Path(path).is_file()]

    def add(self, path: Path | str) -> None:
        """Put a decoder first; a folder that cannot be written to forgets it with the window."""
        new = str(Path(path).absolute())
        others = (one for one in self._read() if one != new)
        self._kept = (new, *others)[:MOST_RECENT]
        if self._file is None:
            return
        try:
            self._file.parent.mkdir(parents=True, exist_ok=True)
            atomic_write(self._file, _Remembered(decoders=self._kept).model_dump_json().encode())
        except (InputError, OSError):
            self._file = None

    def _read(self) -> tuple[str, ...]:
        """Read the file anew: other windows write to it, too."""
        if self._file is None:
            return self._kept
        try:
            return _Remembered.model_validate_json(self._file.read_bytes()).decoders
        except (ValidationError, OSError):
            return self._kept


class RecentMenu(QMenu):
    """A menu of the decoders, read anew whenever it opens.

    Parameters
    ----------
    title : str
    recent : RecentDecoders
    uses : mapping of str to callable
        What can be done with a decoder, by its name in the menu: each takes the path. A single
        one is done at once, several open a menu of their own.
    """

    def __init__(
        self,
        title: str,
        recent: RecentDecoders,
        uses: Mapping[str, Callable[[Path], object]],
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(title, parent)
        self._recent = recent
        self._uses = uses
        self.setToolTipsVisible(True)
        self.aboutToShow.connect(self.fill)
        self.fill()

    def fill(self) -> None:
        """Show the decoders of now; without any the menu is disabled."""
        self.clear()
        paths = self._recent.paths
        self.setEnabled(bool(paths))
        for path in paths:
            if len(self._uses) == 1:
                (use,) = self._uses.values()
                action = self.addAction(_shown(path))
                assert action is not None
                action.triggered.connect(partial(_do, use, path))
            else:
                inner = QMenu(_shown(path), self)
                for name, use in self._uses.items():
                    one = inner.addAction(name)
                    assert one is not None
                    one.triggered.connect(partial(_do, use, path))
                action = self.addMenu(inner)
                assert action is not None
            action.setToolTip(path)
            action.setData(path)


class RecentButton(QPushButton):
    """A button with the menu of decoders.

    Parameters
    ----------
    text : str
    recent : RecentDecoders
    uses : mapping of str to str
        Commands of this program by their names for people.

    Signals
    -------
    chosen
        A command, and the path of a decoder.
    """

    chosen = pyqtSignal(str, object)

    def __init__(self, text: str, recent: RecentDecoders, uses: Mapping[str, str]) -> None:
        super().__init__(text)
        acts = {name: partial(self.chosen.emit, command) for name, command in uses.items()}
        self.decoders = RecentMenu("", recent, acts, self)
        self.setMenu(self.decoders)
        self.setToolTip("Decoders that were made or used lately")
        self.refresh()

    def refresh(self) -> None:
        """Enable the button where there is a decoder."""
        self.decoders.fill()
        self.setEnabled(self.decoders.isEnabled())


def _do(use: Callable[[Path], object], path: str, _checked: bool = False) -> None:
    use(Path(path))


def _shown(path: str) -> str:
    """Return the end of a path, which tells decoders apart, as a menu shows it."""
    cut = path if len(path) <= LONGEST_SHOWN else f"…{path[1 - LONGEST_SHOWN :]}"
    return cut.replace("&", "&&")
