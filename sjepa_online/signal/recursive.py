"""Recursive filters for short chunks."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import toeplitz
from scipy.signal import sosfilt

Floats = NDArray[np.float64]

#: Samples that are filtered at once.
BLOCK = 32


class RecursiveFilter:
    """Second-order sections over chunks, as products with small matrices.

    It gives what ``scipy.signal.sosfilt`` gives, whose checks of its arguments take longer than a
    live stream's chunk. Within a block, the output and the next state are linear in the samples
    and the state: the matrices are scipy's answers to single samples and single states of 1.

    Parameters
    ----------
    sections : ndarray, shape (n_sections, 6)
        As scipy designs them.
    n_channels : int
        Number of channels; the filter starts at rest.
    """

    def __init__(self, sections: Floats, n_channels: int) -> None:
        n_sections = len(sections)
        order = 2 * n_sections
        silence = np.zeros((order, 1))
        state = np.eye(order).reshape(order, n_sections, 2).swapaxes(0, 1)
        outputs, transitions = [], [np.eye(order)]
        for _ in range(BLOCK):
            output, state = sosfilt(sections, silence, zi=state)
            outputs.append(output)
            transitions.append(_flat(state))
        impulse = np.eye(1, BLOCK)
        response, _ = sosfilt(sections, impulse, zi=np.zeros((n_sections, 1, 2)))
        _, entered = sosfilt(sections, np.ones((1, 1)), zi=np.zeros((n_sections, 1, 2)))
        self._convolution = toeplitz(response[0, 0] * impulse[0], response[0])
        self._from_state = np.hstack(outputs)
        self._transitions = np.stack(transitions)
        self._to_state = np.vstack([_flat(entered) @ one for one in transitions[BLOCK - 1 :: -1]])
        self._state = np.zeros((n_channels, order))

    def reset(self) -> None:
        """Bring the filter to rest."""
        self._state = np.zeros_like(self._state)

    def filter(self, values: Floats) -> Floats:
        """Filter the next samples.

        Parameters
        ----------
        values : ndarray, shape (n_channels, n_samples)

        Returns
        -------
        ndarray, shape (n_channels, n_samples)
        """
        filtered = np.empty_like(values)
        for start in range(0, values.shape[1], BLOCK):
            block = values[:, start : start + BLOCK]
            n = block.shape[1]
            output = block @ self._convolution[:n, :n]
            output += self._state @ self._from_state[:, :n]
            filtered[:, start : start + n] = output
            self._state = self._state @ self._transitions[n] + block @ self._to_state[BLOCK - n :]
        return filtered


def _flat(state: Floats) -> Floats:
    """Return the states ``(channels, order)`` of scipy's ``(sections, channels, 2)``."""
    return np.ascontiguousarray(state.swapaxes(0, 1).reshape(state.shape[1], -1))
