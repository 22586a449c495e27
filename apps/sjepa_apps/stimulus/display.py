"""Displays: where stimuli are shown, and the refresh rate measured there."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from sjepa_apps.stimulus.frames import measure_refresh_rate
from sjepa_online.errors import InputError

#: A display that swaps faster than its refresh rate by this factor does not wait for it.
_FREE_RUNNING = 1.25
#: Swaps that wait come at whole multiples of the refresh, give or take this many refreshes, most
#: of the time.
_IN_STEP = 0.2
_SHARE_IN_STEP = 0.75
#: One that swaps slower than this share of it misses refreshes.
_TOO_SLOW = 0.9
#: Refresh rates (Hz) below this are not those of a display.
_LEAST_RATE = 20.0


@dataclass(frozen=True)
class DisplayOptions:
    """Options of the stimulus window: where it opens, its patch and its sounds.

    Attributes
    ----------
    display : int or None
        Number of the display, from 1; None for the last one, as operators sit at the first.
    windowed : bool
        Open a window in the middle of the display, which does not fill it.
    photodiode : bool
        Show a patch in the lower left corner, white while a stimulus is on.
    sound : bool
        Play a short tone at each cue and a low one at each rest.
    """

    display: int | None = None
    windowed: bool = False
    photodiode: bool = False
    sound: bool = False


@dataclass(frozen=True)
class DisplayReport:
    """Properties of a display.

    Attributes
    ----------
    name : str
        Name of the display, and its size.
    refresh_rate : float
        At which frames are shown (Hz).
    vsync : bool
        Whether swaps of frames wait for the display's refresh; a timer paces them otherwise.
    warnings : tuple of str
        Problems, as sentences for the operator.
    """

    name: str
    refresh_rate: float
    vsync: bool
    warnings: tuple[str, ...] = ()

    def __str__(self) -> str:
        pace = "frames wait for its refresh" if self.vsync else "frames paced by a timer"
        return f"{self.name}, {self.refresh_rate:.2f} Hz, {pace}"


def check_rate(nominal: float) -> float:
    """Return the refresh rate (Hz) that the system tells, if it is one.

    Raises
    ------
    InputError
        It is not.
    """
    if nominal < _LEAST_RATE:
        raise InputError(
            "The system reports an impossible refresh rate of the display",
            value=f"{nominal:g} Hz",
            remedy="Set the refresh rate in the system's display settings.",
        )
    return nominal


def judge_display(name: str, nominal: float, swap_times: list[float]) -> DisplayReport:
    """Compare the swaps of a display with the refresh rate that the system tells.

    Parameters
    ----------
    name : str
        Of the display.
    nominal : float
        Refresh rate that the system tells (Hz).
    swap_times : list of float
        When frames were swapped as fast as the display allowed (s).

    Returns
    -------
    report : DisplayReport
        Its refresh rate is the measured one if swaps wait for the display, otherwise what the
        system tells, which a timer then keeps to.
    """
    measured = measure_refresh_rate(swap_times)
    refreshes = np.diff(swap_times) * nominal
    in_step = np.abs(refreshes - np.maximum(np.round(refreshes), 1)) < _IN_STEP
    if measured > _FREE_RUNNING * nominal or np.mean(in_step) < _SHARE_IN_STEP:
        warning = (
            f"Swaps do not wait for the display's refresh ({measured:.0f} a second at {nominal:g} "
            "Hz), so a timer paces the frames and the picture may tear. For recordings switch on "
            "vertical synchronisation in the graphics driver."
        )
        return DisplayReport(name, nominal, False, (warning,))
    if measured < _TOO_SLOW * nominal:
        warning = (
            f"The display shows {measured:.4g} frames a second where its refresh rate is "
            f"{nominal:.4g} Hz: choose a lower resolution, or close other programs."
        )
        return DisplayReport(name, measured, True, (warning,))
    return DisplayReport(name, measured, True)
