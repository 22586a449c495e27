"""Physical units of EEG, and whether the amplitude agrees with the declared one."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from sjepa_online.errors import InputError

#: Amplitudes (µV, robust standard deviation within a second) that EEG can have: below lies
#: the noise of any amplifier, above lie only open electrodes.
PLAUSIBLE_MICROVOLTS = (0.1, 1000.0)

_TYPICAL_MICROVOLTS = 15.0
_FACTORS = {"V": 1e6, "mV": 1e3, "uV": 1.0, "nV": 1e-3}
_PREFIXES = {"": "V", "m": "mV", "u": "uV", "µ": "uV", "n": "nV"} | {
    "milli": "mV",
    "micro": "uV",
    "nano": "nV",
}
_SPELLING = re.compile(r"(milli|micro|nano|[muµn]?)[ -]?v(?:olts?)?")
#: Powers of ten that LSL streams of mne-lsl carry.
_POWERS = {"0": "V", "-3": "mV", "-6": "uV", "-9": "nV"}

Verdict = Literal["plausible", "too small", "too large", "flat"]


@dataclass(frozen=True)
class AmplitudeFinding:
    """The verdict of an amplitude on the declared unit.

    Attributes
    ----------
    verdict : {"plausible", "too small", "too large", "flat"}
        "flat" when no channel varies, so that nothing can be said.
    unit : str
        The declared unit, as ``V``, ``mV``, ``uV`` or ``nV``.
    amplitude : float
        Median over channels that vary of the robust standard deviation within a second, in
        µV by the declared unit.
    suggested_unit : str
        The unit in which the amplitude is the closest to that of usual EEG; the declared
        one where it is plausible or nothing can be said.
    """

    verdict: Verdict
    unit: str
    amplitude: float
    suggested_unit: str


def normalise_unit(unit: str) -> str:
    """Return a unit's name as ``V``, ``mV``, ``uV`` or ``nV``.

    Parameters
    ----------
    unit : str
        Any usual spelling (``µV``, ``microvolts``), in any case, or the power of ten that
        LSL streams of mne-lsl carry (``-6``).

    Returns
    -------
    {"V", "mV", "uV", "nV"}

    Raises
    ------
    InputError
        The unit is not one of voltage.
    """
    # two characters look like the micro sign; both are in use
    spelling = unit.strip().lower().replace("\N{GREEK SMALL LETTER MU}", "\N{MICRO SIGN}")
    if spelling in _POWERS:
        return _POWERS[spelling]
    found = _SPELLING.fullmatch(spelling)
    if found is None:
        raise InputError(
            f"{unit!r} is no unit of voltage" if spelling else "The EEG declares no unit",
            value=repr(unit),
            remedy="Say which it is: --unit uV (or V, mV, nV).",
        )
    return _PREFIXES[found.group(1)]


def is_voltage(unit: str) -> bool:
    """Return whether a unit is one of voltage.

    Parameters
    ----------
    unit : str
        In any spelling that :func:`normalise_unit` reads.

    Returns
    -------
    is_voltage : bool
    """
    try:
        normalise_unit(unit)
    except InputError:
        return False
    return True


def microvolt_factor(unit: str) -> float:
    """Return the factor that turns a value in ``unit`` into µV.

    Parameters
    ----------
    unit : str
        Any usual spelling of V, mV, µV or nV.

    Returns
    -------
    float

    Raises
    ------
    InputError
        The unit is not one of voltage.
    """
    return _FACTORS[normalise_unit(unit)]


def check_amplitude(
    data: ArrayLike, unit: str, sfreq: float, declared: str | None = None
) -> AmplitudeFinding:
    """Compare the amplitude of EEG with its declared unit.

    The amplitude of a channel is 1.4826 times the median absolute deviation after a line
    is removed from each second, so neither an offset of some mV, nor drift, nor a blink
    counts; the median over the channels that vary ignores bad ones.

    Parameters
    ----------
    data : array_like, shape (n_channels, n_samples)
        Unfiltered signal in the declared unit, at best of several seconds. Values that are
        not finite are ignored.
    unit : str
        The unit of ``data``.
    sfreq : float
        Sampling rate in Hz.
    declared : str, optional
        The unit that the source declared, where the data were converted since.

    Returns
    -------
    AmplitudeFinding

    Raises
    ------
    InputError
        The unit is unknown, or the data have no second axis.
    """
    values = np.asarray(data, dtype=np.float64)
    if declared:
        values = values * (microvolt_factor(unit) / microvolt_factor(declared))
    declared = normalise_unit(declared or unit)
    if values.ndim != 2:
        raise InputError(
            "The signal has not the shape (channels, samples)",
            value=f"shape {values.shape}",
            remedy="Pass a two-dimensional array.",
        )
    amplitude = _amplitude(values, sfreq)
    low, high = (bound / _FACTORS[declared] for bound in PLAUSIBLE_MICROVOLTS)
    verdict: Verdict = "plausible"
    suggested = declared
    if amplitude == 0.0:
        verdict = "flat"
    elif not low <= amplitude <= high:
        verdict = "too small" if amplitude < low else "too large"
        suggested = min(
            _FACTORS,
            key=lambda name: abs(np.log10(amplitude * _FACTORS[name] / _TYPICAL_MICROVOLTS)),
        )
    return AmplitudeFinding(verdict, declared, amplitude * _FACTORS[declared], suggested)


def require_plausible_amplitude(
    data: ArrayLike, unit: str, sfreq: float, declared: str | None = None
) -> AmplitudeFinding:
    """Refuse EEG whose amplitude contradicts its declared unit.

    Parameters and return value are those of :func:`check_amplitude`.

    Parameters
    ----------
    data, unit, sfreq, declared
        As for :func:`check_amplitude`.

    Returns
    -------
    finding : AmplitudeFinding
        That of :func:`check_amplitude`.

    Raises
    ------
    InputError
        The amplitude is too small or too large for the unit; the remedy names the one that suits.
    """
    finding = check_amplitude(data, unit, sfreq, declared)
    if finding.verdict in ("too small", "too large"):
        low, high = PLAUSIBLE_MICROVOLTS
        raise InputError(
            f"The amplitude is {finding.verdict} for EEG, which has {low:g} to {high:g} µV: the "
            "unit is wrong, or the electrodes are not connected",
            value=f"{finding.amplitude:.3g} µV by the unit {finding.unit}",
            remedy=f"The amplitude would suit {finding.suggested_unit}: say --unit "
            f"{finding.suggested_unit} (or correct --scale), or check the electrodes.",
        )
    return finding


def _amplitude(values: NDArray[np.float64], sfreq: float) -> float:
    """Median, over channels that vary, of the robust standard deviation within a second."""
    # a unit is checked long before there is a signal
    from scipy.signal import detrend

    finite = np.isfinite(values)
    rows = finite.any(axis=1)
    if not rows.any():
        return 0.0
    values, finite = values[rows], finite[rows]
    centre = np.nanmedian(np.where(finite, values, np.nan), axis=1, keepdims=True)
    # what is not finite becomes the median, and enters no statistic below
    filled = np.where(finite, values, centre) - centre
    n_samples = filled.shape[1]
    seconds = np.arange(0, n_samples, max(round(sfreq), 1))
    residual = detrend(filled, axis=1, bp=seconds[(seconds > 0) & (n_samples - seconds > 1)])
    deviation = np.abs(np.where(finite, residual, np.nan))
    spread = 1.4826 * np.nanmedian(deviation, axis=1)
    # rounding leaves some 1e-16 of the values in a channel that does not vary
    varying = spread[(spread > 0) & (np.ptp(filled, axis=1) > 0)]
    return float(np.median(varying)) if varying.size else 0.0
