"""Signal path: montage, units, causal preprocessing, ring buffer, windows."""

import lazy_loader

from sjepa_online.protocol import MODEL_SFREQ as MODEL_SFREQ

# a montage or a unit is looked up long before there is a signal, and SciPy, to filter
__getattr__, __dir__, __all__ = lazy_loader.attach(
    __name__,
    submod_attrs={
        "channel_quality.baseline": ["Baseline"],
        "channel_quality.monitor": ["ChannelMonitor", "ChannelState", "StateChange", "Widespread"],
        "montage": [
            "ChannelPick",
            "channel_positions",
            "electrodes_among",
            "flat_positions",
            "is_other_channel",
            "pick_eeg_channels",
            "positions_in_metres",
            "resolve_channel_names",
        ],
        "preprocessor": ["Preprocessor", "PreprocessorConfig"],
        "ring": ["RingBuffer"],
        "units": [
            "AmplitudeFinding",
            "check_amplitude",
            "microvolt_factor",
            "normalise_unit",
            "require_plausible_amplitude",
        ],
        "windows": ["Windows", "cut_windows", "window_start"],
    },
)
