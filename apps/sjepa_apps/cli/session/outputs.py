"""Files and messages of ``sjepa-online calibrate``."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from sjepa_apps.cli.common import check_out, echo, print_json, say

if TYPE_CHECKING:
    from sjepa_online.data import Recording
    from sjepa_online.evaluation.forehead import ForeheadCheck
    from sjepa_online.evaluation.significance import Score
    from sjepa_online.training import Calibration


@dataclass(frozen=True)
class CalibrationOutputs:
    """Where the results of a calibration go.

    Attributes
    ----------
    decoder : Path
    report : Path or None
        None writes no report.
    overwrite : bool
        Whether existing files may be replaced.
    json : bool
        One JSON document on standard output, instead of text.
    """

    decoder: Path
    report: Path | None
    overwrite: bool
    json: bool

    def check(self) -> None:
        """Refuse to replace a file unasked, before any time is spent."""
        check_out(self.decoder, self.overwrite)
        if self.report is not None:
            check_out(self.report, self.overwrite, "--report")

    def finish(
        self,
        calibration: Calibration,
        recordings: Sequence[Recording],
        session: Mapping[str, object],
        facts: Mapping[str, str] | None = None,
    ) -> None:
        """Save decoder and report, and print the scores.

        Parameters
        ----------
        calibration : Calibration
        recordings : sequence of Recording
            Recordings that the decoder was trained on.
        session : mapping
            Fields about the session for the JSON document; empty without one.
        facts : mapping of str to str, optional
            What the report tells of the session.
        """
        from sjepa_online.data import electrodes_told

        for reason in calibration.trials.dropped:
            say(f"left out: {reason}")
        if told_electrodes := electrodes_told(recordings, calibration.trials.protocol):
            say(f"{told_electrodes}; --electrodes all reads them too")
        _tell_complaints(calibration)
        _warn_at_chance(calibration)
        calibration.decoder.save(self.decoder)
        told = dict(session)
        preprocessing = calibration.decoder.preprocessing
        if self.report is not None:
            from sjepa_online.evaluation.report import more_trials_help, write_report

            say("Writing the report")
            content = write_report(self.report, calibration, recordings, facts)
            forehead = content.forehead
            told |= {"report": str(self.report), "more_trials_help": more_trials_help(content)}
        else:
            from sjepa_online.evaluation.forehead import check_calibration

            forehead = check_calibration(
                recordings, calibration.trials, preprocessing, calibration.out_of_fold
            )
        self.tell(calibration, forehead, told)

    def tell(
        self, calibration: Calibration, forehead: ForeheadCheck | None, told: dict[str, object]
    ) -> None:
        """Print the scores, and the further fields in ``told``."""
        for note in calibration.decoder.classifier.notes:
            say(f"Warning: {note}")
        if forehead is not None and forehead.explains:
            say(f"Warning: {forehead}")
        if self.json:
            found = None if forehead is None else forehead.to_json()
            print_json(self._document(calibration) | {"forehead": found} | told)
        else:
            self._echo(calibration, forehead, told)

    def _document(self, calibration: Calibration) -> dict[str, object]:
        summary = calibration.decoder.calibration
        judged = _judge(calibration)
        return {
            "paradigm": calibration.trials.protocol.name,
            "decoder": calibration.decoder.name,
            "classes": list(calibration.decoder.classes),
            "electrodes": list(calibration.decoder.ch_names),
            "n_trials": summary.n_trials,
            "cv": {
                name: {**scores, **judged[name].to_json()}
                for name, scores in summary.cross_validation.items()
            },
            "early": summary.dynamic_stopping,
            "choice": summary.choice,
            "population": summary.population,
            "fit_s": calibration.fit_seconds,
            "out": str(self.decoder),
        }

    def _echo(
        self, calibration: Calibration, forehead: ForeheadCheck | None, told: dict[str, object]
    ) -> None:
        from sjepa_online.evaluation.significance import JSON_NAMES
        from sjepa_online.training import N_FOLDS

        summary = calibration.decoder.calibration
        for name, score in _judge(calibration).items():
            others = dict(summary.cross_validation[name])
            del others[JSON_NAMES[score.name]]
            beside = f"; {_values(others)}" if others else ""
            echo(f"{name}: {score}, {N_FOLDS}-fold cross-validation{beside}")
        if forehead is not None and not forehead.explains:
            echo(f"For comparison: {forehead}")
        if summary.dynamic_stopping:
            speller = calibration.trials.protocol.speller is not None
            subject = "symbols" if speller else "dynamic stopping"
            echo(f"{subject}: {_values(summary.dynamic_stopping)}")
        if chosen := _without_notes(summary.choice, calibration.decoder.classifier.notes):
            echo(f"Chosen: {chosen}")
        echo(f"{summary.population[:1].upper()}{summary.population[1:]}")
        echo(f"Saved {self.decoder}")
        if self.report is not None:
            echo(f"Report: {self.report}")
        if "folder" in told:
            echo(f"Session: {told['folder']}")
            if told["more_trials_help"]:
                echo(
                    f"More trials would help: --resume {told['folder']} --overwrite, and a "
                    "larger number of --trials"
                )


def _without_notes(choice: str, notes: Sequence[str]) -> str:
    """Return the reason of a choice without what is told as warnings."""
    parts = choice.split("; ")
    noted = {part for note in notes for part in note.split("; ")}
    return "; ".join(part for part in parts if part not in noted)


def _tell_complaints(calibration: Calibration) -> None:
    """Name the channels that look bad: they are part of the decoder until they are marked."""
    from sjepa_online.evaluation.report import measure_channels

    trials = calibration.trials
    for channel in measure_channels(trials.X, trials.ch_names, ()):
        if channel.complaint:
            say(
                f"{channel.complaint}: if it is a bad electrode, mark it as bad in a .fif file or "
                "in the channels.tsv of a BIDS data set (`export` makes one)"
            )


def _judge(calibration: Calibration) -> dict[str, Score]:
    """Judge the cross-validated score of the decoder and of its candidates."""
    from sjepa_online.evaluation.significance import judge_summary

    trials = calibration.trials
    return {
        name: judge_summary(scores, trials.protocol, trials.y, trials.protocol.class_names)
        for name, scores in calibration.decoder.calibration.cross_validation.items()
    }


def _warn_at_chance(calibration: Calibration) -> None:
    """Say that a decoder is at chance before it is saved, and what to look at."""
    warning = _judge(calibration)[calibration.decoder.name].warning()
    if warning:
        say(f"Warning: {calibration.decoder.name} is {warning}")


def _values(scores: dict[str, float]) -> str:
    return ", ".join(f"{key} {value:.3f}" for key, value in scores.items())
