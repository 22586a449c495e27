"""Trials with true and decided class, accuracy, and confusion matrix."""

from __future__ import annotations

import csv
import io
from collections import Counter
from collections.abc import Sequence
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

from sjepa_apps.live.trials.model import SymbolTrial, Trial, TrialLog, wilson_interval
from sjepa_apps.ui.theme import GRID, Theme, blend, readable_on
from sjepa_apps.ui.widgets import PlainLabel, WrappedLabel, class_labels, panel, style_table
from sjepa_online.files import atomic_write
from sjepa_online.foreign_text import csv_cell

#: Height (pixels) of the captions of rows and columns.
CAPTION = 15
#: Least height (pixels) of a cell.
LEAST_CELL = 12
COLUMNS = ("#", "Truth", "Decided", "p", "After", "Without")
#: Trials in the table; all of them count, and all are exported.
SHOWN = 200
#: Least width (pixels) of the columns of truth and decision.
NAME_WIDTH = 84


class ConfusionMatrix(QWidget):
    """How often each class (rows) was decided as each (columns)."""

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setMinimumWidth(160)
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
        n_classes = 2 if log is None else len(log.protocol.classes)
        self.setMinimumHeight(2 * CAPTION + n_classes * LEAST_CELL)
        self.update()

    def paintEvent(self, event: QPaintEvent | None) -> None:  # noqa: N802 - Qt's name
        """Draw the matrix."""
        if self._log is None:
            return
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        names = tuple(class_labels(self._log.protocol).values())
        counts = self._log.confusion()
        font = QFont(self.font())
        font.setPixelSize(11)
        painter.setFont(font)
        metrics = QFontMetricsF(font)
        longest = max(metrics.horizontalAdvance(name) for name in names)
        left = CAPTION + min(longest + GRID, self.width() / 3)
        top = CAPTION + 16.0
        width = (self.width() - left) / len(names)
        height = (self.height() - top) / len(names)
        middle = int(Qt.AlignmentFlag.AlignCenter)
        painter.setPen(QColor(self._theme.muted))
        painter.drawText(QRectF(left, 0, self.width() - left, CAPTION), middle, "decided")
        painter.save()
        painter.translate(0, self.height())
        painter.rotate(-90)
        painter.drawText(QRectF(0, 0, self.height() - top, CAPTION), middle, "truth")
        painter.restore()
        shares = counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)
        for row, truth in enumerate(names):
            painter.setPen(QColor(self._theme.muted))
            beside = QRectF(CAPTION, top + row * height, left - CAPTION - GRID / 2, height)
            right = int(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
            elide = Qt.TextElideMode.ElideRight
            painter.drawText(beside, right, metrics.elidedText(truth, elide, beside.width()))
            above = QRectF(left + row * width, CAPTION, width, top - CAPTION)
            painter.drawText(above, middle, metrics.elidedText(truth, elide, width))
            for column in range(len(names)):
                strong = self._theme.good if row == column else self._theme.bad
                colour = blend(strong, self._theme.panel, 0.15 + 0.7 * float(shares[row, column]))
                if counts[row, column] == 0:
                    colour = QColor(self._theme.raised)
                box = QRectF(
                    left + column * width + 1, top + row * height + 1, width - 2, height - 2
                )
                painter.setPen(Qt.PenStyle.NoPen)
                painter.setBrush(colour)
                painter.drawRoundedRect(box, 3, 3)
                painter.setPen(readable_on(colour))
                painter.drawText(box, middle, str(counts[row, column]))
        painter.end()


class TrialsView(QWidget):
    """The trial log, running accuracy and confusion matrix."""

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme = theme
        self._log: TrialLog | None = None
        self._labels: dict[str, str] = {}
        self._n_shown, self._shows_symbols = 0, False
        self._why_none = "no trial with a known truth yet"
        self.table = QTableWidget(0, len(COLUMNS))
        self.table.setHorizontalHeaderLabels(list(COLUMNS))
        style_table(self.table, len(COLUMNS) - 1)
        for column, width in enumerate((34, NAME_WIDTH, NAME_WIDTH, 56, 92)):
            self.table.setColumnWidth(column, width)
        self._fit_names(None)
        self.accuracy = PlainLabel("–", "figure")
        self.accuracy.setToolTip("Share of trials decided right, with its 95 % interval (Wilson)")
        self.interval = WrappedLabel(self._why_none, "muted")
        self.matrix = ConfusionMatrix(theme)
        self.export = QPushButton("Export …")
        self.export.setToolTip("Write all trials as CSV")
        side = QVBoxLayout()
        side.setContentsMargins(0, GRID, 0, 0)
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
        self._clear()
        self.show_log(self._log, self._why_none)

    def show_log(self, log: TrialLog | None, why_none: str) -> None:
        """Show the trials of a log, or why there is none; only those that are new are added."""
        self._why_none = why_none
        if log is not self._log:
            self._clear()
            self._fit_names(log)
        self._log = log
        self.matrix.show_log(log)
        if log is not None:
            self._show_trials(log)
        self._show_accuracy(log)

    def save(self, path: Path) -> None:
        """Write all trials, and after those of a speller, its symbols."""
        text = io.StringIO()
        writer = csv.writer(text, lineterminator="\n")
        writer.writerow(
            ["kind", "time_s", "truth", "decided", "probability", "after_s", "flashes", "without"]
        )
        if self._log is not None:
            writer.writerows(map(_row, self._log.trials))
            writer.writerows(map(_row, self._log.symbols))
        atomic_write(path, text.getvalue().encode())

    def _show_trials(self, log: TrialLog) -> None:
        """Add what is new on top; once a speller has decided symbols those, not every flash."""
        trials: Sequence[Trial | SymbolTrial] = log.symbols or log.trials
        n = log.n_symbols or log.n_trials
        if bool(log.symbols) != self._shows_symbols:
            self._clear()
            self._shows_symbols = bool(log.symbols)
        n_new = min(n - self._n_shown, len(trials), SHOWN)
        for back in range(n_new, 0, -1):
            self._add(n - back + 1, trials[-back])
        self._n_shown = n
        self.table.setRowCount(min(self.table.rowCount(), SHOWN))

    def _fit_names(self, log: TrialLog | None) -> None:
        """Make the columns as wide as the longest name that may stand in them, or their title."""
        self._labels = {} if log is None else class_labels(log.protocol)
        names = tuple(self._labels.values())
        self.table.ensurePolished()
        metrics = self.table.fontMetrics()
        longest = max((metrics.horizontalAdvance(f"✓ {name}") for name in names), default=0)
        header = self.table.horizontalHeader()
        assert header is not None
        for column in (1, 2):
            width = max(longest + 3 * GRID, NAME_WIDTH, header.sectionSizeHint(column))
            self.table.setColumnWidth(column, width)

    def _clear(self) -> None:
        self.table.setRowCount(0)
        self._n_shown = 0

    def _add(self, number: int, trial: Trial | SymbolTrial) -> None:
        if isinstance(trial, SymbolTrial):
            after, without = f"{trial.n_flashes} flashes", ""
        else:
            after, without = f"{trial.duration:.2f} s", ", ".join(trial.bad_channels)
        labels = self._labels
        truth = labels.get(trial.truth, trial.truth)
        sign = "✓" if trial.correct else "✗"
        decided = f"{sign} {labels.get(trial.decided, trial.decided)}"
        cells = (str(number), truth, decided, f"{trial.confidence:.2f}", after, without)
        self.table.insertRow(0)
        for column, text in enumerate(cells):
            item = QTableWidgetItem(text)
            if column == 2:
                item.setForeground(QColor(self._theme.good if trial.correct else self._theme.bad))
            self.table.setItem(0, column, item)

    def _show_accuracy(self, log: TrialLog | None) -> None:
        if log is None or not (log.trials or log.symbols):
            self.accuracy.setText("–")
            self.interval.setText(self._why_none)
            return
        speller = log.protocol.speller
        share, told = _accuracy(log.trials)
        told = f"{told}, {_told_chance(log)}"
        if log.symbols and speller is not None:
            flashes = told
            share, told = _accuracy(log.symbols)
            told = f"{told}, chance {1 / len(speller.symbols):.2f}\nflashes: {flashes}"
        self.accuracy.setText(share)
        self.interval.setText(told)


def _accuracy(trials: Sequence[Trial | SymbolTrial]) -> tuple[str, str]:
    """Return the share of right decisions, and their numbers."""
    n_correct = sum(trial.correct for trial in trials)
    low, high = wilson_interval(n_correct, len(trials))
    share = f"{n_correct / len(trials):.2f}" if trials else "–"
    return share, f"{n_correct} of {len(trials)} right, 95 % interval {low:.2f}-{high:.2f}"


def _told_chance(log: TrialLog) -> str:
    """Tell how often blind guessing is right: of flashes, the answer that is right most often."""
    if log.protocol.speller is None:
        return f"chance {1 / len(log.protocol.classes):.2f}"
    counts = Counter(trial.truth for trial in log.trials)
    most, n_most = counts.most_common(1)[0]
    return f"always {most}: {n_most / len(log.trials):.2f}"


def _row(trial: Trial | SymbolTrial) -> tuple[object, ...]:
    """Return the line of a table."""
    decided = (csv_cell(trial.truth), csv_cell(trial.decided), f"{trial.confidence:.4f}")
    if isinstance(trial, SymbolTrial):
        return ("symbol", f"{trial.time:.4f}", *decided, "", trial.n_flashes, "")
    without = csv_cell(" ".join(trial.bad_channels))
    return ("trial", f"{trial.onset:.4f}", *decided, f"{trial.duration:.4f}", "", without)
