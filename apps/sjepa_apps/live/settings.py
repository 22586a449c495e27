"""Settings that the live window keeps for the next time."""

from __future__ import annotations

from pathlib import Path

import platformdirs
from pydantic import BaseModel, ConfigDict, ValidationError

from sjepa_apps.ui.theme import ThemeName
from sjepa_online.amplifier import AmplifierProfile
from sjepa_online.files import atomic_write
from sjepa_online.online.events import Mode


class LiveSettings(BaseModel):
    """Choices and layout; geometry and docks as Qt saves them, in base 64.

    Without a theme the window takes that of the system.
    """

    model_config = ConfigDict(extra="ignore")

    stream: str | None = None
    markers: str | None = None
    decoder: str | None = None
    mode: Mode | None = None
    unit: str | None = None
    amplifiers: dict[str, AmplifierProfile] = {}
    theme: ThemeName | None = None
    folder: str | None = None
    geometry: str = ""
    docks: str = ""
    width_share: float | None = None


def settings_file() -> Path:
    """Return where the settings are kept."""
    return Path(platformdirs.user_config_dir("sjepa-online", appauthor=False)) / "live.json"


def load_settings() -> tuple[LiveSettings, str]:
    """Return the settings, and a sentence for the log where the file could not be read."""
    path = settings_file()
    try:
        return LiveSettings.model_validate_json(path.read_bytes()), ""
    except FileNotFoundError:
        return LiveSettings(), ""
    except (ValidationError, OSError) as error:
        return LiveSettings(), f"{path} could not be read, so the window starts anew: {error}"


def save_settings(settings: LiveSettings) -> None:
    """Write the settings."""
    path = settings_file()
    path.parent.mkdir(parents=True, exist_ok=True)
    atomic_write(path, settings.model_dump_json(indent=2).encode())
