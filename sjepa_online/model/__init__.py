"""Signal-JEPA: network, heads, masks, weights, and the filter for missing channels."""

from sjepa_online.model.braindecode import load_braindecode_head
from sjepa_online.model.checkpoint import save_checkpoint
from sjepa_online.model.config import ModelConfig
from sjepa_online.model.electrodes import PRETRAINING_CHANNELS, Electrode, template_electrodes
from sjepa_online.model.heads import ContextualHead, Head, PostLocalHead, PreLocalHead
from sjepa_online.model.masks import spatial_block_masks
from sjepa_online.model.signal_jepa import SignalJEPA
from sjepa_online.model.spatial_filter import (
    blended_kernel,
    covariance_kernel,
    embedding_kernel,
    interpolation_matrix,
)
from sjepa_online.model.weights import (
    WeightsDescription,
    describe_weights,
    list_weights,
    load_weights,
)

__all__ = [
    "PRETRAINING_CHANNELS",
    "ContextualHead",
    "Electrode",
    "Head",
    "ModelConfig",
    "PostLocalHead",
    "PreLocalHead",
    "SignalJEPA",
    "WeightsDescription",
    "blended_kernel",
    "covariance_kernel",
    "describe_weights",
    "embedding_kernel",
    "interpolation_matrix",
    "list_weights",
    "load_braindecode_head",
    "load_weights",
    "save_checkpoint",
    "spatial_block_masks",
    "template_electrodes",
]
