"""What the networks of a population of imagery read of trials."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray

from sjepa_online.decoding.transfer.imagery.rhythm_covariances import (
    BLOCK,
    in_band,
    rhythm_covariances,
)
from sjepa_online.typing import BoolMask, Indices

Floats32 = NDArray[np.float32]


@dataclass(frozen=True, eq=False)
class RhythmTrials:
    """Trials in the band of the rhythms, once as they are and once as covariances.

    Attributes
    ----------
    signals : ndarray, shape (n, channels, samples)
        In µV at 128 Hz, band-passed.
    covariances : ndarray, shape (n, kernels, windows, channels, channels)
        Of the channels behind each kernel.
    """

    signals: Floats32
    covariances: Floats32

    @classmethod
    def of(cls, X: NDArray[np.floating], kernels: Floats32, block: int = BLOCK) -> Self:
        """Band-pass epochs and compute their covariances.

        Parameters
        ----------
        X : ndarray, shape (n, channels, samples)
            Epochs in µV at 128 Hz.
        kernels : ndarray, shape (kernels, taps)
            The first convolution.
        block : int
            Samples of half a window.

        Returns
        -------
        trials : RhythmTrials

        Raises
        ------
        InputError
            The epochs are shorter than one window.
        """
        signals = in_band(X)
        return cls(signals, rhythm_covariances(signals, kernels, block))

    @classmethod
    def join(cls, parts: Sequence[Self]) -> Self:
        """Return the trials of all parts, one after the other.

        Parameters
        ----------
        parts : sequence of RhythmTrials
            On the same channels, of the same length.

        Returns
        -------
        trials : RhythmTrials
        """
        return cls(
            np.concatenate([one.signals for one in parts]),
            np.concatenate([one.covariances for one in parts]),
        )

    def __len__(self) -> int:
        return len(self.signals)

    def __getitem__(self, rows: slice | Indices | BoolMask) -> RhythmTrials:
        return RhythmTrials(self.signals[rows], self.covariances[rows])

    def pick(self, channels: Sequence[int] | Indices) -> RhythmTrials:
        """Return the trials on some of the channels.

        Parameters
        ----------
        channels : sequence of int

        Returns
        -------
        trials : RhythmTrials
        """
        chosen = np.asarray(channels, dtype=np.intp)
        return RhythmTrials(
            self.signals[:, chosen], self.covariances[..., chosen[:, np.newaxis], chosen]
        )
