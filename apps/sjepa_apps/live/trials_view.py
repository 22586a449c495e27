"""Trials with their truth: what was decided, how often that was right, and what for what."""

from __future__ import annotations

import csv
import io
from pathlib import Path

import numpy as np
from PyQt6.QtCore import QRectF, Qt
from PyQt6.QtGui import QColor, QFont, QFontMetricsF, QPainter, QPaintEvent
from PyQt6.QtWidgets import (
    QHBoxLayout,
    QPushButton,
    QTableWidget,
    QTableWidgetItem,
    QVBoxLayout,
    QWidget,
)

from sjepa_apps.live.tables import prepare
from sjepa_apps.live.theme import GRID, Theme
from sjepa_apps.live.trials import Trial, TrialLog, wilson_interval
from sjepa_apps.live.widgets import PlainLabel, panel
from sjepa_online.files import atomic_write

COLUMNS = ("#", "Truth", "Decided", "p", "After", "Without")
#: Trials in the table; all of them count, and all are exported.
SHOWN = 200


class ConfusionMatrix(QWidget):
    """How often each class (rows) was decided as each (columns)."""

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setMinimumSize(160, 96)
        self.setToolTip("Rows: the truth; columns: what was decided")
        self._theme = theme
        self._log: TrialLog | None = None

    def set_theme(self, theme: Theme) -> None:
        """Change the colours."""
        self._theme = theme
        self.update()

    def show_log(self, log: TrialLog | None) -> None:
        """Show the trials of a log."""
        self._log = log
        self.update()

    def paintEvent(self, event: QPaintEvent | None) -> None:  # noqa: N802 - Qt's name
        """Draw the matrix."""
        if self._log is None:
            return
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        names, counts = self._log.protocol.class_names, self._log.confusion()
        font = QFont(self.font())
        font.setPixelSize(11)
        painter.setFont(font)
        metrics = QFontMetricsF(font)
        left = min(max(metrics.horizontalAdvance(name) for name in names) + GRID, self.width() / 3)
        top = 18.0
        width = (self.width() - left) / len(names)
        height = (self.height() - top) / len(names)
        shares = counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)
        for row, truth in enumerate(names):
            painter.setPen(QColor(self._theme.muted))
            beside = QRectF(0, top + row * height, left - GRID / 2, height)
            right = int(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
            elide = Qt.TextElideMode.ElideRight
            painter.drawText(beside, right, metrics.elidedText(truth, elide, left - GRID / 2))
            above = QRectF(left + row * width, 0, width, top)
            middle = int(Qt.AlignmentFlag.AlignCenter)
            painter.drawText(above, middle, metrics.elidedText(truth, elide, width))
            for column in range(len(names)):
                colour = QColor(self._theme.good if row == column else self._theme.bad)
                colour.setAlphaF(0.15 + 0.7 * float(shares[row, column]))
                if counts[row, column] == 0:
                    colour = QColor(self._theme.raised)
                box = QRectF(
                    left + column * width + 1, top + row * height + 1, width - 2, height - 2
                )
                painter.setPen(Qt.PenStyle.NoPen)
                painter.setBrush(colour)
                painter.drawRoundedRect(box, 3, 3)
                painter.setPen(QColor(self._theme.ink))
                painter.drawText(box, middle, str(counts[row, column]))
        painter.end()


class TrialsView(QWidget):
    """The trial log, running accuracy and confusion matrix."""

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme = theme
        self._log: TrialLog | None = None
        self._n_shown = 0
        self.table = QTableWidget(0, len(COLUMNS))
        self.table.setHorizontalHeaderLabels(list(COLUMNS))
        prepare(self.table, len(COLUMNS) - 1)
        for column, width in enumerate((48, 96, 96, 56, 72)):
            self.table.setColumnWidth(column, width)
        self.accuracy = PlainLabel("–", "figure")
        self.accuracy.setToolTip("Share of trials decided right, with its 95 % interval (Wilson)")
        self.interval = PlainLabel("no trial with a known truth yet", "muted")
        self.interval.setWordWrap(True)
        self.matrix = ConfusionMatrix(theme)
        self.export = QPushButton("Export …")
        self.export.setToolTip("Write all trials as CSV")
        side = QVBoxLayout()
        side.setSpacing(GRID // 2)
        top = QHBoxLayout()
        top.addWidget(self.accuracy, 1)
        top.addWidget(self.export)
        side.addLayout(top)
        side.addWidget(self.interval)
        side.addWidget(self.matrix, 1)
        frame = panel()
        inner = QHBoxLayout(frame)
        inner.setContentsMargins(1, 1, 2 * GRID, GRID)
        inner.setSpacing(2 * GRID)
        inner.addWidget(self.table, 3)
        inner.addLayout(side, 2)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(frame)

    def set_theme(self, theme: Theme) -> None:
        """Change the colours."""
        self._theme = theme
        self.matrix.set_theme(theme)
        self.table.setRowCount(0)
        self._n_shown = 0
        self.show_log(self._log)

    def show_log(self, log: TrialLog | None) -> None:
        """Show the trials of a log; only those that are new are added."""
        if log is not self._log:
            self.table.setRowCount(0)
            self._n_shown = 0
        self._log = log
        self.matrix.show_log(log)
        trials = [] if log is None else list(log.trials)
        first = max(self._n_shown, len(trials) - SHOWN)
        for number, trial in enumerate(trials[first:], first + 1):
            self._add(number, trial)
        self._n_shown = len(trials)
        self.table.setRowCount(min(self.table.rowCount(), SHOWN))
        self._show_accuracy(log)

    def save(self, path: Path) -> None:
        """Write all trials."""
        text = io.StringIO()
        writer = csv.writer(text, lineterminator="\n")
        writer.writerow(["onset_s", "truth", "decided", "probability", "after_s", "without"])
        for trial in () if self._log is None else self._log.trials:
            without = " ".join(trial.bad_channels)
            writer.writerow(
                [
                    f"{trial.onset:.4f}",
                    trial.truth,
                    trial.decided,
                    f"{trial.confidence:.4f}",
                    f"{trial.duration:.4f}",
                    without,
                ]
            )
        atomic_write(path, text.getvalue().encode())

    def _add(self, number: int, trial: Trial) -> None:
        cells = (
            str(number),
            trial.truth,
            trial.decided,
            f"{trial.confidence:.2f}",
            f"{trial.duration:.2f} s",
            ", ".join(trial.bad_channels),
        )
        self.table.insertRow(0)
        for column, text in enumerate(cells):
            item = QTableWidgetItem(text)
            if column == 2:
                item.setForeground(QColor(self._theme.good if trial.correct else self._theme.bad))
            self.table.setItem(0, column, item)

    def _show_accuracy(self, log: TrialLog | None) -> None:
        n = 0 if log is None else len(log.trials)
        if log is None or n == 0:
            self.accuracy.setText("–")
            self.interval.setText("no trial with a known truth yet")
            return
        low, high = wilson_interval(log.n_correct, n)
        chance = 1 / len(log.protocol.classes)
        self.accuracy.setText(f"{log.n_correct / n:.2f}")
        self.interval.setText(
            f"{log.n_correct} of {n} right, 95 % interval {low:.2f}-{high:.2f}, chance {chance:.2f}"
        )
