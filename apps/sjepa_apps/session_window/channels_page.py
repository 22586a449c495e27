"""The second page: the quality of every channel before the recording."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PyQt6.QtCore import Qt
from PyQt6.QtGui import QColor
from PyQt6.QtWidgets import QHBoxLayout, QTableWidgetItem

from sjepa_apps.session.checks import CHECK_SECONDS, ChannelCheck
from sjepa_apps.session_window.page import Page, slim_bar
from sjepa_apps.ui.channel_states import ChannelStates, ChannelSummary
from sjepa_apps.ui.scalp import ScalpCanvas
from sjepa_apps.ui.theme import GRID, Theme
from sjepa_apps.ui.widgets import make_table, plain_tip, wrap_rows

if TYPE_CHECKING:
    from sjepa_online.evaluation.report.channels import ChannelReport

_COLUMNS = ("Channel", "Amplitude", "Mains", "Finding")
_NUMBERS = (1, 2)
_FINDING = 3
_RIGHT = Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter


class CheckedStates(ChannelStates):
    """Results of the check, for the scalp map."""

    def describe(self, name: str) -> str:
        """Tell the finding of a channel."""
        report = self.get(name)
        if report is None:
            return name
        return ", ".join(report.reasons) or f"{name} is good"


class ChannelsPage(Page):
    """Quality of the channels, as a table and on the scalp."""

    def __init__(self, theme: Theme) -> None:
        super().__init__(
            "Channels",
            f"{CHECK_SECONDS:g} s of signal, read as training reads it. Mend what is red and check "
            "again; training copes with single bad channels.",
            "Continue",
            "Check again",
            back=True,
        )
        self._theme = theme
        self._channels: list[ChannelReport] = []
        self.table = make_table(_COLUMNS, stretched=_FINDING)
        wrap_rows(self.table)
        self.scalp = ScalpCanvas(theme)
        self.progress = slim_bar()
        # the page stays as it is when the bar goes
        policy = self.progress.sizePolicy()
        policy.setRetainSizeWhenHidden(True)
        self.progress.setSizePolicy(policy)
        self.progress.setRange(0, 0)
        for column in _NUMBERS:
            header = self.table.horizontalHeaderItem(column)
            assert header is not None
            header.setTextAlignment(_RIGHT)
        side_by_side = QHBoxLayout()
        side_by_side.setSpacing(2 * GRID)
        side_by_side.addWidget(self.table, 5)
        side_by_side.addWidget(self.scalp, 3)
        self.content.addWidget(self.progress)
        self.content.addLayout(side_by_side, 1)

    def set_theme(self, theme: Theme) -> None:
        """Change the colours."""
        self._theme = theme
        self.scalp.set_theme(theme)
        self._fill()

    def wait(self) -> None:
        """Show that a check is being made."""
        self.progress.show()
        self.primary.setEnabled(False)
        self.secondary.setEnabled(False)
        self.back.setEnabled(False)
        self._channels = []
        self._fill()
        self.scalp.set_channels(())
        self.tell("Listening. The participant sits still, with open eyes.")

    def refuse(self, why: str) -> None:
        """Show why the stream cannot be recorded."""
        self._rest()
        self.tell(why, "bad")

    def show_check(self, check: ChannelCheck) -> None:
        """Show the quality of each channel."""
        self._rest()
        self.primary.setEnabled(True)
        self.primary.setFocus()
        # what needs mending comes first
        self._channels = sorted(check.channels, key=lambda channel: not channel.complaint)
        self._fill()
        self.scalp.set_channels(tuple(channel.name for channel in check.channels))
        self.scalp.set_states(
            CheckedStates(
                ChannelSummary(
                    channel=channel.name,
                    bad=bool(channel.complaint),
                    reasons=(channel.complaint,) if channel.complaint else (),
                    amplitude=channel.ratio,
                )
                for channel in check.channels
            )
        )
        n_bad = len(check.complaints)
        n_all = len(check.channels)
        if n_bad:
            self.tell(f"{n_bad} of {n_all} channels need a look.", "warning")
        else:
            self.tell(f"All {n_all} channels look good.", "good")

    def _fill(self) -> None:
        self.table.setRowCount(len(self._channels))
        for row, channel in enumerate(self._channels):
            mains = "–" if channel.mains is None else f"{channel.mains:.0%}"
            amplitude = f"{channel.amplitude:.1f} µV"
            for column, text in enumerate((channel.name, amplitude, mains)):
                item = QTableWidgetItem(text)
                if column in _NUMBERS:
                    item.setTextAlignment(_RIGHT)
                self.table.setItem(row, column, item)
            finding = QTableWidgetItem(channel.complaint or "good")
            finding.setToolTip(plain_tip(channel.complaint))
            colour = self._theme.bad if channel.complaint else self._theme.good
            finding.setForeground(QColor(colour))
            self.table.setItem(row, _FINDING, finding)

    def _rest(self) -> None:
        self.progress.hide()
        self.secondary.setEnabled(True)
        self.back.setEnabled(True)
