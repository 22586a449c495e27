"""The shape of a network, stored with its weights."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    PositiveFloat,
    PositiveInt,
    field_validator,
    model_validator,
)

from sjepa_online.errors import InputError
from sjepa_online.model.electrodes import PRETRAINING_CHANNELS, Electrode, template_electrodes
from sjepa_online.protocol import MODEL_SFREQ


class ModelConfig(BaseModel):
    """Everything that is needed to build a :class:`SignalJEPA` before its weights are loaded.

    The defaults are those of the paper (Guetschel et al. 2024,
    doi:10.3217/978-3-99161-014-4-003).

    Attributes
    ----------
    electrodes : tuple of Electrode
        The electrodes that have a trained vector each, in the order of the table.
    conv_layers : tuple of (int, int, int)
        Dimension, kernel (samples of the layer's input) and stride of each convolution.
    d_model, n_heads, n_encoder_layers, n_decoder_layers, d_feed_forward, dropout
        The transformer; the decoder is the predictor.
    d_spatial, d_temporal : int
        Dimensions of the position that encode the channel and the time.
    max_seconds : float
        Longest time (s) that the temporal code is scaled for.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    electrodes: tuple[Electrode, ...] = Field(min_length=1)
    conv_layers: tuple[tuple[PositiveInt, PositiveInt, PositiveInt], ...] = Field(
        default=((8, 32, 8), (16, 2, 2), (32, 2, 2), (64, 2, 2), (64, 2, 2)), min_length=1
    )
    d_model: PositiveInt = 64
    n_heads: PositiveInt = 8
    n_encoder_layers: PositiveInt = 8
    n_decoder_layers: PositiveInt = 4
    d_feed_forward: PositiveInt = 2048
    dropout: float = Field(default=0.1, ge=0.0, lt=1.0)
    d_spatial: PositiveInt = Field(default=30, multiple_of=6)
    d_temporal: PositiveInt = Field(default=34, multiple_of=2)
    max_seconds: PositiveFloat = 600.0

    @field_validator("electrodes")
    @classmethod
    def _positions_differ(cls, electrodes: tuple[Electrode, ...]) -> tuple[Electrode, ...]:
        if len({electrode.position for electrode in electrodes}) < len(electrodes):
            raise ValueError("two electrodes have the same position")
        return electrodes

    @model_validator(mode="after")
    def _dimensions_fit(self) -> ModelConfig:
        if self.conv_layers[-1][0] != self.d_model:
            raise ValueError("the last convolution has another number of dimensions than d_model")
        if self.d_spatial + self.d_temporal != self.d_model:
            raise ValueError("the sum of d_spatial and d_temporal is not d_model")
        if self.d_model % self.n_heads:
            raise ValueError("d_model is no multiple of n_heads")
        return self

    @classmethod
    def for_channels(
        cls, ch_names: Sequence[str] = PRETRAINING_CHANNELS, **fields: Any
    ) -> ModelConfig:
        """Describe a network whose trained vectors belong to these channels.

        Parameters
        ----------
        ch_names : sequence of str
            The channels of the pretraining corpus.
        **fields
            Any other field.

        Returns
        -------
        ModelConfig

        Raises
        ------
        InputError
            Some channels have no position.
        """
        return cls(electrodes=template_electrodes(ch_names), **fields)

    @property
    def token_stride(self) -> int:
        """Samples at 128 Hz from one token to the next (128 in the paper)."""
        stride = 1
        for _, _, layer_stride in self.conv_layers:
            stride *= layer_stride
        return stride

    @property
    def token_length(self) -> int:
        """Samples at 128 Hz that one token sees (152 in the paper)."""
        length, stride = 1, 1
        for _, kernel, layer_stride in self.conv_layers:
            length += (kernel - 1) * stride
            stride *= layer_stride
        return length

    @property
    def max_tokens(self) -> int:
        """Tokens per channel in ``max_seconds``."""
        return int(self.max_seconds * MODEL_SFREQ / self.token_stride)

    def n_tokens(self, n_times: int) -> int:
        """Return the tokens per channel of a window of ``n_times`` samples.

        Parameters
        ----------
        n_times : int
            Samples at 128 Hz.

        Returns
        -------
        int

        Raises
        ------
        InputError
            The window is shorter than one token.
        """
        if n_times < self.token_length:
            raise InputError(
                f"The window is too short: it needs at least {self.token_length} samples at "
                f"{MODEL_SFREQ} Hz",
                value=f"{n_times} samples",
                remedy="Choose a longer window.",
            )
        return (n_times - self.token_length) // self.token_stride + 1
