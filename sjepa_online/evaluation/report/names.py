"""Names as people say them."""

from __future__ import annotations


def spoken(name: str) -> str:
    """Return a class's name without underscores; a symbol is not changed.

    Parameters
    ----------
    name : str

    Returns
    -------
    name : str
    """
    return name.replace("_", " ") if len(name) > 1 else name
