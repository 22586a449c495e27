"""A decoder: a fitted classifier with everything it needs to run on a live stream."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from copy import copy, deepcopy
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any, Self

import numpy as np
from pydantic import AliasChoices, BaseModel, ConfigDict, Field, ValidationError

from sjepa_online.decoding.bad_channels.interpolation import ChannelInterpolation
from sjepa_online.decoding.base import EpochClassifier
from sjepa_online.decoding.catalog import classifier_from_state
from sjepa_online.decoding.serialization import State, with_prefix, without_prefix
from sjepa_online.decoding.speller import FlashEvidence
from sjepa_online.errors import InputError
from sjepa_online.protocol import Protocol
from sjepa_online.signal import (
    PreprocessorConfig,
    electrodes_among,
    is_other_channel,
    resolve_channel_names,
)
from sjepa_online.signal.channel_quality.baseline import Baseline
from sjepa_online.signal.cortex import is_over_cortex
from sjepa_online.tensor_file import read_tensor_file, write_tensor_file
from sjepa_online.typing import BoolMask, FloatArray, Indices
from sjepa_online.validation import check_epoch_shape, check_microvolts, check_names

FORMAT_NAME = "sjepa-online decoder"
FORMAT_VERSION = 1
KERNEL = "channel_kernel"
#: With fewer of its channels than this share a decoder does not run.
LEAST_SHARE = 0.5


class CalibrationSummary(BaseModel):
    """The source of a decoder, and its scores in cross-validation."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    n_trials: int = Field(ge=0, description="labelled trials; 0 where no label was used")
    sfreq: float = Field(gt=0)
    sources: tuple[str, ...]
    simulated: bool
    amplitude: float = Field(gt=0, description="robust amplitude of a channel in µV")
    cross_validation: dict[str, dict[str, float]] = {}
    dynamic_stopping: dict[str, float] = Field(
        default={},
        validation_alias=AliasChoices("dynamic_stopping", "early"),
        description="scores of dynamic stopping, or of symbols; `early` in old files",
    )
    population: str = Field(default="", description="which population start, or why none")
    choice: str = Field(default="", description="what `auto` chose, and why")
    flash_evidence: FlashEvidence | None = Field(
        default=None, description="what a speller's flashes say of the symbols"
    )


class DecoderConfig(BaseModel):
    """The part of a decoder file that is not arrays."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str
    software_version: str
    protocol: Protocol
    ch_names: tuple[str, ...] = Field(min_length=1)
    preprocessing: PreprocessorConfig
    calibration: CalibrationSummary
    classifier: dict[str, Any]


@dataclass(frozen=True)
class ChannelMatch:
    """Which channels of a stream a decoder reads.

    Attributes
    ----------
    picks : ndarray of int, shape (present,)
        Where in the stream each present channel is.
    present, absent : tuple of str
        The decoder's channels that the stream has and lacks, in the decoder's order.
    others : tuple of str
        Channels of the stream that the decoder does not know, as the stream spells them, without
        those of known other kinds, such as EOG.
    """

    picks: Indices
    present: tuple[str, ...]
    absent: tuple[str, ...]
    others: tuple[str, ...]

    def __str__(self) -> str:
        parts = []
        if self.absent:
            parts.append(
                f"the stream lacks {', '.join(self.absent)} (left out, as bad channels are)"
            )
        if self.others:
            parts.append(f"not used, as the calibration had none of them: {', '.join(self.others)}")
        return "; ".join(parts)


class Decoder:
    """A fitted classifier, its channels, its preprocessing and its protocol.

    Parameters
    ----------
    name : str
        What kind of decoder this is, ``pre-local`` for instance.
    classifier : EpochClassifier
        The fitted classifier.
    protocol : Protocol
        Classes and window.
    ch_names : sequence of str
        Channels of the epochs, in their order.
    preprocessing : PreprocessorConfig
        How the calibration's signal was preprocessed, and how live signal has to be.
    interpolation : ChannelInterpolation
        How bad channels are estimated from good ones.
    baseline : Baseline
        What is normal for each channel, for the monitor of channel quality.
    calibration : CalibrationSummary
        Where it comes from.
    """

    def __init__(
        self,
        name: str,
        classifier: EpochClassifier,
        protocol: Protocol,
        ch_names: Sequence[str],
        preprocessing: PreprocessorConfig,
        interpolation: ChannelInterpolation,
        baseline: Baseline,
        calibration: CalibrationSummary,
    ) -> None:
        self.name = name
        self.classifier = classifier
        self.protocol = protocol
        self.ch_names = tuple(ch_names)
        self.preprocessing = preprocessing
        self.interpolation = interpolation
        self.baseline = baseline
        self.calibration = calibration
        self._last_mask: tuple[tuple[str, ...], BoolMask] | None = None

    @property
    def classes(self) -> tuple[str, ...]:
        """Class names in the order of the probabilities."""
        return tuple(str(name) for name in self.classifier.classes_)

    @property
    def n_times(self) -> int:
        """Samples of a window at 128 Hz."""
        return self.protocol.n_times

    @property
    def window_lengths(self) -> tuple[int, ...]:
        """Samples after which a decision is possible, the whole window last."""
        return self.classifier.lengths or (self.n_times,)

    def decides(self, probabilities: FloatArray, n_times: int) -> bool:
        """Tell whether the probabilities of a prefix of the window suffice.

        Parameters
        ----------
        probabilities : ndarray, shape (classes,)
        n_times : int
            Samples of the prefix, one of the ``window_lengths``.

        Returns
        -------
        bool
            True for the whole window, and where the threshold is passed.
        """
        is_whole = n_times == self.window_lengths[-1]
        return is_whole or bool(np.max(probabilities) >= self.classifier.threshold)

    def predict_proba(self, X: FloatArray, bad: Sequence[str] | None = None) -> FloatArray:
        """Return class probabilities.

        Parameters
        ----------
        X : ndarray, shape (n, channels, samples)
            Epochs in µV at 128 Hz, as long as one of the ``window_lengths``.
        bad : sequence of str or None
            Channels to leave out; their samples have no influence, whatever they are.

        Returns
        -------
        probabilities : ndarray, shape (n, classes)

        Raises
        ------
        InputError
            The shape is another one, a name in ``bad`` is unknown, no channel is good, a good
            channel holds values that are not finite, or the epochs are too small for µV.
        """
        check_epoch_shape(X, len(self.ch_names), self.window_lengths)
        names = () if bad is None else check_names("bad", bad)
        is_bad = self._mask(names) if names else None
        check_microvolts(X if is_bad is None else X[:, ~is_bad])
        if is_bad is None:
            return self.classifier.predict_proba(X)
        if self.classifier.handles_bad_channels:
            silenced = X.copy()
            silenced[:, is_bad] = 0.0
            return self.classifier.predict_proba(silenced, is_bad)
        return self.classifier.predict_proba(self.restored(X, names), is_bad)

    def restored(self, X: FloatArray, bad: Sequence[str]) -> FloatArray:
        """Return epochs with estimates in the place of bad channels.

        Parameters
        ----------
        X : ndarray, shape (n, channels, samples)
            Epochs in µV at 128 Hz.
        bad : sequence of str
            Names of bad channels.

        Returns
        -------
        restored : ndarray, shape (n, channels, samples)
        """
        return self.interpolation.restore(X, self.check_channels(bad)) if bad else X

    @property
    def adapts(self) -> bool:
        """Whether :meth:`adapt` has an effect."""
        return self.classifier.adapts

    def adapt(self, X: FloatArray) -> None:
        """Take in epochs whose classes are not known; nothing where ``adapts`` is False.

        Parameters
        ----------
        X : ndarray, shape (n, channels, samples)
            Epochs of the whole window in µV at 128 Hz, without bad channels.

        Raises
        ------
        InputError
            The shape is another one, or the values are not finite or too small for µV.
        """
        check_epoch_shape(X, len(self.ch_names), (self.n_times,))
        check_microvolts(X)
        self.classifier.adapt(X)

    def with_own_classifier(self) -> Self:
        """Return this decoder with a copy of its classifier, which may adapt."""
        twin = copy(self)
        twin.classifier = deepcopy(self.classifier)
        return twin

    def _mask(self, bad: tuple[str, ...]) -> BoolMask:
        """Return the mask ``(channels,)`` of these names; the last one is kept for the next."""
        if self._last_mask is None or self._last_mask[0] != bad:
            self._last_mask = bad, np.isin(self.ch_names, self.check_channels(bad))
        return self._last_mask[1]

    def check_channels(self, names: Sequence[str]) -> tuple[str, ...]:
        """Return names of channels as the decoder spells them.

        Parameters
        ----------
        names : sequence of str
            In any spelling and order.

        Returns
        -------
        tuple of str
            In the decoder's order.

        Raises
        ------
        InputError
            A name is not among the decoder's channels.
        """
        wanted = set(resolve_channel_names(names))
        unknown = sorted(wanted - set(self.ch_names))
        if unknown:
            raise InputError(
                "The decoder has no such channel to leave out",
                value=", ".join(unknown),
                remedy=f"Its channels: {', '.join(self.ch_names)}.",
            )
        return tuple(name for name in self.ch_names if name in wanted)

    def match_channels(self, ch_names: Sequence[str]) -> ChannelMatch:
        """Find the decoder's channels among a stream's, in any order.

        Channels that the stream lacks are left out as bad ones are; others that it has are
        ignored.

        Parameters
        ----------
        ch_names : sequence of str
            The stream's channel names, as the amplifier spells them.

        Returns
        -------
        ChannelMatch

        Raises
        ------
        InputError
            The stream has less than half of the decoder's channels.
        """
        standards = electrodes_among(ch_names)
        position = {standard: list(ch_names).index(name) for name, standard in standards.items()}
        present = tuple(name for name in self.ch_names if name in position)
        absent = tuple(name for name in self.ch_names if name not in position)
        if len(present) < LEAST_SHARE * len(self.ch_names):
            raise InputError(
                "The stream has fewer than half of the channels that the decoder was calibrated on",
                value=f"missing: {', '.join(absent)}; there: {', '.join(ch_names)}",
                remedy="Choose another stream, name its channels, or calibrate on this montage.",
            )
        picks = np.array([position[name] for name in present], dtype=np.intp)
        used = {ch_names[index] for index in picks}
        if self._reads_cortex:
            # they are not read by choice
            used |= {name for name, one in standards.items() if not is_over_cortex(one)}
        others = tuple(name for name in ch_names if name not in used and not is_other_channel(name))
        return ChannelMatch(picks, present, absent, others)

    @property
    def _reads_cortex(self) -> bool:
        return self.protocol.reads == "cortex" and all(map(is_over_cortex, self.ch_names))

    def save(self, path: Path | str) -> None:
        """Write the decoder as one safetensors file, atomically.

        Parameters
        ----------
        path : Path or str
            A file of this name is replaced.
        """
        state = self.classifier.to_state()
        config = DecoderConfig(
            name=self.name,
            software_version=version("sjepa-online"),
            protocol=self.protocol,
            ch_names=self.ch_names,
            preprocessing=self.preprocessing,
            calibration=self.calibration,
            classifier=state.config,
        )
        arrays = {
            KERNEL: self.interpolation.kernel,
            **with_prefix("classifier", state.arrays),
            **with_prefix("baseline", self.baseline.to_arrays()),
        }
        write_tensor_file(
            Path(path), FORMAT_NAME, FORMAT_VERSION, config.model_dump(mode="json"), arrays
        )


def load_decoder(path: Path | str) -> Decoder:
    """Read a decoder file.

    Parameters
    ----------
    path : Path or str

    Returns
    -------
    Decoder

    Raises
    ------
    InputError
        The file is missing, damaged, no decoder, or made by a newer version.
    """
    content, arrays = read_tensor_file(
        Path(path), FORMAT_NAME, FORMAT_VERSION, may_lack="baseline/"
    )
    config = _parse_config(path, content)
    n_channels = len(config.ch_names)
    if KERNEL not in arrays or arrays[KERNEL].shape != (n_channels, n_channels):
        raise InputError(
            "This decoder file lacks the kernel between its channels",
            value=f"{path} with {n_channels} channels, without {KERNEL} of that size",
            remedy="The file was changed or damaged: calibrate again.",
        )
    decoder = Decoder(
        config.name,
        classifier_from_state(State(config.classifier, without_prefix("classifier", arrays))),
        config.protocol,
        config.ch_names,
        config.preprocessing,
        ChannelInterpolation(config.ch_names, arrays[KERNEL]),
        Baseline.from_arrays(config.ch_names, without_prefix("baseline", arrays)),
        config.calibration,
    )
    _try_out(decoder, path)
    return decoder


def _try_out(decoder: Decoder, path: Path | str) -> None:
    """Decode noise, so that arrays that do not fit are met here and not in a live stream."""
    noise = np.random.default_rng(0).normal(
        scale=decoder.calibration.amplitude, size=(1, len(decoder.ch_names), decoder.n_times)
    )
    problem = f"classes {', '.join(decoder.classes)}"
    try:
        probabilities = decoder.predict_proba(noise)
        works = probabilities.shape == (1, len(decoder.classes)) and bool(
            np.isfinite(probabilities).all()
        )
    except (ValueError, RuntimeError, IndexError) as error:
        works, problem = False, str(error)
    if not works or decoder.classes != decoder.protocol.class_names:
        raise InputError(
            "The parts of this decoder file do not fit each other",
            value=f"{path}: {problem}",
            remedy="The file was changed or damaged: calibrate again.",
        )


def _parse_config(path: Path | str, content: Mapping[str, Any]) -> DecoderConfig:
    try:
        return DecoderConfig.model_validate(content)
    except ValidationError as error:
        fields = ", ".join(".".join(map(str, problem["loc"])) for problem in error.errors())
        raise InputError(
            "The configuration of this decoder file is not valid",
            value=f"{path}, fields: {fields}",
            remedy="The file was changed or damaged: calibrate again.",
        ) from error
