"""What an amplifier's program does not say of its channels, and how it is applied everywhere."""

from sjepa_online.amplifier.channels import PickedChannels, pick_channels, trigger_channel
from sjepa_online.amplifier.codes import CodeReader, events_of_codes
from sjepa_online.amplifier.impedances import IMPEDANCE_TYPES, ImpedanceReader
from sjepa_online.amplifier.library import (
    Declaration,
    advise_preferring,
    fitting_profile,
    list_profiles,
    load_profile,
    save_profile,
    to_toml,
)
from sjepa_online.amplifier.profile import AS_DECLARED, AmplifierProfile, describe

__all__ = [
    "AS_DECLARED",
    "IMPEDANCE_TYPES",
    "AmplifierProfile",
    "CodeReader",
    "Declaration",
    "ImpedanceReader",
    "PickedChannels",
    "advise_preferring",
    "describe",
    "events_of_codes",
    "fitting_profile",
    "list_profiles",
    "load_profile",
    "pick_channels",
    "save_profile",
    "to_toml",
    "trigger_channel",
]
