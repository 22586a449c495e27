"""What is shown, as files."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
from PyQt6.QtCore import QBuffer, QIODevice
from PyQt6.QtGui import QPixmap

from sjepa_apps.live.signals.store import SignalStore
from sjepa_online.files import atomic_write
from sjepa_online.foreign_text import csv_cell


def save_picture(picture: QPixmap, path: Path) -> None:
    """Write a picture as PNG.

    Raises
    ------
    InputError
        There is nowhere to write it.
    """
    buffer = QBuffer()
    buffer.open(QIODevice.OpenModeFlag.WriteOnly)
    picture.save(buffer, "PNG")
    atomic_write(path, buffer.data().data())


def save_signals(store: SignalStore, start: int, stop: int, path: Path) -> None:
    """Write samples as they are shown: time (s, LSL clock) and one column a channel.

    Parameters
    ----------
    store : SignalStore
    start, stop : int
        Places among the samples.
    path : Path

    Raises
    ------
    InputError
        There is nowhere to write them.
    """
    samples = store.shown.get(start, stop)
    times = np.array([store.time_at(place) for place in range(start, stop)])
    names = (f"{name} ({store.channels.unit})" for name in store.channels.names)
    header = ",".join(["time (s)", *(str(csv_cell(name.replace(",", " "))) for name in names)])
    text = io.StringIO()
    table = np.column_stack([times, samples.T])
    np.savetxt(text, table, fmt="%.6f", delimiter=",", header=header, comments="")
    atomic_write(path, text.getvalue().encode())
