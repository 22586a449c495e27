"""Motor imagery: power and its pattern, one side of the cortex against the other.

A hand is imagined by the cortex of the other side (Pfurtscheller and Lopes da Silva 1999), and the
two sides are nearly alike. Both facts hold before the first trial is recorded, so that few
trials suffice: log ratios of homologous electrodes are features of their own, and every trial is
used twice, the second time as its mirror image: left and right exchanged in electrodes and label.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Self

import numpy as np

from sjepa_online.decoding.bad_channels.interpolation import DynamicSpatialFilter
from sjepa_online.decoding.base import Features
from sjepa_online.decoding.classifiers.logistic import LogisticRegression
from sjepa_online.decoding.classifiers.readouts.power import BandPower
from sjepa_online.decoding.features.tangent_space import filter_covariances, flatten
from sjepa_online.typing import BoolMask, Floats, Indices, Integers

#: Electrodes over the sensorimotor cortex, left and right.
SIDES = tuple(
    (f"{row}{left}", f"{row}{left + 1}") for row in ("FC", "C", "CP") for left in (1, 3, 5)
)
#: From so many electrodes on their mean is subtracted; that of fewer is mostly themselves.
LEAST_FOR_MEAN = 6
#: With a larger share of electrodes without counterpart there is no mirror.
MOST_WITHOUT_COUNTERPART = 0.25
#: µV²: less power than any electrode has.
SMALLEST_POWER = 1e-12
_OPPOSITE = {"left": "right", "right": "left", "Left": "Right", "Right": "Left"}
_SIDE = re.compile("(?<![A-Za-z])([Ll]eft|[Rr]ight)(?![A-Za-z])")
_NUMBER = re.compile(r"(\d+)(h?)$")


@dataclass(frozen=True)
class Mirror:
    """Which channels and classes are exchanged when left and right are.

    Attributes
    ----------
    channels : ndarray of int, shape (channels,)
        Index of each channel's counterpart on the other side; its own on the midline.
    unknown : ndarray of bool, shape (channels,)
        Channels without a counterpart in the montage.
    classes : ndarray of int, shape (classes,)
        Index of the class that each becomes in a mirror image.
    """

    channels: Indices
    unknown: BoolMask
    classes: Indices

    def covariances(self, covariances: Floats) -> Floats:
        """Return the covariances of the mirror images of trials.

        A channel without a counterpart is estimated from the others.

        Parameters
        ----------
        covariances : ndarray, shape (n, blocks, channels, channels)

        Returns
        -------
        mirrored : ndarray, shape (n, blocks, channels, channels)
        """
        seen: Floats = covariances[..., self.channels[:, np.newaxis], self.channels]
        if not self.unknown.any():
            return seen
        whole = DynamicSpatialFilter(np.eye(len(self.channels)), covariances.mean(axis=0))
        estimate, residual = whole.without(self.unknown)
        return filter_covariances(estimate, seen) + residual


def find_mirror(ch_names: Sequence[str] | None, classes: Sequence[Any]) -> Mirror | None:
    """Return the mirror of a montage and of classes such as ``left_hand`` and ``right_hand``.

    Parameters
    ----------
    ch_names : sequence of str or None
        10-05 names, in which odd numbers lie left and even ones right.
    classes : sequence
        A class whose name holds the word ``left`` becomes the one with ``right`` instead, and the
        reverse; ``feet`` stays itself.

    Returns
    -------
    Mirror or None
        None without names, without such classes, where one of them lacks its counterpart, and
        where the montage has no two sides or over a quarter of its channels no counterpart.
    """
    names = [str(name) for name in classes]
    mirrored = [_SIDE.sub(lambda side: _OPPOSITE[side[0]], name) for name in names]
    if ch_names is None or mirrored == names or not set(mirrored) <= set(names):
        return None
    montage = list(ch_names)
    counterparts = [_counterpart(name) for name in montage]
    unknown = np.array([name not in montage for name in counterparts])
    channels = np.array(
        [
            montage.index(name if name in montage else own)
            for own, name in zip(montage, counterparts, strict=True)
        ]
    )
    midline_only = np.array_equal(channels, np.arange(len(montage)))
    if midline_only or unknown.mean() > MOST_WITHOUT_COUNTERPART:
        return None
    return Mirror(channels, unknown, np.array([names.index(name) for name in mirrored]))


def _counterpart(name: str) -> str:
    number = _NUMBER.search(name)
    if number is None:
        return name
    value = int(number[1])
    return f"{name[: number.start()]}{value + 1 if value % 2 else value - 1}{number[2]}"


def sides(ch_names: Sequence[str] | None) -> Floats:
    """Return the filter that reads both sides of the sensorimotor cortex.

    Parameters
    ----------
    ch_names : sequence of str or None
        10-05 names of the channels; None where they are not known.

    Returns
    -------
    filters : ndarray, shape (2 * pairs, channels)
        First the left electrodes, then their counterparts on the right, each against the mean of
        all.
    """
    names = list(ch_names or ())
    pairs = [pair for pair in SIDES if set(pair) <= set(names)]
    chosen = [names.index(pair[side]) for side in (0, 1) for pair in pairs]
    reference = 1 / len(names) if len(names) >= LEAST_FOR_MEAN else 0.0
    spatial: Floats = np.eye(len(names))[chosen] - reference
    return spatial


class Imagery(BandPower):
    """Power and its pattern, with one side against the other and mirror images of trials.

    Parameters
    ----------
    kernels : ndarray, shape (kernels, 32)
    electrodes : ndarray, shape (2 * pairs, channels)
        Filters of the left side, then those of the right side; see :func:`sides`.
    mirror : Mirror or None
        Gives each trial a mirror image; None where left and right are no classes.
    """

    kind = "imagery"

    def __init__(self, kernels: Floats, electrodes: Floats, mirror: Mirror | None) -> None:
        super().__init__(kernels)
        self._electrodes, self._mirror = electrodes, mirror
        #: From virtual channels to the electrodes of both sides.
        self._sides: Floats = np.empty((0, 0))

    def arrays(self) -> dict[str, Floats]:
        """Return the fitted arrays by name. See :meth:`Readout.arrays`."""
        return {**super().arrays(), "sides": self._sides}

    def restore(self, arrays: dict[str, Floats]) -> Self:
        """Set the fitted arrays. See :meth:`Readout.restore`."""
        self._sides = arrays["sides"]
        return super().restore(arrays)

    def _regression(self, features: Features) -> LogisticRegression:
        # each trial and its mirror image share one weight
        return LogisticRegression(C=1.0 if self._mirror is None else 0.5)

    def _fit_filter(self, features: Features) -> None:
        super()._fit_filter(features)
        if self._electrodes.size:
            self._sides = self._electrodes @ np.linalg.pinv(self.filter.spatial)

    def _spatial_filter(self, covariance: Floats, matrices: Floats) -> Floats:
        if self._mirror is not None:
            # the filter keeps components that only the mirror images have, too
            image = self._mirror.covariances(covariance[np.newaxis, np.newaxis])[0, 0]
            covariance = (covariance + image) / 2
        return super()._spatial_filter(covariance, matrices)

    def _examples(self, matrices: Floats, targets: Integers) -> tuple[Floats, Integers]:
        if self._mirror is None:
            return matrices, targets
        images = self._mirror.covariances(matrices)
        return np.concatenate([matrices, images]), np.r_[targets, self._mirror.classes[targets]]

    def _tangent_vectors(self, matrices: Floats) -> Floats:
        vectors = super()._tangent_vectors(matrices)
        if not self._sides.size:
            return vectors
        return np.hstack([vectors, log_ratios(self._sides, matrices)])


def log_ratios(spatial: Floats, matrices: Floats) -> Floats:
    """Return the logarithm of the power on the left over that on the right.

    Parameters
    ----------
    spatial : ndarray, shape (2 * pairs, virtual)
        Filters of the left side, then those of the right side.
    matrices : ndarray, shape (n, bands, virtual, virtual)

    Returns
    -------
    ratios : ndarray, shape (n, bands * pairs)
    """
    powers = np.sum(spatial @ matrices * spatial, axis=-1)
    left, right = np.split(np.log(np.maximum(powers, SMALLEST_POWER)), 2, axis=-1)
    return flatten(left - right)
