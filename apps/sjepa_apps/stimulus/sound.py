"""Short tones at cues, rests and choices, for those who want them."""

from __future__ import annotations

import wave
from collections.abc import Mapping
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
from PyQt6.QtCore import QUrl

#: Pitch (Hz) of what is heard: a high tone begins something, a low one ends it.
PITCHES: Mapping[str, float] = {"cue": 880.0, "imagery": 880.0, "rest": 440.0, "feedback": 660.0}
#: Length (s) of a tone, its fades, and its volume from 0 to 1.
LENGTH, FADE, VOLUME = 0.12, 0.02, 0.4
RATE = 44_100
NO_SOUND = "There are no sound cues: no sound device was found."


class CueSounds:
    """Plays the tones.

    Parameters
    ----------
    wanted : bool
        False plays nothing, and needs no sound device.

    Attributes
    ----------
    warnings : tuple of str
        Why nothing is heard although it is wanted.
    """

    def __init__(self, wanted: bool) -> None:
        self.warnings: tuple[str, ...] = ()
        self._effects: dict[float, Any] = {}
        if wanted and not self._open():
            self.warnings = (NO_SOUND,)

    def play(self, kind: str) -> None:
        """Play the tone of a phase; most have none."""
        effect = self._effects.get(PITCHES.get(kind, 0.0))
        if effect is not None:
            effect.play()

    def _open(self) -> bool:
        try:
            from PyQt6.QtMultimedia import QMediaDevices, QSoundEffect
        except ImportError:
            return False
        if QMediaDevices.defaultAudioOutput().isNull():
            return False
        self._folder = TemporaryDirectory(prefix="sjepa-online-sounds-")
        for pitch in set(PITCHES.values()):
            path = Path(self._folder.name) / f"{pitch:g}.wav"
            write_tone(path, pitch)
            self._effects[pitch] = QSoundEffect()
            self._effects[pitch].setSource(QUrl.fromLocalFile(str(path)))
        return True


def write_tone(path: Path, pitch: float) -> None:
    """Write a tone with soft edges as a WAV file.

    Parameters
    ----------
    path : Path
    pitch : float
        Hz.
    """
    times = np.arange(round(LENGTH * RATE)) / RATE
    edges = np.minimum(np.minimum(times, LENGTH - times) / FADE, 1.0)
    samples = VOLUME * np.sin(2 * np.pi * pitch * times) * np.clip(edges, 0.0, 1.0)
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(RATE)
        file.writeframes((32_767 * samples).astype("<i2").tobytes())
