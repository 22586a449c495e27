"""Recursive filters that keep their state from chunk to chunk."""

from __future__ import annotations

import numpy as np
from scipy.linalg import toeplitz
from scipy.signal import sosfilt

from sjepa_online.typing import Floats

#: Samples that are filtered at once.
BLOCK = 32
#: Chunks of at least so many samples, of at most so many channels, are faster in scipy: 1.0 to 6
#: times on one core, against 0.3 times for 8 samples and 0.5 to 0.9 times for 128 channels.
LONG_CHUNK = 256
SCIPY_CHANNELS = 32


class RecursiveFilter:
    """Second-order sections over chunks.

    Long chunks go through ``scipy.signal.sosfilt``, whose checks of its arguments take longer than
    the filtering of a live stream's chunk. Short ones are multiplied by small matrices, with the
    same result but for rounding: within a block, the output and the next state are linear in the
    samples and the state, and the matrices are scipy's responses to single samples and single
    states of 1.

    Parameters
    ----------
    sections : ndarray, shape (n_sections, 6)
        As scipy designs them.
    n_channels : int
        Number of channels; the filter starts at rest.
    """

    def __init__(self, sections: Floats, n_channels: int) -> None:
        n_sections = len(sections)
        self._sections = sections
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
        if values.shape[1] >= LONG_CHUNK and len(values) <= SCIPY_CHANNELS:
            n_channels, n_sections = len(values), len(self._sections)
            state = self._state.reshape(n_channels, n_sections, 2).swapaxes(0, 1)
            outputs: tuple[Floats, Floats] = sosfilt(self._sections, values, zi=state)
            self._state = _flat(outputs[1])
            return outputs[0]
        return self._filter_blocks(values)

    def _filter_blocks(self, values: Floats) -> Floats:
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
