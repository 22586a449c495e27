"""Which channels of a stream or a file are used, as which electrodes, and in which unit."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from sjepa_online.amplifier.impedances import IMPEDANCE_TYPES
from sjepa_online.amplifier.library import Declaration, fitting_profile, load_profile
from sjepa_online.amplifier.profile import AS_DECLARED, LEFT_OUT, AmplifierProfile
from sjepa_online.errors import InputError
from sjepa_online.signal.montage import (
    is_trigger_channel,
    pick_eeg_channels,
    resolve_channel_names,
)
from sjepa_online.signal.units import is_voltage, microvolt_factor, normalise_unit

#: Types of channels that hold no EEG, whatever they are called.
_NOT_EEG = {
    "eog", "heog", "veog", "ecg", "emg", "bio", "misc", "stim", "trig", "trigger", "marker",
    "syncpulse", "aux", "acc", "gyro", "accel", "mag", "grad", "ref_meg", "seeg", "ecog", "dbs",
    "gsr", "resp", "temperature", "temp", "ppg", "eyegaze", "pupil", "exci", "ias", "syst", "hbo",
    "hbr", "fnirs", "audio", "samplecounter", "counter", "ref", *IMPEDANCE_TYPES,
}  # fmt: skip


@dataclass(frozen=True, eq=False)
class PickedChannels:
    """The channels that are used.

    Attributes
    ----------
    rows : ndarray of int, shape (n_picked,)
        Their places among all channels.
    ch_names : tuple of str, length n_picked
        Their electrodes, as in MNE's 10-05 montage.
    unit : str
        Of the signal after :attr:`scales`.
    scales : ndarray, shape (n_picked, 1), or None
        Factors to ``unit``; None where all are 1.
    trigger : int or None
        Place of the channel of codes.
    notes : tuple of str
        What was left out or read in another way than declared, for people.
    """

    rows: NDArray[np.intp]
    ch_names: tuple[str, ...]
    unit: str
    scales: NDArray[np.float64] | None
    trigger: int | None
    notes: tuple[str, ...]

    @property
    def microvolts(self) -> NDArray[np.float64]:
        """Factors from the declared values to µV, shape (n_picked,)."""
        scales = np.ones(len(self.rows)) if self.scales is None else self.scales[:, 0]
        factors: NDArray[np.float64] = scales * microvolt_factor(self.unit)
        return factors

    def take(self, samples: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return the signal of the picked channels.

        Parameters
        ----------
        samples : ndarray, shape (n, n_channels)
            As they came.

        Returns
        -------
        signal : ndarray, shape (n_picked, n)
            In :attr:`unit`.
        """
        picked = np.ascontiguousarray(samples[:, self.rows].T, dtype=np.float64)
        if self.scales is not None:
            picked *= self.scales
        return picked


def pick_channels(
    declaration: Declaration, profile: AmplifierProfile = AS_DECLARED
) -> PickedChannels:
    """Choose the electrodes of a stream or a file by its declaration and a profile.

    Without ``profile.channels`` these are the channels whose labels are electrodes: of those
    with the type EEG where there are any, else of all. Nothing else is looked at, so labels,
    types and units of other channels may be missing or repeated. A unit that is not said comes
    from the shipped profile that fits the stream, if one does.

    Parameters
    ----------
    declaration : Declaration
    profile : AmplifierProfile

    Returns
    -------
    picked : PickedChannels

    Raises
    ------
    InputError
        There is no electrode, one electrode twice, the profile names channels that are not
        there or is of another number of channels, or nothing tells the unit. The message names
        the options that help, and the profile that fits.
    """
    rows, names, notes = _electrodes(declaration, profile)
    unit, scales, of_units = _unit(declaration, profile, rows)
    return PickedChannels(
        np.array(rows, dtype=np.intp),
        names,
        unit,
        scales,
        trigger_channel(declaration, profile),
        (*notes, *of_units),
    )


def _electrodes(
    declaration: Declaration, profile: AmplifierProfile
) -> tuple[list[int], tuple[str, ...], list[str]]:
    """Return rows and electrodes of the channels that are used, and the labels left out."""
    labels = _renamed(declaration, profile)
    if isinstance(profile.channels, tuple):
        used = [row for row, label in enumerate(labels) if label != LEFT_OUT]
        return used, tuple(resolve_channel_names([labels[row] for row in used])), []
    if not declaration.has_labels:
        raise InputError(
            f"{declaration.name} does not name its channels",
            value=f"{declaration.n_channels} channels without labels",
            remedy=_advice(declaration),
        )
    rows = _candidates(declaration, profile, labels)
    try:
        pick = pick_eeg_channels([labels[row] for row in rows])
    except InputError as error:
        remedy = error.remedy if "same electrode" in error.problem else _advice(declaration)
        rule = f"{declaration.name}: {error.problem}"
        raise InputError(rule, value=error.value, remedy=remedy) from error
    unsure = [labels[row] for row in rows if labels[row] in pick.unknown]
    left_out = f"{declaration.name}: left out, no electrodes: {', '.join(unsure)}"
    return (
        [row for row in rows if labels[row] in pick.eeg],
        pick.electrodes,
        [left_out] if unsure else [],
    )


def _candidates(
    declaration: Declaration, profile: AmplifierProfile, labels: Sequence[str]
) -> list[int]:
    """Return the places of the channels that may be electrodes, by their types."""
    named = set(profile.channels.values()) if isinstance(profile.channels, dict) else set()
    kinds = [kind.lower() for kind in declaration.types]
    allowed = {"", "eeg"} if "eeg" in kinds else {"", *kinds} - _NOT_EEG
    return [
        row
        for row, (label, kind) in enumerate(zip(labels, kinds, strict=True))
        if label not in ("", LEFT_OUT) and (label in named or kind in allowed)
    ]


def _renamed(declaration: Declaration, profile: AmplifierProfile) -> tuple[str, ...]:
    """Return the labels as the profile has them."""
    labels, given = declaration.labels, profile.channels
    if given is None:
        return labels
    if isinstance(given, tuple):
        if len(given) != len(labels):
            raise InputError(
                f"{declaration.name} has {len(labels)} channels, and {len(given)} are named",
                value=", ".join(given),
                remedy="Name each channel in its order, with - for those that are left out.",
            )
        return given
    counts = Counter(labels)
    if wrong := [name for name in given if counts[name] != 1]:
        raise InputError(
            f"{declaration.name} has no channels, or several, of these names",
            value=f"{', '.join(wrong)}; there are {', '.join(map(repr, labels))}",
            remedy="Name channels as the source declares them, or give all electrodes in their "
            'order: --channels "Fp1,-,...".',
        )
    return tuple(given.get(label, label) for label in labels)


def _advice(declaration: Declaration) -> str:
    """Name the option that describes the electrodes of a stream or a file."""
    n = declaration.n_channels
    by_hand = f'--channels "Fp1,Fp2,-,..." ({n} names in the channels\' order, - for no electrode)'
    fitting = fitting_profile(declaration)
    unit_known = any(map(is_voltage, declaration.units)) or (
        fitting is not None and load_profile(fitting).unit is not None
    )
    by_hand += "" if unit_known else ", and --unit uV (or V, mV, nV)"
    if fitting is None or load_profile(fitting).channels is None:
        return f"Say which electrodes they are: {by_hand}; or --amplifier NAME, a profile."
    return f"Say --amplifier {fitting}, which fits; or which electrodes they are: {by_hand}."


def _unit(
    declaration: Declaration, profile: AmplifierProfile, rows: Sequence[int]
) -> tuple[str, NDArray[np.float64] | None, list[str]]:
    """Return the unit of the picked channels, factors to it, and what is not as declared."""
    name, scale = declaration.name, profile.scale
    _refuse_unscaled(declaration, profile)
    scales = None if scale == 1 else np.full((len(rows), 1), scale)
    said = [declaration.units[row] for row in rows]
    units = {normalise_unit(one) for one in said if is_voltage(one)}
    if profile.unit is not None:
        others = ", ".join(sorted(units - {profile.unit}))
        note = f"{name}: read in {profile.unit}, though it declares {others}"
        return profile.unit, scales, [note] if others else []
    if not all(is_voltage(one) for one in said):
        fitting = fitting_profile(declaration)
        unit = None if fitting is None else load_profile(fitting).unit
        if unit is None:
            raise _unitless(declaration, said)
        return unit, scales, [f"{name}: read in {unit}, as the profile {fitting} says"]
    if len(units) == 1:
        return units.pop(), scales, []
    return "uV", np.array([[microvolt_factor(one)] for one in said]) * scale, []


def _refuse_unscaled(declaration: Declaration, profile: AmplifierProfile) -> None:
    """Refuse a stream of steps that is declared in a unit, as long as nothing is said of it."""
    if profile.name or profile.unit is not None or profile.scale != 1:
        return
    fitting = fitting_profile(declaration)
    if fitting is None or (scale := load_profile(fitting).scale) == 1:
        return
    raise InputError(
        f"{declaration.name} sends steps of its amplifier, whatever unit it declares",
        value=f"samples of {declaration.format}; profile {fitting}: {scale:g} each",
        remedy=f"Say --amplifier {fitting}; or --scale X, if its steps are others.",
    )


def _unitless(declaration: Declaration, said: Sequence[str]) -> InputError:
    wrong = ", ".join(repr(one) for one in sorted(set(said) - {""}))
    return InputError(
        f"{declaration.name} declares no unit of voltage for its EEG",
        value=f"unit {wrong}" if wrong else "no unit",
        remedy="Say which it is: --unit uV (or V, mV, nV), or --amplifier NAME.",
    )


def trigger_channel(
    declaration: Declaration, profile: AmplifierProfile = AS_DECLARED
) -> int | None:
    """Return the row of the channel of codes: the named one, or the only one.

    Parameters
    ----------
    declaration : Declaration
    profile : AmplifierProfile
        Its ``trigger`` names the channel of codes.

    Returns
    -------
    index : int or None
        None where there is no such channel, or several.

    Raises
    ------
    InputError
        The one that the profile names is not there.
    """
    if profile.trigger is None:
        kinds = zip(declaration.labels, declaration.types, strict=True)
        found = [
            row
            for row, (label, kind) in enumerate(kinds)
            if is_trigger_channel(label) or kind.lower() in ("trigger", "stim", "trig")
        ]
        return found[0] if len(found) == 1 else None
    places = [row for row, label in enumerate(declaration.labels) if label == profile.trigger]
    if not places and profile.trigger.isdecimal():
        number = int(profile.trigger)
        places = [number - 1] if 0 < number <= declaration.n_channels else []
    if len(places) != 1:
        raise InputError(
            f"{declaration.name} has no channel, or several, of the name {profile.trigger!r}",
            value=", ".join(map(repr, declaration.labels)),
            remedy="Name the channel of codes as it is declared, or by its number from 1: "
            "--markers channel:NAME.",
        )
    return places[0]
