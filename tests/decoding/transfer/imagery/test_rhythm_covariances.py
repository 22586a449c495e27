"""Covariances behind the first convolution, against the convolution itself."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from scipy.signal import butter, sosfiltfilt

from sjepa_online.decoding.transfer.imagery.rhythm_covariances import (
    frames,
    in_band,
    rhythm_kernels,
    upper_triangles,
)
from sjepa_online.decoding.transfer.imagery.rhythm_trials import RhythmTrials
from sjepa_online.errors import InputError


def test_they_are_those_of_the_convolution() -> None:
    X = np.random.default_rng(0).normal(size=(2, 3, 400))
    kernels = rhythm_kernels()
    sections = butter(4, (7, 32), "bandpass", fs=128, output="sos")
    signal = torch.from_numpy(sosfiltfilt(sections, X, padlen=100).reshape(6, 1, 400).copy())
    outputs = torch.nn.functional.conv1d(
        signal, torch.from_numpy(kernels).double()[:, None], stride=2
    )
    second = outputs.reshape(2, 3, len(kernels), -1)[..., 16:48].numpy()
    expected = np.einsum("ncks,ndks->nkcd", second, second) / 32
    np.testing.assert_allclose(
        RhythmTrials.of(X, kernels).covariances[:, :, 1], expected, rtol=1e-3, atol=1e-5
    )


@pytest.mark.parametrize("n_times", [95, 134, 300, 536])
def test_the_band_pass_is_that_of_scipy(n_times: int) -> None:
    X = np.random.default_rng(3).normal(size=(2, 3, n_times))
    sections = butter(4, (7, 32), "bandpass", fs=128, output="sos")
    expected = sosfiltfilt(sections, X, padlen=min(100, n_times - 1))
    np.testing.assert_allclose(in_band(X), expected, atol=1e-5)


def test_upper_triangles_are_those_of_numpy() -> None:
    matrices = np.random.default_rng(4).normal(size=(2, 3, 4, 4)).astype(np.float32)
    rows, columns = np.triu_indices(4)
    np.testing.assert_array_equal(upper_triangles(matrices), matrices[..., rows, columns])


def test_slow_and_constant_signal_has_no_part() -> None:
    X = np.random.default_rng(1).normal(size=(1, 2, 536))
    seconds = np.arange(536) / 128
    eyes = 100 * np.sin(2 * np.pi * 0.7 * seconds) + 500
    plain, moved = (RhythmTrials.of(one, rhythm_kernels()).covariances for one in (X, X + eyes))
    np.testing.assert_allclose(moved, plain, rtol=0.1, atol=0.1 * plain.max())


def test_frames_are_pieces_of_the_signal() -> None:
    signal = np.arange(40, dtype=np.float32).reshape(2, 20)[:, ::2]
    expected = np.lib.stride_tricks.sliding_window_view(signal, 4, axis=1)[:, ::3]
    np.testing.assert_array_equal(frames(signal, 4, 3, 3), expected)
    with pytest.raises(ValueError, match="do not hold"):
        frames(signal, 4, 3, 4)


def test_too_short_epochs_are_refused() -> None:
    with pytest.raises(InputError, match="longer window"):
        RhythmTrials.of(np.zeros((1, 2, 93)), rhythm_kernels())
