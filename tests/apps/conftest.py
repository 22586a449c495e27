from __future__ import annotations

import gc
import json
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil
import pytest

from sjepa_apps import cli
from sjepa_online.data import load_source


@dataclass
class Outcome:
    """What a command left behind."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)


#: Top-level widgets, some fifty of each live window, before those that nobody holds are freed.
MOST_WIDGETS = 300


@pytest.fixture(autouse=True)
def few_widgets() -> Iterator[None]:
    """Free the windows of earlier tests: a style sheet is applied to every widget that is left."""
    yield
    qt = sys.modules.get("PyQt6.QtWidgets")
    application = qt.QApplication.instance() if qt is not None else None
    if application is not None and len(application.topLevelWidgets()) > MOST_WIDGETS:
        gc.collect()


@pytest.fixture
def command(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> Callable[..., Outcome]:
    """Run the command line in this process."""

    def run(*arguments: object) -> Outcome:
        monkeypatch.setattr(sys, "argv", ["sjepa-online", *map(str, arguments)])
        code = 0
        try:
            cli.main()
        except SystemExit as ended:
            code = ended.code if isinstance(ended.code, int) else int(ended.code is not None)
        captured = capsys.readouterr()
        return Outcome(code, captured.out, captured.err)

    return run


@pytest.fixture
def process() -> Iterator[Callable[..., subprocess.Popen[str]]]:
    """Start the command line in a process of its own."""
    with ExitStack() as stack:

        def start(*arguments: object) -> subprocess.Popen[str]:
            words = [sys.executable, "-m", "sjepa_apps", *map(str, arguments)]
            started = stack.enter_context(
                subprocess.Popen(words, text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
            )
            stack.callback(started.kill)
            return started

        yield start


@pytest.fixture
def interrupt() -> Callable[[subprocess.Popen[str]], tuple[int, float]]:
    """Press Ctrl-C; give the exit code and the seconds until the command ended."""

    def press(started: subprocess.Popen[str]) -> tuple[int, float]:
        begun = time.monotonic()
        started.send_signal(signal.SIGINT)
        code = started.wait(timeout=10)
        return code, time.monotonic() - begun

    return press


@pytest.fixture
def no_leaks(request: pytest.FixtureRequest) -> Iterator[None]:
    """Fail a test that leaves a thread, a process, a running timer or a window behind.

    Close what you open: a window by its ``close()``, a thread by its ``stop()``.
    """
    threads, processes = set(threading.enumerate()), _processes()
    yield
    left = set(threading.enumerate()) - threads
    assert not left, f"threads were not joined: {left}"
    running = _processes() - processes
    assert not running, f"processes were not ended: {running}"
    if "qapp" not in request.fixturenames:
        return
    from PyQt6 import sip
    from PyQt6.QtCore import QTimer
    from PyQt6.QtGui import QGuiApplication

    timers = [
        one
        for one in gc.get_objects()
        if type(one) is QTimer and not sip.isdeleted(one) and one.isActive()
    ]
    assert not timers, f"timers were not stopped, parents: {[one.parent() for one in timers]}"
    shown = [one for one in QGuiApplication.allWindows() if one.isVisible()]
    assert not shown, f"windows were not closed: {shown}"


def _processes() -> set[psutil.Process]:
    children = psutil.Process().children(recursive=True)
    return {one for one in children if one.status() != psutil.STATUS_ZOMBIE}


@pytest.fixture(scope="session")
def short_sample(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The third session of the sample up to its eighth trial, as a .fif file."""
    import mne

    (recording,) = load_source("sample:3")
    stop = float(recording.onsets[7]) + 8.0
    info = mne.create_info(list(recording.ch_names), recording.sfreq, "eeg")
    n_samples = round(stop * recording.sfreq)
    raw = mne.io.RawArray(1e-6 * recording.data[:, :n_samples], info, verbose="error")
    raw.set_annotations(
        mne.Annotations(recording.onsets[:8], 5.0, recording.labels[:8]), verbose="error"
    )
    path = tmp_path_factory.mktemp("sample") / "short_raw.fif"
    raw.save(path, verbose="error")
    return path


@pytest.fixture(scope="session")
def decoder_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A Riemannian decoder of the first sample session."""
    from sjepa_online.decoding import DecoderRequest
    from sjepa_online.protocol import load_protocol
    from sjepa_online.signal import PreprocessorConfig
    from sjepa_online.training import calibrate

    path = tmp_path_factory.mktemp("decoder") / "riemann.safetensors"
    calibration = calibrate(
        load_source("sample:1"),
        load_protocol("ssvep-exo"),
        PreprocessorConfig(),
        DecoderRequest("riemann"),
    )
    calibration.decoder.save(path)
    return path


class Looks:
    """Finds in a window what cannot be read, or cannot be reached by the keyboard."""

    @staticmethod
    def controls(window: Any) -> set[Any]:
        """Every control that can be seen and used."""
        from PyQt6 import QtWidgets

        kinds = (
            QtWidgets.QAbstractButton,
            QtWidgets.QComboBox,
            QtWidgets.QLineEdit,
            QtWidgets.QAbstractSpinBox,
            QtWidgets.QTableView,
            QtWidgets.QPlainTextEdit,
        )
        # parts of a control, such as the field in a box of numbers, are reached with it
        return {
            one
            for kind in kinds
            for one in window.findChildren(kind)
            if one.isVisible()
            and one.isEnabled()
            and not one.visibleRegion().isEmpty()
            and not isinstance(one.parent(), kinds)
            and not isinstance(one.parent(), QtWidgets.QTabBar)
        }

    @staticmethod
    def tab_order(window: Any, first: Any, n_most: int = 200) -> list[Any]:
        """Press Tab until the first control comes again."""
        from PyQt6.QtWidgets import QApplication

        first.setFocus()
        current, found = first, []
        for _ in range(n_most):
            found.append(current)
            current.focusNextChild() if current is window else window.focusNextPrevChild(True)
            current = QApplication.focusWidget() or window.focusWidget()
            if current is first:
                return found
        raise AssertionError(f"Tab never comes back: it is caught at {current}")

    @staticmethod
    def cut(window: Any) -> list[str]:
        """Texts that are cut, each with the room that it has and that it needs."""
        from PyQt6.QtWidgets import QLabel, QPushButton, QToolButton

        found = []
        for one in (part for kind in (QLabel, QPushButton, QToolButton)
                    for part in window.findChildren(kind)):  # fmt: skip
            text = one.text()
            if not text or not one.isVisible() or one.visibleRegion().isEmpty():
                continue
            width, height = one.sizeHint().width(), one.sizeHint().height()
            if isinstance(one, QLabel):
                if one.wordWrap():
                    wraps = one.hasHeightForWidth()
                    width = one.minimumSizeHint().width() if wraps else 0
                    height = one.heightForWidth(one.width()) if wraps else _wrapped_height(one)
                if text.endswith("…") and one.toolTip():
                    # cut on purpose, and whole on hover
                    width = 0
            if one.width() < width or one.height() < height:
                room = f"{one.width()} x {one.height()} of {width} x {height}"
                found.append(f"{text[:60]!r}: {room}")
        return found

    @staticmethod
    def faint(window: Any) -> list[str]:
        """Texts without the contrast that they need, measured in what is drawn."""
        from PyQt6.QtWidgets import QAbstractButton, QComboBox, QLabel, QLineEdit

        from sjepa_apps.ui.theme import DRAWN_CONTRAST, TEXT_CONTRAST

        found = []
        for one in (part for kind in (QLabel, QAbstractButton, QComboBox, QLineEdit)
                    for part in window.findChildren(kind)):  # fmt: skip
            text = one.currentText() if isinstance(one, QComboBox) else one.text()
            if isinstance(one, QLineEdit):
                text = text or one.placeholderText()
            if not text.strip() or not one.isVisible() or one.visibleRegion().isEmpty():
                continue
            large = one.font().pixelSize() >= 24 or (one.font().pixelSize() >= 19
                                                     and one.font().bold())  # fmt: skip
            seen, needed = _drawn_contrast(one), DRAWN_CONTRAST if large else TEXT_CONTRAST
            if seen < needed - 0.05:
                found.append(f"{text[:60]!r}: {seen:.2f}")
        return found


def _wrapped_height(label: Any) -> int:
    """Return the height (pixels) that the lines of a label take."""
    from PyQt6.QtCore import QRect, Qt

    box = QRect(0, 0, max(label.contentsRect().width(), 1), 10_000)
    flags = Qt.TextFlag.TextWordWrap | Qt.AlignmentFlag.AlignLeft
    return int(label.fontMetrics().boundingRect(box, int(flags), label.text()).height())


def _drawn_contrast(widget: Any) -> float:
    """Return the contrast of the colour of a text with what is behind it.

    The picture is enlarged, so that strokes reach their full colour.
    """
    import numpy as np
    from PyQt6.QtCore import QPoint, QRect
    from PyQt6.QtGui import QColor, QImage, QPainter, QRegion

    from sjepa_apps.ui.theme import contrast

    window, scale = widget.window(), 4
    inner = widget.rect().adjusted(3, 3, -3, -3)
    image = QImage(inner.size() * scale, QImage.Format.Format_RGB32)
    image.setDevicePixelRatio(scale)
    painter = QPainter(image)
    corner = widget.mapTo(window, QPoint(0, 0)) + inner.topLeft()
    window.render(painter, QPoint(0, 0), QRegion(QRect(corner, inner.size())))
    painter.end()
    drawn = image.constBits()
    drawn.setsize(image.sizeInBytes())
    pixels = np.frombuffer(drawn, np.uint32) & 0xFFFFFF
    colours, numbers = np.unique(pixels, return_counts=True)
    behind = QColor(int(colours[numbers.argmax()]))
    strong = colours[numbers >= 12].tolist()
    return max(contrast(behind, QColor(colour)) for colour in strong)


@pytest.fixture
def looks() -> type[Looks]:
    """Find in a window what cannot be read, or cannot be reached by the keyboard."""
    return Looks
