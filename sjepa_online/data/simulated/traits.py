"""The traits in which simulated participants differ.

The ranges are those of healthy adults in the literature; docs/simulated-participant.md names the
sources. Amplitudes are those at the electrode above the dipole, against infinity.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

import numpy as np


@dataclass(frozen=True, slots=True)
class Traits:
    """The parameters of a simulated participant, drawn from a seed.

    They depend on nothing but the seed: the same participant can wear any montage.

    Attributes
    ----------
    background_density : float
        Amplitude of the 1/f background at 10 Hz (µV per root Hz).
    background_exponent : float
        Power falls as ``1 / f**exponent``.
    alpha_frequency, alpha_amplitude : float
        Of the occipital rhythm: Hz, and root mean square µV.
    mu_frequency, mu_amplitude, beta_amplitude : float
        Of the sensorimotor rhythms: Hz (beta: twice that), and root mean square µV.
    blink_rate, blink_amplitude : float
        Blinks per second, and µV at the forehead.
    attention : float
        Share of trials in which the participant does what is asked.
    ssvep_amplitude, ssvep_latency : float
        µV of the fundamental, and seconds.
    ssvep_harmonics : tuple of float
        Amplitudes of the second and third harmonic, as shares of the fundamental.
    mu_depth, beta_depth, rebound : float
        Share by which imagery lowers the rhythms' amplitude, and by which beta rises after it.
    imagery_latency : float
        Seconds from the cue to the begin of the desynchronisation.
    p1, n1, n200, p300 : float
        Peak amplitudes (µV).
    p300_latency, p300_jitter : float
        Mean and standard deviation (s) of the peak's latency.
    """

    background_density: float
    background_exponent: float
    alpha_frequency: float
    alpha_amplitude: float
    mu_frequency: float
    mu_amplitude: float
    beta_amplitude: float
    blink_rate: float
    blink_amplitude: float
    attention: float
    ssvep_amplitude: float
    ssvep_latency: float
    ssvep_harmonics: tuple[float, float]
    mu_depth: float
    beta_depth: float
    rebound: float
    imagery_latency: float
    p1: float
    n1: float
    n200: float
    p300: float
    p300_latency: float
    p300_jitter: float

    @classmethod
    def draw(cls, seed: int) -> Self:
        """Draw the traits of the participant of this number.

        Parameters
        ----------
        seed : int
            Number of the participant.

        Returns
        -------
        Self
        """
        random = np.random.default_rng([seed, 0])

        def around(median: float, spread: float) -> float:
            return median * float(random.lognormal(0.0, spread))

        def between(low: float, high: float) -> float:
            return float(random.uniform(low, high))

        return cls(
            background_density=around(0.7, 0.2),
            background_exponent=between(0.8, 1.4),
            alpha_frequency=between(8.8, 11.5),
            alpha_amplitude=around(7.0, 0.4),
            mu_frequency=between(9.5, 12.5),
            mu_amplitude=around(4.0, 0.3),
            beta_amplitude=around(2.0, 0.3),
            blink_rate=between(0.1, 0.35),
            blink_amplitude=between(70.0, 150.0),
            attention=between(0.92, 1.0),
            ssvep_amplitude=around(2.25, 0.2),
            ssvep_latency=between(0.11, 0.15),
            ssvep_harmonics=(between(0.3, 0.7), between(0.1, 0.3)),
            mu_depth=between(0.12, 0.5),
            beta_depth=between(0.08, 0.35),
            rebound=between(0.3, 1.0),
            imagery_latency=between(0.25, 0.5),
            p1=between(0.5, 2.0),
            n1=between(1.0, 4.0),
            n200=between(1.5, 5.0),
            p300=around(9.5, 0.25),
            p300_latency=between(0.3, 0.4),
            p300_jitter=between(0.01, 0.03),
        )
