"""Electrodes and where they sit on the template head."""

from __future__ import annotations

from collections.abc import Sequence

from pydantic import BaseModel, ConfigDict, Field, FiniteFloat

from sjepa_online.signal.montage import positions_in_metres, resolve_channel_names

#: The 62 EEG channels of Lee2019 in its order, on which the published weights were pretrained.
# fmt: off
PRETRAINING_CHANNELS: tuple[str, ...] = (
    "Fp1", "Fp2", "F7", "F3", "Fz", "F4", "F8", "FC5", "FC1", "FC2", "FC6", "T7", "C3", "Cz",
    "C4", "T8", "TP9", "CP5", "CP1", "CP2", "CP6", "TP10", "P7", "P3", "Pz", "P4", "P8",
    "PO9", "O1", "Oz", "O2", "PO10", "FC3", "FC4", "C5", "C1", "C2", "C6", "CP3", "CPz",
    "CP4", "P1", "P2", "POz", "FT9", "FTT9h", "TTP7h", "TP7", "TPP9h", "FT10", "FTT10h",
    "TPP8h", "TP8", "TPP10h", "F9", "F10", "AF7", "AF3", "AF4", "AF8", "PO3", "PO4",
)
# fmt: on


class Electrode(BaseModel):
    """An electrode: its 10-05 name and its position (x, y, z) in metres."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str = Field(min_length=1)
    position: tuple[FiniteFloat, FiniteFloat, FiniteFloat]


def template_electrodes(ch_names: Sequence[str]) -> tuple[Electrode, ...]:
    """Place channels on the template head of MNE's 10-05 montage.

    The template is one head for everybody, so a position never depends on which other
    channels a recording has.

    Parameters
    ----------
    ch_names : sequence of str
        Names as amplifiers and files write them.

    Returns
    -------
    tuple of Electrode

    Raises
    ------
    InputError
        Some names have no position or occur twice; the message lists them.
    """
    return tuple(
        Electrode(name=name, position=(float(x), float(y), float(z)))
        for name, (x, y, z) in zip(
            resolve_channel_names(ch_names), positions_in_metres(ch_names), strict=True
        )
    )
