"""Which channels are in view: those that were chosen, page by page, or a single one."""

from __future__ import annotations

from collections.abc import Collection

#: Channels on a page, by what the box shows; None for all.
PAGE_SIZES: dict[str, int | None] = {"all": None, "8": 8, "16": 16, "32": 32}


class ChannelPages:
    """Pages of the chosen channels of a stream.

    Parameters
    ----------
    names : tuple of str
        All channels of the stream.

    Attributes
    ----------
    size : int or None
        Channels on a page; None for all.
    page : int
        The page in view, from 0 on.
    alone : str or None
        The channel that is shown alone.
    """

    def __init__(self, names: tuple[str, ...] = ()) -> None:
        self.names = names
        self.chosen = names
        self.size: int | None = None
        self.page = 0
        self.alone: str | None = None

    @property
    def n_pages(self) -> int:
        """Number of pages."""
        return 1 if self.size is None else max(-(-len(self.chosen) // self.size), 1)

    @property
    def rows(self) -> tuple[int, ...]:
        """Rows of the channels in view among all channels, from the top."""
        if self.alone is not None:
            return (self.names.index(self.alone),)
        shown = self.chosen
        if self.size is not None:
            shown = shown[self.page * self.size : (self.page + 1) * self.size]
        return tuple(self.names.index(name) for name in shown)

    def choose(self, names: Collection[str]) -> None:
        """Show these channels; all of them where none is named."""
        self.chosen = tuple(name for name in self.names if name in names) or self.names
        self.alone = None
        self.page = 0

    def turn(self, step: int) -> None:
        """Show a later (1) or an earlier (-1) page; alone, the next channel."""
        if self.alone is not None:
            place = self.names.index(self.alone) + step
            self.alone = self.names[place % len(self.names)]
        else:
            self.page = min(max(self.page + step, 0), self.n_pages - 1)

    def set_size(self, size: int | None) -> None:
        """Show so many channels on a page."""
        self.size, self.page = size, 0

    def describe(self) -> str:
        """Tell which channels are in view."""
        if self.alone is not None:
            return f"only {self.alone}"
        n, rows = len(self.names), self.rows
        if len(rows) == n:
            return f"all {n}" if n > 1 else "1"
        first = 1 + self.page * (self.size or 0)
        of = f"{len(self.chosen)}" if len(self.chosen) == n else f"{len(self.chosen)} chosen"
        return f"{first}–{first + len(rows) - 1} of {of}"
