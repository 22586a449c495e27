"""The second page: the quality of every channel, from the first second on and without an end."""

from __future__ import annotations

from PyQt6.QtCore import Qt
from PyQt6.QtGui import QColor
from PyQt6.QtWidgets import QHBoxLayout, QTableWidgetItem

from sjepa_apps.session_window.page import Page, slim_bar
from sjepa_apps.session_window.run.signal_watch import SignalState
from sjepa_apps.session_window.run.trace_strip import TraceStrip
from sjepa_apps.ui.channel_states import judged_states, kiloohm_text
from sjepa_apps.ui.scalp import ScalpCanvas
from sjepa_apps.ui.theme import GRID, Theme
from sjepa_apps.ui.widgets import WrappedRows, make_table, plain_tip
from sjepa_online.signal.channel_quality.absolute import Verdict

_COLUMNS = ("Channel", "Amplitude", "kΩ", "State", "Remedy")
_AMPLITUDE, _IMPEDANCE, _STATE, _REMEDY = 1, 2, 3, 4
_RIGHT = Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter
_LISTENING = "Listening. The participant sits still, with open eyes."


class ChannelsPage(Page):
    """Quality of the channels, as a table, on the scalp, and as traces.

    A check of a few seconds tells whether the stream can be recorded; the channels are judged
    all the time.

    Parameters
    ----------
    theme : Theme
    """

    def __init__(self, theme: Theme) -> None:
        super().__init__(
            "Channels",
            "Judged four times a second, as long as this page is open. Mend what is red: it turns "
            "green by itself. Single bad channels do no harm.",
            "Continue",
            "Check again",
            back=True,
        )
        self._theme = theme
        self._verdicts: tuple[Verdict, ...] = ()
        self._names: tuple[str, ...] = ()
        self._readable = False
        self._signal = SignalState()
        self._refusal = ""
        self.table = make_table(_COLUMNS, stretched=_REMEDY)
        self._rows = WrappedRows(self.table, (_STATE, _REMEDY))
        self.scalp = ScalpCanvas(theme)
        self.traces = TraceStrip(theme)
        self.progress = slim_bar()
        # the page stays as it is when the bar goes
        policy = self.progress.sizePolicy()
        policy.setRetainSizeWhenHidden(True)
        self.progress.setSizePolicy(policy)
        self.progress.setRange(0, 0)
        for column in (_AMPLITUDE, _IMPEDANCE):
            header = self.table.horizontalHeaderItem(column)
            assert header is not None
            header.setTextAlignment(_RIGHT)
        self.table.setColumnHidden(_IMPEDANCE, True)
        side_by_side = QHBoxLayout()
        side_by_side.setSpacing(2 * GRID)
        side_by_side.addWidget(self.table, 2)
        side_by_side.addWidget(self.scalp, 1)
        self.content.addWidget(self.progress)
        self.content.addLayout(side_by_side, 3)
        self.content.addWidget(self.traces, 2)

    def set_theme(self, theme: Theme) -> None:
        """Change the colours."""
        self._theme = theme
        self.scalp.set_theme(theme)
        self.traces.set_theme(theme)
        self._fill()

    def begin(self) -> None:
        """Show nothing of a stream that was watched before."""
        self._names = ()
        self.scalp.set_channels(())
        self.show_signal(SignalState())

    def wait(self) -> None:
        """Show that a check is being made."""
        self.progress.show()
        for button in (self.primary, self.secondary, self.back):
            button.setEnabled(False)
        self._readable, self._refusal = False, ""
        self._tell()

    def refuse(self, why: str) -> None:
        """Show why the stream cannot be recorded."""
        self._rest()
        self._readable, self._refusal = False, why
        self._tell()

    def accept(self) -> None:
        """Show that the stream can be recorded."""
        self._rest()
        self._readable = True
        self._tell()
        self.primary.setFocus()

    def show_signal(self, signal: SignalState) -> None:
        """Show traces and verdicts as they are now; nothing of a signal that does not come."""
        if signal is self._signal:
            # it is judged less often than looked at
            return
        self._signal = signal
        self.traces.show_picture(signal.picture, signal.problem)
        names = tuple(verdict.channel for verdict in signal.verdicts)
        if names and names != self._names:
            self._names = names
            self.scalp.set_channels(names)
        self._verdicts = signal.verdicts
        self.scalp.set_states(judged_states(signal.verdicts, signal.impedances))
        self._fill()
        self._tell()

    def _tell(self) -> None:
        """Say what matters the most, and whether one can go on."""
        bad = sum(verdict.bad for verdict in self._verdicts)
        self.primary.setEnabled(self._readable and not self._signal.lost)
        if self._refusal:
            self.tell(self._refusal, "bad")
        elif self._signal.lost:
            self.tell(self._signal.problem, "bad")
        elif not self._verdicts or not self._readable:
            self.tell(_LISTENING)
        elif bad:
            need = "needs" if bad == 1 else "need"
            self.tell(f"{bad} of {len(self._verdicts)} channels {need} a look.", "warning")
        else:
            self.tell(f"All {len(self._verdicts)} channels look good.", "good")

    def _fill(self) -> None:
        # what needs mending comes first
        verdicts = sorted(self._verdicts, key=lambda verdict: not verdict.bad)
        if not verdicts:
            verdicts = [Verdict(name, (), (), float("nan")) for name in self._names]
        self.table.setRowCount(len(verdicts))
        known = bool(self._verdicts)
        kiloohms = self._signal.impedances
        # a column that stays while the stream is there: most amplifiers send none
        if known:
            told = any(verdict.channel in kiloohms for verdict in verdicts)
            self.table.setColumnHidden(_IMPEDANCE, not told)
        for row, verdict in enumerate(verdicts):
            state = ", ".join(verdict.reasons) or "good"
            colour = self._theme.bad if verdict.bad else self._theme.good
            self._set(row, 0, verdict.channel)
            self._set(row, _AMPLITUDE, f"{verdict.amplitude:.1f} µV" if known else "–")
            impedance = kiloohms.get(verdict.channel)
            self._set(row, _IMPEDANCE, "–" if impedance is None else kiloohm_text(impedance))
            self._set(row, _STATE, state if known else "–", colour if known else self._theme.muted)
            self._set(row, _REMEDY, verdict.remedy)
        self._rows.fit()

    def _set(self, row: int, column: int, text: str, colour: str = "") -> None:
        """Write a cell; one that stays the same is not laid out again."""
        item = self.table.item(row, column)
        if item is None:
            item = QTableWidgetItem()
            if column in (_AMPLITUDE, _IMPEDANCE):
                item.setTextAlignment(_RIGHT)
            self.table.setItem(row, column, item)
        if item.text() != text:
            item.setText(text)
            item.setToolTip(plain_tip(text) if column >= _STATE else "")
        if colour and item.foreground().color().name() != QColor(colour).name():
            item.setForeground(QColor(colour))

    def _rest(self) -> None:
        self.progress.hide()
        self.secondary.setEnabled(True)
        self.back.setEnabled(True)
