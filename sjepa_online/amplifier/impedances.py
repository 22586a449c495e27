"""Impedances of electrodes, which some amplifiers send as further channels of their stream."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from sjepa_online.amplifier.library import Declaration
from sjepa_online.signal.montage import standard_names

#: Types of channels that carry impedances.
IMPEDANCE_TYPES = ("impedance", "imp")
#: What the label of such a channel may have before the electrode's name.
IMPEDANCE_PREFIXES = ("impedance", "imp", "z")


class ImpedanceReader:
    """Read the impedances among the channels of a stream.

    These are channels of the type ``impedance``, labelled like the electrode, with or without
    ``Imp`` or ``Z`` before it; a channel without a unit is taken to be in Ω.

    Parameters
    ----------
    declaration : Declaration

    Attributes
    ----------
    rows : dict of str to tuple of int and float
        Place of each electrode's impedance among the channels, and the factor to kΩ; by the
        electrode's name in the 10-05 system, or the label where it is no electrode.
    """

    def __init__(self, declaration: Declaration) -> None:
        self.rows: dict[str, tuple[int, float]] = {}
        channels = zip(declaration.labels, declaration.types, declaration.units, strict=True)
        for row, (label, kind, unit) in enumerate(channels):
            if kind.lower() in IMPEDANCE_TYPES:
                factor = 1.0 if unit.lower().startswith("k") else 1e-3
                self.rows[_electrode(label)] = (row, factor)

    def read(self, samples: NDArray[Any]) -> dict[str, float]:
        """Return the newest impedances (kΩ) that were measured, by electrode.

        Parameters
        ----------
        samples : ndarray, shape (n, n_channels)
            As they came.

        Returns
        -------
        kiloohms : dict of str to float
            Without the electrodes whose value is negative or not finite: programs of amplifiers
            send such where nothing was measured.
        """
        if not len(samples):
            return {}
        newest = {
            name: factor * float(samples[-1, row]) for name, (row, factor) in self.rows.items()
        }
        return {name: value for name, value in newest.items() if 0 <= value < np.inf}


def _electrode(label: str) -> str:
    """Return the electrode that a channel of an impedance is labelled after."""
    for prefix in IMPEDANCE_PREFIXES:
        rest = label[len(prefix) :].lstrip(" _-:.")
        if label.lower().startswith(prefix) and (name := standard_names([rest])[0]):
            return name
    return standard_names([label])[0] or label
