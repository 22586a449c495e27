"""Impedances of electrodes, which some amplifiers send as further channels of their stream."""

from __future__ import annotations

import re
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sjepa_online.amplifier.library import Declaration
from sjepa_online.signal.montage import standard_names

#: Types of channels that carry impedances.
IMPEDANCE_TYPES = ("impedance", "imp")
#: What the label of such a channel may have before the electrode's name.
IMPEDANCE_PREFIXES = ("impedance", "imp", "z")
#: Units of resistance; a small m, which is milli by the rules, may be meant as mega.
_OHMS = re.compile(r"(?:((?i:kilo?|k))|((?i:mega?)|M))?[ -]?(?i:ohms?|Ω)?")
#: Powers of ten that LSL streams of mne-lsl carry, and the factors to kΩ.
_POWERS = {"0": 1e-3, "3": 1.0, "6": 1e3}


class ImpedanceReader:
    """Read the impedances among the channels of a stream.

    These are channels of the type ``impedance``, labelled like the electrode, with or without
    ``Imp`` or ``Z`` before it; a channel without a unit is taken to be in Ω, one in a unit that is
    none of resistance is left out.

    Parameters
    ----------
    declaration : Declaration

    Attributes
    ----------
    rows : list of (str, int, float)
        Electrodes by their names in the 10-05 system, or the labels where these are no
        electrodes; the places of their impedances among the channels, and the factors to kΩ.
    """

    def __init__(self, declaration: Declaration) -> None:
        self.rows: list[tuple[str, int, float]] = []
        channels = zip(declaration.labels, declaration.types, declaration.units, strict=True)
        for row, (label, kind, unit) in enumerate(channels):
            factor = _kiloohms(unit)
            if kind.lower() in IMPEDANCE_TYPES and label and factor is not None:
                self.rows.append((_electrode(label), row, factor))

    def read(self, samples: NDArray[Any]) -> dict[str, float]:
        """Return the newest impedances (kΩ) that were measured, by electrode.

        Parameters
        ----------
        samples : ndarray, shape (n, n_channels)
            As they came.

        Returns
        -------
        kiloohms : dict of str to float
            Without values that are negative or not finite: programs of amplifiers send such where
            nothing was measured. Of several of one electrode the highest.
        """
        if not len(samples):
            return {}
        newest: dict[str, float] = {}
        for name, row, factor in self.rows:
            value = factor * float(samples[-1, row])
            if 0 <= value < np.inf:
                newest[name] = max(value, newest.get(name, 0.0))
        return newest


def _kiloohms(unit: str) -> float | None:
    """Return the factor from a unit to kΩ; None where it is no unit of resistance."""
    found = _OHMS.fullmatch(unit.strip())
    if found is None:
        return _POWERS.get(unit.strip())
    kilo, mega = found.groups()
    return 1.0 if kilo else 1e3 if mega else 1e-3


def _electrode(label: str) -> str:
    """Return the electrode that a channel of an impedance is labelled after."""
    for prefix in IMPEDANCE_PREFIXES:
        rest = label[len(prefix) :].lstrip(" _-:.")
        if label.lower().startswith(prefix) and (name := standard_names([rest])[0]):
            return name
    return standard_names([label])[0] or label
