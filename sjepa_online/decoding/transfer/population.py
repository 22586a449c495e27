"""A population start: what other people's labelled recordings say of a decoder's weights.

For SSVEP the score of every stimulus frequency reads the same spatial patterns with the same
weights, ``score_f = w · [t(S_f), t(S_2f)] + b`` with ``t`` the tangent vector of the whitened
cross-spectrum, and 0 for a class without a stimulus. One ``w`` for all frequencies, found on
other people by a conditional logit (McFadden 1974), therefore serves other frequencies and other
numbers of classes. A calibration shrinks towards it instead of towards zero.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path

import numpy as np
from pydantic import BaseModel, ConfigDict, Field
from scipy.optimize import minimize
from scipy.special import log_softmax

from sjepa_online.decoding.classifiers.readouts.power import COVARIANCE, StimulusPower
from sjepa_online.decoding.features.spatial_filters import SHRINKAGE, whitening
from sjepa_online.decoding.features.spectral import HARMONICS
from sjepa_online.decoding.features.tangent_space import TangentSpace, filter_covariances, shrink
from sjepa_online.decoding.transfer.fingerprint import KnownTrials
from sjepa_online.decoding.transfer.montage_match import MontageMatch, match_montage
from sjepa_online.decoding.transfer.population_file import PopulationFile, too_few_electrodes
from sjepa_online.errors import InputError
from sjepa_online.protocol import Protocol
from sjepa_online.tensor_file import Arrays
from sjepa_online.typing import FloatArray, Floats, Indices, Labels

FORMAT_NAME = "sjepa-online population"
FORMAT_VERSION = 2
#: Penalty of the shared weights, found by leaving people out (docs/decoders.md).
PENALTY = 10.0


class PopulationConfig(BaseModel):
    """The part of a population file that is not arrays."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    paradigm: str
    ch_names: tuple[str, ...] = Field(min_length=1)
    frequencies: tuple[float, ...]
    has_rest: bool
    sources: tuple[str, ...]
    n_sessions: int
    n_trials: int
    simulated: bool
    weights: str = Field(description="pretrained weights whose kernels were used")
    software_version: str


@dataclass(frozen=True, eq=False)
class Population:
    """Weights that are shared over stimulus frequencies, and the electrodes they belong to.

    Attributes
    ----------
    config : PopulationConfig
    shared : ndarray, shape (2, d)
        Weights of the tangent vectors at the stimulus frequency and at its second harmonic.
    intercept : float
        Score of a stimulus where the tangent vectors are zero.
    covariance : ndarray, shape (channels, channels)
        Mean covariance of the sessions, each scaled to a mean variance of 1.
    known : KnownTrials
        Fingerprints of the trials; people are indices among ``config.sources``.
    """

    config: PopulationConfig
    shared: Floats
    intercept: float
    covariance: Floats
    known: KnownTrials

    def prior(self, protocol: Protocol, ch_names: Sequence[str]) -> StimulusPrior | None:
        """Return the prior for a protocol and a montage.

        Electrodes of the population that the montage lacks are estimated from those it has, and
        from others beside them, by the population's covariance; electrodes that the population
        lacks and that lie beside none of these start from zero.

        Parameters
        ----------
        protocol : Protocol
        ch_names : sequence of str
            The montage.

        Returns
        -------
        StimulusPrior or None
            None if the montage serves for less than half of the population's electrodes.
        """
        if too_few_electrodes(self.config.ch_names, ch_names):
            return None
        match = self.match(ch_names)
        n_channels, there = len(self.config.ch_names), match.there
        covariance = match.nearby.extend(self.covariance[np.newaxis])[0]
        among = shrink(covariance[np.ix_(there, there)], SHRINKAGE)
        estimate = np.linalg.solve(among, covariance[:n_channels, there].T).T
        own = there[:n_channels]
        estimate[own] = np.eye(int(there.sum()))[: int(own.sum())]
        to_population = np.zeros((n_channels, len(ch_names)))
        to_population[:, match.picks] = estimate
        frequencies = tuple(spec.frequency for spec in protocol.classes)
        return StimulusPrior(self.shared, self.intercept, to_population, frequencies)

    def match(self, ch_names: Sequence[str]) -> MontageMatch:
        """Return which electrodes of a montage serve for those of the population.

        Parameters
        ----------
        ch_names : sequence of str
            The montage.

        Returns
        -------
        match : MontageMatch
        """
        return match_montage(self.config.ch_names, ch_names)

    def save(self, path: Path) -> None:
        """Write the population as one safetensors file, atomically.

        Parameters
        ----------
        path : Path
            The file; one that exists is replaced.
        """
        arrays = {
            "shared": self.shared,
            "intercept": np.array([self.intercept]),
            "covariance": self.covariance,
            **self.known.arrays,
        }
        _FILE.write(path, self.config, arrays)


@dataclass(frozen=True, eq=False)
class StimulusPrior:
    """A population's weights on the way to one montage and one protocol.

    Attributes
    ----------
    shared : ndarray, shape (2, d)
        Weights in the population's whitened channels.
    intercept : float
    to_population : ndarray, shape (population channels, channels)
        Estimates the population's channels from those of the epochs.
    frequencies : tuple of float or None
        Stimulus frequency of each class, None for one without.
    """

    shared: Floats
    intercept: float
    to_population: Floats
    frequencies: tuple[float | None, ...]

    def weights(self, spatial: Floats, covariance: Floats) -> Floats:
        """Return weights for a readout's own virtual channels.

        A score reads ``tr(A log S)`` of the population's whitened channels. Those are ``P`` times
        the virtual channels, so near the identity ``tr(P'AP log S)`` reads the same of them.

        Parameters
        ----------
        spatial : ndarray, shape (virtual, channels)
        covariance : ndarray, shape (channels, channels)

        Returns
        -------
        weights : ndarray, shape (d + 1, classes)
            The intercepts in the last row.
        """
        from pyriemann.geometry.tangentspace import unupper, upper

        patterns = np.linalg.solve(spatial @ covariance @ spatial.T, spatial @ covariance).T
        in_population = filter_covariances(self.to_population, covariance)
        projection = whitening(in_population, len(in_population)) @ self.to_population @ patterns
        mapped = upper(projection.T @ unupper(self.shared) @ projection)
        n_stimuli = sum(frequency is not None for frequency in self.frequencies)
        weights = np.zeros((len(HARMONICS), n_stimuli, mapped.shape[1], len(self.frequencies)))
        intercepts = np.zeros((1, len(self.frequencies)))
        stimuli = [
            index for index, frequency in enumerate(self.frequencies) if frequency is not None
        ]
        for stimulus, index in enumerate(stimuli):
            weights[:, stimulus, :, index] = mapped
            intercepts[0, index] = self.intercept
        return np.vstack([weights.reshape(-1, len(self.frequencies)), intercepts])


def fit_population(
    sessions: Sequence[tuple[FloatArray, Labels]],
    protocol: Protocol,
    ch_names: Sequence[str],
    kernels: FloatArray,
    *,
    weights: str,
    sources: Sequence[str],
    simulated: bool,
) -> Population:
    """Find the weights that other people's sessions share.

    Every session is whitened and centred by itself, which needs no labels.

    Parameters
    ----------
    sessions : sequence of (X, y)
        Epochs ``(n, channels, samples)`` in µV at 128 Hz, and their class names.
    protocol : Protocol
        Of the paradigm ``ssvep``.
    ch_names : sequence of str
        Channels of the epochs.
    kernels : ndarray, shape (8, 32)
        The first convolution of the local encoder.
    weights : str
        Name of the weights that the kernels are from.
    sources : sequence of str
        Names of the recordings.
    simulated : bool
        Whether any of them is.

    Returns
    -------
    Population

    Raises
    ------
    InputError
        The protocol is of another paradigm.
    """
    if protocol.paradigm != "ssvep":
        raise InputError(
            "There is no population of this kind for the paradigm",
            value=f"a protocol of {protocol.paradigm}",
            remedy="Calibrate without one: for the other paradigms it gained nothing clear.",
        )
    readout = StimulusPower(np.asarray(kernels, dtype=np.float64), protocol.frequencies)
    vectors, truth, covariances = [], [], []
    for _, (X, y) in zip(sources, sessions, strict=True):
        features = readout.features(np.asarray(X, dtype=np.float64))
        covariance = features[COVARIANCE].mean(axis=0)
        covariances.append(covariance * len(covariance) / np.trace(covariance))
        vectors.append(_session_vectors(features[readout.kind], covariance))
        truth.append(_stimulus_of(y, protocol))
    targets = np.concatenate(truth)
    shared, intercept = _fit_shared(np.concatenate(vectors), targets)
    config = PopulationConfig(
        paradigm=protocol.paradigm,
        ch_names=tuple(ch_names),
        frequencies=protocol.frequencies,
        has_rest=bool(np.any(targets == len(protocol.frequencies))),
        sources=tuple(sources),
        n_sessions=len(sessions),
        n_trials=len(targets),
        simulated=simulated,
        weights=weights,
        software_version=version("sjepa-online"),
    )
    known = KnownTrials.of([X for X, _ in sessions], ch_names)
    return Population(config, shared, intercept, np.mean(covariances, axis=0), known)


def common_channels(montages: Sequence[Sequence[str]]) -> tuple[str, ...]:
    """Return the electrodes that every montage has.

    Parameters
    ----------
    montages : sequence of sequence of str

    Returns
    -------
    ch_names : tuple of str
        In the order of the first montage.

    Raises
    ------
    InputError
        There are fewer than two.
    """
    common = tuple(name for name in montages[0] if all(name in other for other in montages[1:]))
    if len(common) < 2:
        raise InputError(
            "The recordings share fewer than two electrodes",
            value=", ".join(common) or "none",
            remedy="Leave out the recordings of the montage that shares too little.",
        )
    return common


def list_populations() -> dict[str, PopulationConfig]:
    """Describe all populations that are known by name; files of other kinds are passed over.

    Returns
    -------
    dict of str to PopulationConfig
        By name.

    Raises
    ------
    InputError
        A file is damaged.
    """
    return _FILE.configs(lambda path: load_population(path).config)


def load_population(name_or_path: str | Path) -> Population:
    """Read a population by name or path; see :meth:`PopulationFile.load`.

    Parameters
    ----------
    name_or_path : str or Path

    Returns
    -------
    Population
    """
    return _FILE.load(name_or_path)


def _build(config: PopulationConfig, arrays: Arrays) -> Population:
    intercept = float(arrays["intercept"][0])
    known = KnownTrials.read(arrays, config.ch_names)
    return Population(config, arrays["shared"], intercept, arrays["covariance"], known)


_FILE = PopulationFile(FORMAT_NAME, FORMAT_VERSION, PopulationConfig, _build)


def _session_vectors(matrices: Floats, covariance: Floats) -> Floats:
    """Return tangent vectors ``(n, stimuli, harmonics * d)``, centred on the session."""
    spatial = whitening(covariance, len(covariance))
    whitened = shrink(filter_covariances(spatial, matrices), StimulusPower.shrinkage)
    vectors = TangentSpace().fit(whitened).transform(whitened)
    n, _, d = vectors.shape
    by_harmonic = vectors.reshape(n, len(HARMONICS), -1, d)
    return by_harmonic.swapaxes(1, 2).reshape(n, -1, len(HARMONICS) * d)


def _stimulus_of(y: Labels, protocol: Protocol) -> Indices:
    """Return the index of each trial's stimulus; their number for a trial without one."""
    flickering = [spec.name for spec in protocol.classes if spec.frequency is not None]
    index = {name: position for position, name in enumerate(flickering)}
    return np.array([index.get(str(name), len(flickering)) for name in y], dtype=np.intp)


def _fit_shared(features: Floats, targets: Indices) -> tuple[Floats, float]:
    """Fit one weight vector for all stimuli, with the score 0 for none of them."""
    n, n_stimuli, d = features.shape
    truth = np.eye(n_stimuli + 1)[targets]
    # without trials of rest, rest must not be an alternative
    rest = np.full((n, 1), 0.0 if np.any(targets == n_stimuli) else -1e9)

    def loss_and_gradient(solution: Floats) -> tuple[float, Floats]:
        weights, intercept = solution[:-1], solution[-1]
        logits = np.hstack([features @ weights + intercept, rest])
        log_probabilities = log_softmax(logits, axis=1)
        residual = (np.exp(log_probabilities) - truth)[:, :n_stimuli]
        gradient = np.einsum("ns,nsd->d", residual, features) + PENALTY * weights
        loss = -float(np.sum(truth * log_probabilities)) + 0.5 * PENALTY * float(weights @ weights)
        return loss, np.append(gradient, residual.sum())

    found = minimize(loss_and_gradient, np.zeros(d + 1), jac=True, method="L-BFGS-B").x
    return found[:-1].reshape(len(HARMONICS), -1), float(found[-1])
