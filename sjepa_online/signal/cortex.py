"""Electrodes over the sensorimotor cortex, which imagery of movements is read from."""

from __future__ import annotations

import re
from collections.abc import Sequence

#: Fewer electrodes than this, or none on one side, are no montage of the cortex.
LEAST_ELECTRODES = 3
# rows FC to CP of the 10-05 system, with those between them; without T7, FT7 and the like
_NAME = re.compile(r"(?:FC|FCC|C|CCP|CP)(?:z|(\d)h?)")


def is_over_cortex(name: str) -> bool:
    """Tell whether an electrode stands in the rows FC, C or CP, or between them.

    Parameters
    ----------
    name : str
        Its name in the 10-05 system.

    Returns
    -------
    bool
    """
    return _NAME.fullmatch(name) is not None


def cortex_among(ch_names: Sequence[str]) -> tuple[str, ...]:
    """Return the electrodes over the sensorimotor cortex, where a montage has enough of them.

    Parameters
    ----------
    ch_names : sequence of str
        10-05 names.

    Returns
    -------
    tuple of str
        Three or more, with both sides among them, in the order of ``ch_names``; empty where the
        montage has no such electrodes.
    """
    found = {name: match[1] for name in ch_names if (match := _NAME.fullmatch(name))}
    sides = {int(number) % 2 for number in found.values() if number}
    return tuple(found) if len(found) >= LEAST_ELECTRODES and len(sides) == 2 else ()
