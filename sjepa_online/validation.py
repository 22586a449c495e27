"""Checks of arrays and choices where they enter the library."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from sjepa_online.errors import InputError
from sjepa_online.typing import BoolMask, FloatArray, Floats

#: Peak (µV) below which epochs are no EEG in µV: the noise of any amplifier is larger. An EEG in
#: volts stays below 0.001, one in millivolts mostly below 0.1.
LEAST_PEAK = 0.1
#: Highest rate (Hz) of any amplifier.
LIMIT_SFREQ = 200_000.0

# one sample of so many is enough to see that the amplitude is not too small
_EACH = 8
# filters that come to rest leave a signal that moves less than this share of its size a sample
_SMOOTH = 0.1


def check_choice(name: str, value: object, choices: Collection[Any]) -> None:
    """Refuse a value that is not one of the choices.

    Parameters
    ----------
    name : str
        Name of the parameter.
    value : object
    choices : collection

    Raises
    ------
    InputError
        The value is unknown.
    """
    if value not in choices:
        raise InputError(
            f"Unknown {name}",
            value=repr(value),
            remedy=f"Choose from {', '.join(map(str, choices))}.",
        )


def check_type(name: str, value: object, kind: type, remedy: str) -> None:
    """Refuse a value of another type, such as a name in the place of what it names.

    Parameters
    ----------
    name : str
        Name of the parameter.
    value : object
    kind : type
    remedy : str
        How to get such a value.

    Raises
    ------
    InputError
        The value is of another type.
    """
    if not isinstance(value, kind):
        raise InputError(
            f"{name} is no {kind.__name__}",
            value=repr(value) if isinstance(value, str | int | float) else type(value).__name__,
            remedy=remedy,
        )


def check_names(name: str, value: Collection[str]) -> tuple[str, ...]:
    """Return names as a tuple; a single string is refused, as its letters would become names.

    Parameters
    ----------
    name : str
        Name of the parameter.
    value : collection of str

    Returns
    -------
    tuple of str

    Raises
    ------
    InputError
        The value is a string, or holds something else than strings, such as a mask.
    """
    if isinstance(value, str):
        raise InputError(
            f"{name} is a string, not a list of names",
            value=repr(value),
            remedy=f"Write {name}=[{value!r}].",
        )
    names = tuple(value)
    if not all(isinstance(item, str) for item in names):
        raise InputError(
            f"{name} does not hold names",
            value=repr(names[0]),
            remedy="Pass names of channels; of a mask: "
            "[name for name, is_bad in zip(ch_names, mask) if is_bad].",
        )
    return names


def check_chunk(chunk: ArrayLike, n_channels: int) -> Floats:
    """Return the samples of a chunk in double precision.

    Parameters
    ----------
    chunk : array_like, shape (n_channels, n_samples)
    n_channels : int

    Returns
    -------
    ndarray of float64, shape (n_channels, n_samples)

    Raises
    ------
    InputError
        The chunk has another shape, or is not numeric.
    """
    values = _numbers(chunk, "A chunk")
    if values.ndim != 2 or values.shape[0] != n_channels:
        swapped = values.ndim == 2 and values.shape[1] == n_channels
        raise InputError(
            f"The chunk has not the shape ({n_channels}, samples)",
            value=f"its shape is {values.shape}",
            remedy="Its axes are swapped: pass chunk.T."
            if swapped
            else "Pass one row for each channel.",
        )
    converted: Floats = values.astype(np.float64, copy=False)
    return converted


def check_times(times: ArrayLike, n: int, what: str) -> Floats:
    """Return times in double precision.

    Parameters
    ----------
    times : array_like, shape (n,)
        In seconds.
    n : int
        Number of samples or events that the times belong to.
    what : str
        Name of the times in the message, in the plural: "timestamps".

    Returns
    -------
    ndarray of float64, shape (n,)

    Raises
    ------
    InputError
        There are more or fewer times, or a time is not finite.
    """
    values: Floats = _numbers(times, f"The array of {what}").astype(np.float64, copy=False)
    if values.shape != (n,):
        raise InputError(
            f"There are not as many {what} as samples or events",
            value=f"shape {values.shape} for {n}",
            remedy="Pass one time for each.",
        )
    # the sum is finite where all are, and needs no array of its own
    if n and not np.isfinite(values.sum()):
        raise InputError(
            f"Some {what} are not finite",
            value=f"{int(np.sum(~np.isfinite(values)))} of {n}",
            remedy="Leave out the samples or events without a time.",
        )
    return values


def check_mask(mask: ArrayLike, n: int, what: str) -> BoolMask:
    """Return a boolean mask.

    Parameters
    ----------
    mask : array_like of bool, shape (n,)
    n : int
    what : str
        Name of the mask in the message.

    Returns
    -------
    ndarray of bool, shape (n,)

    Raises
    ------
    InputError
        The mask has another shape or is not boolean.
    """
    values = np.asarray(mask)
    if values.dtype != np.bool_ or values.shape != (n,):
        raise InputError(
            f"{what} is not a boolean mask of {n} entries",
            value=f"shape {values.shape} of {values.dtype}",
            remedy="Pass True or False for each entry.",
        )
    return values


def check_epochs(X: ArrayLike, n_channels: int | None = None, lengths: Sequence[int] = ()) -> Any:
    """Return epochs as an array after a check of shape, type, finite values and amplitude.

    Parameters
    ----------
    X : array_like, shape (n, channels, samples)
        Epochs in µV at 128 Hz, at least one.
    n_channels : int or None
        None takes any number.
    lengths : sequence of int
        Numbers of samples that are allowed; empty for any.

    Returns
    -------
    ndarray, shape (n, channels, samples)
        Of the type that was given.

    Raises
    ------
    InputError
        There is no epoch, the shape is another one, the axes are swapped, a value is not a finite
        number, or the amplitude is too small for µV.
    """
    epochs = _numbers(X, "X")
    check_epoch_shape(epochs, n_channels, lengths)
    check_microvolts(epochs)
    return epochs


def check_epoch_shape(
    X: FloatArray, n_channels: int | None = None, lengths: Sequence[int] = ()
) -> None:
    """Refuse epochs of another shape.

    Parameters
    ----------
    X, n_channels, lengths
        As for :func:`check_epochs`.

    Raises
    ------
    InputError
        ``X`` is no array, there is no epoch, the shape is another one, or the axes are swapped.
    """
    if not isinstance(X, np.ndarray):
        raise InputError(
            "The epochs are not a NumPy array",
            value=type(X).__name__,
            remedy="Pass numpy.asarray(X).",
        )
    wrong = X.ndim != 3 or (n_channels is not None and X.shape[1] != n_channels)
    if wrong or (lengths and X.shape[2] not in lengths):
        told = f"(n, {n_channels or 'channels'}, {' or '.join(map(str, lengths)) or 'samples'})"
        swapped = X.ndim == 3 and n_channels is not None and X.shape[2] == n_channels
        raise InputError(
            f"The epochs have not the shape {told}",
            value=f"their shape is {X.shape}",
            remedy="Channels and samples are swapped: pass X.swapaxes(1, 2)."
            if swapped
            else "Cut epochs with these channels and this window, at 128 Hz.",
        )
    if n_channels is None and X.shape[1] > X.shape[2]:
        raise InputError(
            "The epochs have more channels than samples",
            value=f"their shape is {X.shape}",
            remedy="If the axes are swapped, pass X.swapaxes(1, 2).",
        )
    if 0 in X.shape:
        raise InputError(
            "There are no epochs", value=f"the shape is {X.shape}", remedy="Pass at least one."
        )


def check_microvolts(X: FloatArray) -> None:
    """Refuse epochs with values that are not finite, or too small for µV.

    One pass without a copy where all is well: this runs for every live decision. Channels
    without signal, whose filters come to rest, are let through.

    Parameters
    ----------
    X : ndarray, shape (n, channels, samples)
        Good channels only.

    Raises
    ------
    InputError
        A value is not finite, or all values are too small for EEG in µV.
    """
    if not X.size:
        return
    # NaN and infinite values reach the sum
    if not np.isfinite(X.sum()):
        raise InputError(
            "Some values of the epochs are not finite",
            value=f"{int(np.sum(~np.isfinite(X)))} values",
            remedy="Leave out such epochs, or name the bad channels.",
        )
    if X[..., ::_EACH].max() >= LEAST_PEAK:
        return
    peak = float(np.abs(X).max())
    if 0 < peak < LEAST_PEAK and _varies(X):
        unit = "volts" if peak < LEAST_PEAK / 100 else "millivolts"
        raise InputError(
            "The amplitude of the epochs is too small for EEG in µV",
            value=f"the largest value is {peak:.2g}",
            remedy=f"They seem to be in {unit}: multiply them by "
            f"{'1e6' if unit == 'volts' else '1e3'}.",
        )


def _varies(X: FloatArray) -> bool:
    """Whether most channels vary from sample to sample, as EEG does."""
    size = np.std(X, axis=-1)
    step = np.std(np.diff(X, axis=-1), axis=-1)
    return bool(np.mean(step > _SMOOTH * size) > 0.5)


def _numbers(values: ArrayLike, what: str) -> Any:
    """Return an array of real numbers."""
    try:
        array = np.asarray(values)
    except ValueError as error:
        raise InputError(
            f"{what} is no array: its rows have different lengths",
            value="",
            remedy="Pass rows of one length.",
        ) from error
    if array.dtype.kind not in "fiu":
        raise InputError(
            f"{what} does not hold real numbers",
            value=f"an array of {array.dtype}",
            remedy="Pass an array of floating-point numbers.",
        )
    return array
