"""Names as people say them."""

from __future__ import annotations


def spoken(name: str) -> str:
    """Return a class's name without underscores; a symbol stays what it is."""
    return name.replace("_", " ") if len(name) > 1 else name
