from __future__ import annotations

from dataclasses import replace

from sjepa_apps.session.headless import HeadlessPresenter
from sjepa_apps.session.presenter import TrialMonitor
from sjepa_online.markers import parse_marker
from sjepa_online.schedule import Phase, ScheduledTrial
from sjepa_online.stream import local_clock

TRIAL = ScheduledTrial(
    0,
    "A",
    (
        Phase("cue", 0.1, "cue/A"),
        *(Phase("flash", 0.1, f"Target/A{number}", "A") for number in range(20)),
        Phase("rest", 0.1, "end"),
    ),
)


class Outlet:
    def __init__(self):
        self.sent = []

    def push(self, *sample):
        self.sent.append(sample)


def test_a_decision_ends_the_trial_with_its_marker():
    stimulus, frames = Outlet(), Outlet()
    presenter = HeadlessPresenter(stimulus, frames, print)
    begin = local_clock()
    presented = presenter.present(TRIAL, TrialMonitor(lambda: local_clock() > begin + 0.55))
    assert 0.5 < local_clock() - begin < 1.0
    words = [parse_marker(marker).word for marker, _ in stimulus.sent]
    assert words[0] == "cue"
    assert words.count("end") == 1
    assert words[-1] == "end"
    assert presented.completed
    assert len(presented.onsets) == len(stimulus.sent) - 1 < len(TRIAL.phases)


def test_what_breaks_off_interrupts_the_trial():
    stimulus, frames = Outlet(), Outlet()
    presenter = HeadlessPresenter(stimulus, frames, print)
    monitor = TrialMonitor(decided=lambda: False, broken=lambda: len(stimulus.sent) == 3)
    presented = presenter.present(TRIAL, monitor)
    assert not presented.completed
    assert len(presented.onsets) == 3
    assert [marker for marker, _ in stimulus.sent[3:]] == ["pause"]


def test_after_the_end_of_the_stimulus_a_decision_changes_nothing():
    stimulus, frames = Outlet(), Outlet()
    trial = ScheduledTrial(0, "A", (Phase("imagery", 0.05, "A"), Phase("rest", 0.15, "end")))
    monitor = TrialMonitor(decided=lambda: len(stimulus.sent) == 2)
    presented = HeadlessPresenter(stimulus, frames, print).present(trial, monitor)
    assert presented.completed
    assert [marker for marker, _ in stimulus.sent] == ["A", "end"]


def test_without_a_decision_the_trial_lasts_as_long_as_it_is():
    stimulus, frames = Outlet(), Outlet()
    begin = local_clock()
    trial = replace(TRIAL, phases=TRIAL.phases[-5:])
    presented = HeadlessPresenter(stimulus, frames, print).present(trial)
    assert local_clock() - begin >= trial.duration
    assert [marker for marker, _ in stimulus.sent] == [phase.marker for phase in trial.phases]
    assert len(presented.onsets) == len(trial.phases)
