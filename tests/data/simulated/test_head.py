from __future__ import annotations

import mne
import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.special import eval_legendre
from scipy.stats import spearmanr

from sjepa_online.data.simulated.head import AREAS, RADIUS, HeadModel, sphere_potentials
from sjepa_online.errors import InputError
from sjepa_online.signal.montage import channel_positions

Floats = NDArray[np.float64]

# MNE's default sphere: outer radii of brain, CSF, skull and scalp, and their conductivities (S/m)
RADII = (0.90, 0.92, 0.97, 1.0)
CONDUCTIVITIES = (0.33, 1.0, 0.004, 0.33)
SIXTY_FOUR = mne.channels.make_standard_montage("biosemi64").ch_names


def surface_factor(n: int) -> float:
    """Solve the boundary conditions of one degree: V and current are continuous, none leaves."""
    matrix, right = np.zeros((7, 7)), np.zeros(7)
    columns = [(0, None), (1, 2), (3, 4), (5, 6)]  # of r**n and r**-(n + 1) in each shell
    for shell in range(3):
        r = RADII[shell]
        for sign, layer in ((1.0, shell), (-1.0, shell + 1)):
            grows, falls = columns[layer]
            sigma = CONDUCTIVITIES[layer]
            value, current = r ** -(n + 1.0), -sigma * (n + 1) * r ** -(n + 2.0)
            matrix[2 * shell, grows] = sign * r**n
            matrix[2 * shell + 1, grows] = sign * sigma * n * r ** (n - 1.0)
            if falls is None:  # the dipole's own field
                right[2 * shell] -= value
                right[2 * shell + 1] -= current
            else:
                matrix[2 * shell, falls] = sign * value
                matrix[2 * shell + 1, falls] = sign * current
    matrix[6, 5], matrix[6, 6] = n, -(n + 1)
    solution = np.linalg.solve(matrix, right)
    return float(solution[5] + solution[6])


def series_potentials(electrodes: Floats, source: Floats, moment: Floats) -> Floats:
    """Sum the Legendre series of a dipole in four concentric shells, for a head of radius 1 m."""
    depth = np.linalg.norm(source)
    up = source / depth
    radial = moment @ up
    tangent = moment - radial * up
    cosine = electrodes @ up
    along = electrodes @ tangent  # sin(angle) * cos(azimuth) * tangential moment
    total = np.zeros(len(electrodes))
    for n in range(1, 120):
        slope = (
            n
            * (eval_legendre(n - 1, cosine) - cosine * eval_legendre(n, cosine))
            / np.maximum(1.0 - cosine**2, 1e-12)
        )
        parts = n * radial * eval_legendre(n, cosine) + along * slope
        total += depth ** (n - 1) * surface_factor(n) * parts
    return total / (4 * np.pi * CONDUCTIVITIES[0])


def test_potentials_agree_with_the_series_of_four_shells():
    random = np.random.default_rng(0)
    electrodes = random.standard_normal((40, 3))
    electrodes /= np.linalg.norm(electrodes, axis=1, keepdims=True)
    sources = random.standard_normal((6, 3))
    depths = np.array([0.4, 0.55, 0.65, 0.72, 0.75, 0.78])[:, np.newaxis]
    sources *= depths / np.linalg.norm(sources, axis=1, keepdims=True)
    moments = random.standard_normal((6, 3))
    moments /= np.linalg.norm(moments, axis=1, keepdims=True)
    potentials = sphere_potentials(electrodes, sources, moments)
    for column, source, moment in zip(potentials.T, sources, moments, strict=True):
        expected = series_potentials(electrodes, source, moment) / RADIUS**2
        np.testing.assert_allclose(column, expected, atol=0.03 * np.abs(expected).max())


def test_each_area_is_strongest_under_its_electrode():
    head = HeadModel(SIXTY_FOUR)
    strongest = np.abs(head.areas).argmax(axis=0)
    assert [SIXTY_FOUR[row] for row in strongest] == list(AREAS)
    np.testing.assert_allclose(head.areas.max(axis=0), 1.0, atol=1e-9)


def test_a_blink_is_strongest_over_the_eyes_and_has_gone_at_the_back():
    head = HeadModel(SIXTY_FOUR)
    eyes = dict(zip(SIXTY_FOUR, head.eyes, strict=True))
    assert max(eyes, key=eyes.__getitem__) in {"Fp1", "Fpz", "Fp2"}
    assert eyes["Fp1"] == pytest.approx(eyes["Fp2"], rel=0.1)
    assert eyes["Fp1"] > 0.8
    assert eyes["Fz"] < 0.5
    assert abs(eyes["Oz"]) < 0.15


def test_the_background_is_everywhere():
    power = np.sqrt((HeadModel(SIXTY_FOUR).background ** 2).sum(axis=1))
    assert np.sqrt((power**2).mean()) == pytest.approx(1.0, rel=0.1)
    assert power.min() > 0.4
    assert power.max() < 2.0


def test_an_electrode_has_the_same_potentials_in_every_montage():
    few, many = HeadModel(("Oz", "C3")), HeadModel(SIXTY_FOUR)
    rows = [SIXTY_FOUR.index("Oz"), SIXTY_FOUR.index("C3")]
    np.testing.assert_allclose(few.areas, many.areas[rows], rtol=1e-6)
    np.testing.assert_allclose(few.background, many.background[rows], rtol=1e-6, atol=1e-9)


def test_neighbours_see_a_dipole_by_their_distance():
    head = HeadModel(SIXTY_FOUR)
    positions = channel_positions(SIXTY_FOUR)
    from_c3 = np.linalg.norm(positions - positions[SIXTY_FOUR.index("C3")], axis=1)
    near = from_c3 < 1.2
    column = head.areas[near, list(AREAS).index("C3")]
    assert spearmanr(from_c3[near], column).statistic < -0.95


def test_an_unknown_electrode_is_named():
    with pytest.raises(InputError, match="'E7'"):
        HeadModel(("Oz", "E7"))
