"""Signal path: montage, units, causal preprocessing, ring buffer, windows."""

from sjepa_online.protocol import MODEL_SFREQ
from sjepa_online.signal.channel_quality.baseline import Baseline
from sjepa_online.signal.channel_quality.monitor import (
    ChannelMonitor,
    ChannelState,
    StateChange,
    Widespread,
)
from sjepa_online.signal.montage import (
    ChannelPick,
    channel_positions,
    electrodes_among,
    flat_positions,
    is_other_channel,
    pick_eeg_channels,
    positions_in_metres,
    resolve_channel_names,
)
from sjepa_online.signal.preprocessor import Preprocessor, PreprocessorConfig
from sjepa_online.signal.ring import RingBuffer
from sjepa_online.signal.units import (
    AmplitudeFinding,
    check_amplitude,
    microvolt_factor,
    normalise_unit,
    require_plausible_amplitude,
)
from sjepa_online.signal.windows import Windows, cut_windows, window_start

__all__ = [
    "MODEL_SFREQ",
    "AmplitudeFinding",
    "Baseline",
    "ChannelMonitor",
    "ChannelPick",
    "ChannelState",
    "Preprocessor",
    "PreprocessorConfig",
    "RingBuffer",
    "StateChange",
    "Widespread",
    "Windows",
    "channel_positions",
    "check_amplitude",
    "cut_windows",
    "electrodes_among",
    "flat_positions",
    "is_other_channel",
    "microvolt_factor",
    "normalise_unit",
    "pick_eeg_channels",
    "positions_in_metres",
    "require_plausible_amplitude",
    "resolve_channel_names",
    "window_start",
]
