"""Recognise a person's trials by their content, in whatever file, unit or scale they come.

Of each trial and electrode the signs of 64 differences are kept: between the means of
neighbouring pieces of 62.5 ms, or shorter ones for short epochs. Two recordings of other people
agree in half of them, of channels that move together in up to 0.8.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sjepa_online.decoding.transfer.montage_match import match_montage

Fingerprints = NDArray[np.uint8]

#: Samples (128 Hz) of a piece.
PIECE = 8
_BITS = 64
#: Share of equal signs from which on two trials are the same one.
_SAME = 0.95
#: Signs that a comparison needs: by fewer, trials of others are alike by chance.
_LEAST_SIGNS = 100
#: Signs of each electrode that it needs: neighbouring electrodes show much the same.
_LEAST_OF_EACH = 16
#: New trials that are compared at once, which bounds memory.
_AT_ONCE = 1024


def n_signs(n_times: int, piece: int = PIECE) -> int:
    """Return how many signs an epoch of so many samples (128 Hz) has on each electrode."""
    return max(min(n_times // piece - 1, _BITS), 0)


def fingerprints(X: NDArray[np.floating], piece: int = PIECE) -> Fingerprints:
    """Return the signs of epochs ``(n, channels, samples)`` as bytes ``(n, channels, 8)``.

    Of shorter epochs the last signs are 0.

    Parameters
    ----------
    X : ndarray, shape (n, channels, samples)
        Epochs in any unit: only the direction in which the signal goes counts.
    piece : int
        Samples of a piece.

    Returns
    -------
    ndarray of uint8, shape (n, channels, 8)
        Each bit is one sign.
    """
    n, n_channels, n_times = X.shape
    n_pieces = min(n_times // piece, _BITS + 1)
    pieces = X[..., : n_pieces * piece].reshape(n, n_channels, n_pieces, piece).mean(axis=-1)
    signs = np.zeros((n, n_channels, _BITS), dtype=bool)
    signs[..., : n_signs(n_times, piece)] = np.diff(pieces, axis=-1) > 0
    return np.packbits(signs, axis=-1)


def matches(known: Fingerprints, new: Fingerprints, compared: int = _BITS) -> NDArray[np.intp]:
    """Return which of the known trials are among the new ones.

    Parameters
    ----------
    known : ndarray of uint8, shape (n, channels, 8)
    new : ndarray of uint8, shape (m, channels, 8)
    compared : int
        Signs of each electrode that both have.

    Returns
    -------
    ndarray of int, shape (k,)
        Indices of known trials, ascending; empty where none is among the new ones, or there is
        too little to compare.
    """
    n_signs = known.shape[1] * compared
    if not known.size or not new.size or n_signs < _LEAST_SIGNS or compared < _LEAST_OF_EACH:
        return np.empty(0, dtype=np.intp)
    signs, found = _signs(known, compared), np.zeros(len(known), dtype=bool)
    for begin in range(0, len(new), _AT_ONCE):
        # equal signs less those that differ
        balance = signs @ _signs(new[begin : begin + _AT_ONCE], compared).T
        found |= balance.max(axis=1) >= (2 * _SAME - 1) * n_signs
    return np.flatnonzero(found)


def _signs(prints: Fingerprints, compared: int) -> NDArray[np.float32]:
    """Return the signs ``(trials, channels * compared)`` as -1 and 1."""
    signs = np.unpackbits(prints, axis=-1)[..., :compared]
    return 2 * signs.reshape(len(prints), -1).astype(np.float32) - 1


@dataclass(frozen=True, eq=False)
class KnownTrials:
    """Fingerprints of the trials that a population was made of.

    Attributes
    ----------
    prints : ndarray of uint8, shape (trials, channels, 8)
    person : ndarray of int, shape (trials,)
        Index of the person, or of the recording, that each is of.
    ch_names : tuple of str
        Channels of the fingerprints.
    piece : int
        Samples (128 Hz) of the pieces.
    """

    prints: Fingerprints
    person: NDArray[np.integer]
    ch_names: tuple[str, ...]
    piece: int = PIECE

    @classmethod
    def of(
        cls,
        parts: Sequence[NDArray[np.floating]],
        ch_names: Sequence[str],
        most: int | None = None,
        piece: int = PIECE,
    ) -> KnownTrials:
        """Keep the fingerprints of several people's epochs.

        Parameters
        ----------
        parts : sequence of ndarray, shape (n, channels, samples)
        ch_names : sequence of str
        most : int or None
            Trials of each that are kept at most, from its beginning to its end.
        piece : int
            Samples of the pieces.

        Returns
        -------
        KnownTrials
        """
        kept = [X[:: max(-(-len(X) // most), 1)] if most else X for X in parts]
        person = np.repeat(np.arange(len(kept)), [len(X) for X in kept])
        prints = np.concatenate([fingerprints(X, piece) for X in kept])
        return cls(prints, person, tuple(ch_names), piece)

    @classmethod
    def none(cls, ch_names: Sequence[str]) -> KnownTrials:
        """Return what a population knows that recognises nobody."""
        prints = np.zeros((0, len(ch_names), _BITS // 8), np.uint8)
        return cls(prints, np.zeros(0, np.intp), tuple(ch_names))

    @property
    def arrays(self) -> dict[str, NDArray[Any]]:
        """What a file of a population keeps; see :meth:`read`."""
        return {"prints": self.prints, "person": self.person}

    @classmethod
    def read(
        cls, arrays: Mapping[str, NDArray[Any]], ch_names: Sequence[str], piece: int = PIECE
    ) -> KnownTrials:
        """Take the arrays of a file; files of the first version of a format have none."""
        if "prints" not in arrays:
            return cls.none(ch_names)
        return cls(arrays["prints"], arrays["person"], tuple(ch_names), piece)

    def among(self, X: NDArray[np.floating], ch_names: Sequence[str]) -> list[int]:
        """Return whose trials are among epochs.

        Parameters
        ----------
        X : ndarray, shape (n, channels, samples)
            Epochs in µV at 128 Hz, that begin as long after the cue as those that are known.
        ch_names : sequence of str
            Their channels.

        Returns
        -------
        list of int
            Indices of people, ascending; empty where all epochs are of others.
        """
        picks, places = match_montage(self.ch_names, ch_names).by_name
        compared = min(n_signs(X.shape[-1], self.piece), self._n_signs)
        new = fingerprints(X[:, picks], self.piece)
        found = matches(self.prints[:, places], new, compared)
        return [int(index) for index in np.unique(self.person[found])]

    @property
    def _n_signs(self) -> int:
        """Signs of each electrode: the later ones are 0 in all trials."""
        used = np.unpackbits(self.prints, axis=-1).any(axis=(0, 1))
        return int(np.flatnonzero(used)[-1]) + 1 if used.any() else 0
