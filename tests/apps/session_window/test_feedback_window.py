"""The operator's window while a participant uses a decoder."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

pytest.importorskip("PyQt6", reason="the windows need PyQt6")

from sjepa_apps.session.feedback_folder import FeedbackFolder
from sjepa_apps.session.free_spelling import FreeText
from sjepa_apps.session.presenter import SessionStopped
from sjepa_apps.session.selections import Selection
from sjepa_apps.session_window import feedback_window
from sjepa_apps.session_window.feedback_setup import FeedbackSetup
from sjepa_apps.session_window.feedback_window import FeedbackWindow
from sjepa_apps.session_window.run import watched_signal
from sjepa_apps.stimulus import window as stimulus
from sjepa_apps.stimulus.display import DisplayOptions
from sjepa_online.amplifier import AS_DECLARED
from sjepa_online.errors import OperationError
from sjepa_online.protocol import load_protocol
from sjepa_online.schedule import make_schedule


class QuickRun:
    """Shows the trials and chooses the left hand in each."""

    error: Exception | None = None

    def __init__(self, decoder, stream, stimulus, protocol, tell, amplifier, **options):
        self.selections = []
        self.free = options["free"]
        self.folder = options["folder"]

    def __enter__(self):
        return self

    def __exit__(self, *_):
        return None

    def run(self, presenter, trials, progress):
        if self.error is not None:
            raise self.error
        try:
            for number in range(len(trials)):
                progress(number, len(trials))
                presented = presenter.present(trials[number])
                target = presented.trial.target
                self.selections.append(Selection(target, "left_hand", 1.0, float(number + 1)))
                self.folder.write(self.selections, self.free)
                presenter.show_feedback("left_hand", target == "left_hand")
        except SessionStopped:
            if not self.selections:
                raise OperationError("No trial was shown") from None


@pytest.fixture
def open_feedback(qapp, monkeypatch, tmp_path, protocol_file, eeg, quiet_watch):
    monkeypatch.setattr(feedback_window, "FeedbackRun", QuickRun)
    monkeypatch.setattr(watched_signal, "SignalWatch", quiet_watch)
    monkeypatch.setattr(stimulus, "MEASURED_FRAMES", 25)
    monkeypatch.setattr(stimulus, "SETTLING_FRAMES", 2)
    monkeypatch.setattr(QuickRun, "error", None)
    opened = []

    def make(n_trials=3):
        protocol = load_protocol(protocol_file)
        folder = FeedbackFolder(tmp_path / "run", lambda chosen: {"n": len(chosen)})
        setup = FeedbackSetup(
            Path("decoder"),
            protocol,
            protocol_file.read_text(),
            eeg("a"),
            AS_DECLARED,
            make_schedule(protocol, 0)[:n_trials],
            DisplayOptions(windowed=True),
            folder,
        )
        opened.append(FeedbackWindow(setup))
        opened[-1].show()
        opened[-1].begin()
        return opened[-1]

    yield make
    for one in opened:
        one.end_at_once()
    qapp.processEvents()


def test_operator_sees_choices_score_and_where_results_are(open_feedback, qtbot, tmp_path):
    one = open_feedback(3)
    page = one.page
    qtbot.waitUntil(lambda: page.primary.isVisible(), timeout=60_000)
    assert page.state.text() == "Finished"
    selections = one.conductor.selections
    right = sum(selection.correct for selection in selections)
    assert f"{right} of 3 right" in page.score.text()
    assert "chance 0.50" in page.score.text()
    assert "bits a minute" in page.score.text()
    assert str(tmp_path / "run") in page.log.toPlainText()
    assert json.loads((tmp_path / "run" / "results.json").read_text()) == {"n": 3}
    lines = (tmp_path / "run" / "results.csv").read_text().splitlines()
    assert lines[0] == "trial,target,selected,correct,seconds,time"
    assert len(lines) == 4


def test_stop_of_the_operator_keeps_what_was_chosen(open_feedback, qtbot):
    one = open_feedback(10)
    qtbot.waitUntil(lambda: len(one.conductor.selections) >= 1, timeout=60_000)
    one.page.secondary.click()
    qtbot.waitUntil(lambda: one.page.primary.isVisible(), timeout=60_000)
    assert one.page.state.text() == "Stopped"
    assert "right" in one.page.score.text()


def test_error_of_the_decoder_is_told_and_closing_works(open_feedback, qtbot, monkeypatch):
    monkeypatch.setattr(QuickRun, "error", OperationError("The decoder's process has ended"))
    one = open_feedback()
    qtbot.waitUntil(lambda: one.page.primary.isVisible(), timeout=60_000)
    assert one.page.message.text() == "The decoder's process has ended"
    one.page.primary.click()
    assert not one.isVisible()


def test_closing_in_the_middle_of_a_trial_ends_the_run(open_feedback, qtbot, protocol_file):
    text = protocol_file.read_text().replace("imagery = 0.05", "imagery = 30.0")
    protocol_file.write_text(text)
    one = open_feedback()
    shown = one.conductor.stimulus
    qtbot.waitUntil(lambda: shown._playing, timeout=60_000)
    one.close()
    qtbot.waitUntil(lambda: not one.isVisible(), timeout=60_000)
    assert shown.stopped


def test_another_run_begins_with_a_decoder_of_late(
    open_feedback, qtbot, monkeypatch, tmp_path, recent, eeg
):
    started = []
    monkeypatch.setattr(feedback_window, "start_program", started.append)
    path = tmp_path / "before.safetensors"
    path.touch()
    recent.add(path)
    one = open_feedback(1)
    assert not one.page.again.isVisible()
    qtbot.waitUntil(lambda: one.page.primary.isVisible(), timeout=60_000)
    assert one.page.again.isVisible()
    # the decoder of the run itself is no file here
    (action,) = one.page.again.decoders.actions()
    action.trigger()
    stream = eeg("a").selector
    assert started == [["feedback", "--decoder", str(path), "--stream", stream, "--windowed"]]


def test_table_of_free_spelling_knows_no_target_and_runs_no_formula(tmp_path):
    folder = FeedbackFolder(tmp_path / "run", lambda chosen: {})
    free = FreeText("AB=", ())
    free.take("=")
    folder.write([Selection("", "=1+1", 2.0, 3.0), Selection("", None, None, 6.0)], free)
    lines = (tmp_path / "run" / "results.csv").read_text().splitlines()
    assert lines[1:] == ["1,,'=1+1,,2.0,3.0", "2,,,,,6.0"]
    assert json.loads((tmp_path / "run" / "results.json").read_text()) == {"text": "="}
    assert folder.next_part().name == "feedback_part-1.xdf"
    folder.next_part().touch()
    assert folder.next_part().name == "feedback_part-2.xdf"
