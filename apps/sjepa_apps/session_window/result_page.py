"""The last pages: training and its result."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from PyQt6.QtCore import QUrl, pyqtSignal
from PyQt6.QtGui import QDesktopServices
from PyQt6.QtWidgets import QGridLayout, QHBoxLayout, QLayout, QPushButton, QSpinBox, QVBoxLayout

from sjepa_apps.session_window.page import Page, slim_bar
from sjepa_apps.session_window.setup import TrainingResult, UnlabelledResult
from sjepa_apps.ui.theme import GRID
from sjepa_apps.ui.widgets import PlainLabel, State, panel
from sjepa_online.evaluation.report import Advice
from sjepa_online.training import N_FOLDS

#: Trials to record more, at first.
MORE_TRIALS = 20
# steps in training a decoder
_TRAINING = (*(f"Cross-validation {n} of {N_FOLDS}" for n in range(1, N_FOLDS + 1)), "Decoder")
_MEASURES = {"accuracy": "accuracy", "roc_auc": "ROC AUC"}


class TrainingPage(Page):
    """Progress of the cross-validation."""

    def __init__(self) -> None:
        super().__init__(
            "Training",
            "Each part of the trials is decoded by a decoder that has not seen it; a last one "
            "learns from all of them.",
            "Train again",
            f"Record {MORE_TRIALS} more",
        )
        self.state = PlainLabel("", "decision")
        self.progress = slim_bar()
        self.content.addWidget(self.state)
        self.content.addWidget(self.progress)
        self.content.addStretch()

    def begin(self, n_decoders: int = 1) -> None:
        """Show that so many decoders are trained."""
        self.progress.setRange(0, n_decoders * len(_TRAINING))
        self.progress.setValue(0)
        self.primary.hide()
        self.secondary.hide()
        self.tell("")
        self._describe()

    def advance(self) -> None:
        """Show that a step is done."""
        self.progress.setValue(self.progress.value() + 1)
        self._describe()

    def refuse(self, why: str) -> None:
        """Show why no decoder was trained."""
        self.state.setText("No decoder")
        self.primary.show()
        self.secondary.show()
        self.primary.setFocus()
        self.tell(why, "bad")

    def _describe(self) -> None:
        done = self.progress.value()
        over = done >= self.progress.maximum()
        self.state.setText("Report" if over else _TRAINING[done % len(_TRAINING)])


# with what a decoder says that it is not sure
_DOUBT = "not sure: "
_WITH_TRIALS = "Scores of trials that the decoder had not seen. The report tells more."
_WITHOUT_TRIALS = (
    "No trial was shown, so nobody knows yet how well this decoder reads this person: feedback "
    "tells, and a calibration makes it better."
)


class ResultPage(Page):
    """Scores and file of the decoder, and whether more trials would help.

    Signals
    -------
    more_asked
        So many trials more are to be recorded.
    decode_asked
        The live window is to open with the decoder.
    feedback_asked
        The participant is to use the decoder.
    """

    more_asked = pyqtSignal(int)
    decode_asked = pyqtSignal()
    feedback_asked = pyqtSignal()

    def __init__(self) -> None:
        super().__init__(
            "Result",
            _WITH_TRIALS,
            "Close",
            "Calibrate with trials",
        )
        self.score = PlainLabel("", "decision")
        self.choice = PlainLabel()
        self.choice.setWordWrap(True)
        self.advice = QVBoxLayout()
        self.advice.setSpacing(GRID)
        self.scores = QGridLayout()
        self.scores.setHorizontalSpacing(3 * GRID)
        self.files = PlainLabel("", "muted")
        self.files.setWordWrap(True)
        self.decode = QPushButton("Decode now")
        self.decode.setToolTip("Open the live window with this decoder")
        self.feedback = QPushButton("Feedback")
        self.feedback.setToolTip("Let the participant use this decoder")
        for button in (self.decode, self.feedback):
            button.setProperty("primary", True)
            button.setMinimumWidth(14 * GRID)
        self.report = QPushButton("Open the report")
        self.more = QPushButton("Record more trials")
        self.n_more = QSpinBox()
        self.n_more.setRange(1, 9999)
        self.n_more.setValue(MORE_TRIALS)
        self.n_more.setButtonSymbols(QSpinBox.ButtonSymbols.NoButtons)
        self._result: TrainingResult | UnlabelledResult | None = None
        self._lay_out()
        self.report.clicked.connect(self._open_report)
        self.more.clicked.connect(lambda: self.more_asked.emit(self.n_more.value()))
        self.decode.clicked.connect(self.decode_asked)
        self.feedback.clicked.connect(self.feedback_asked)

    @property
    def decoder(self) -> Path | None:
        """File of the decoder that is shown."""
        return None if self._result is None else self._result.decoder

    def show_result(self, result: TrainingResult) -> None:
        """Show scores, advice and files."""
        self._result = result
        summary = result.calibration.decoder.calibration
        scores = summary.cross_validation
        chosen = result.calibration.decoder.name
        best = scores.get(chosen) or next(iter(scores.values()))
        n_classes = len(result.calibration.decoder.classes)
        measure = "roc_auc" if "Target" in result.calibration.decoder.classes else "accuracy"
        chance = "chance 0.50" if measure == "roc_auc" else f"chance {1 / n_classes:.2f}"
        told = f"{best[measure]:.2f} {_MEASURES[measure]}"
        decoded = "flashes" if measure == "roc_auc" else "trials"
        self.score.setText(f"{told} ({chance}, {summary.n_trials} {decoded})")
        self._fill_scores(scores)
        classes = result.calibration.decoder.classes
        self.choice.setText(_for_people(summary.choice, classes))
        self.choice.setVisible(bool(summary.choice))
        self._show_advice(result.advice)
        self.files.setText(f"Decoder: {result.decoder}\nReport: {result.report}")
        self._show_parts(with_trials=True)

    def show_unlabelled(self, result: UnlabelledResult) -> None:
        """Show a decoder that was made without trials."""
        self._result = result
        made = result.made
        told = _for_people(made.decoder.calibration.choice, made.decoder.classes)
        told, _, doubt = told.partition(f"; {_DOUBT}")
        self.score.setText("Ready, but not sure" if doubt else "Ready to decode")
        self.choice.setText(f"{told}. {made.seconds:.0f} s of signal were recorded.")
        self.choice.show()
        warnings = [f"{_DOUBT.capitalize()}{doubt}."] if doubt else []
        warnings += [f"Left out: {one}" for one in made.dropped]
        self._show_advice([Advice("warning", one) for one in warnings])
        self.files.setText(f"Decoder: {result.decoder}")
        self._show_parts(with_trials=False)

    def _show_parts(self, *, with_trials: bool) -> None:
        """Show what belongs to a decoder with labelled trials or without."""
        self.explanation.setText(_WITH_TRIALS if with_trials else _WITHOUT_TRIALS)
        for widget in (self.box, self.report, self.n_more, self.more):
            widget.setVisible(with_trials)
        self.secondary.setVisible(not with_trials)

    def _lay_out(self) -> None:
        self.box = box = panel()
        inside = QVBoxLayout(box)
        inside.setContentsMargins(2 * GRID, 2 * GRID, 2 * GRID, 2 * GRID)
        inside.addLayout(self.scores)
        buttons = QHBoxLayout()
        buttons.setSpacing(GRID)
        buttons.addWidget(self.decode)
        buttons.addWidget(self.feedback)
        buttons.addWidget(self.report)
        buttons.addStretch()
        buttons.addWidget(self.n_more)
        buttons.addWidget(self.more)
        self.content.addWidget(self.score)
        self.content.addLayout(self.advice)
        self.content.addWidget(box)
        self.content.addWidget(self.choice)
        self.content.addWidget(self.files)
        self.content.addLayout(buttons)
        self.content.addStretch()

    def _show_advice(self, advice: list[Advice]) -> None:
        _clear(self.advice)
        states: dict[str, State] = {"good": "good", "warning": "warning", "note": ""}
        for one in advice:
            label = PlainLabel(one.text)
            label.setWordWrap(True)
            label.set_state(states[one.level])
            self.advice.addWidget(label)

    def _fill_scores(self, scores: dict[str, dict[str, float]]) -> None:
        _clear(self.scores)
        measures = list(dict.fromkeys(name for values in scores.values() for name in values))
        for column, measure in enumerate(measures, start=1):
            self.scores.addWidget(PlainLabel(_MEASURES[measure], "muted"), 0, column)
        for row, (name, values) in enumerate(scores.items(), start=1):
            self.scores.addWidget(PlainLabel(name), row, 0)
            for column, measure in enumerate(measures, start=1):
                told = f"{values[measure]:.3f}" if measure in values else "–"
                self.scores.addWidget(PlainLabel(told), row, column)

    def _open_report(self) -> None:
        if isinstance(self._result, TrainingResult):
            path = self._result.report.resolve()
            if not QDesktopServices.openUrl(QUrl.fromLocalFile(str(path))):
                self.tell(f"No browser opens here; the report is {path}", "warning")


def _for_people(text: str, classes: Sequence[str]) -> str:
    """Return a text with the names of classes as people write them."""
    for name in classes:
        text = text.replace(name, name.replace("_", " "))
    return text


def _clear(layout: QLayout) -> None:
    while (item := layout.takeAt(0)) is not None:
        widget = item.widget()
        if widget is not None:
            # it would be drawn until Qt deletes it
            widget.hide()
            widget.deleteLater()
