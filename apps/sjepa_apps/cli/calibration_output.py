"""What ``sjepa-online calibrate`` writes and tells."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from sjepa_apps.cli.common import check_out, print_json, say

if TYPE_CHECKING:
    from sjepa_online.data import Recording
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
    ) -> None:
        """Save what a calibration gave, and tell it.

        Parameters
        ----------
        calibration : Calibration
        recordings : sequence of Recording
            What it was made from.
        session : mapping
            What else is told of the session that recorded them; empty without one.
        """
        for reason in calibration.trials.dropped:
            say(f"left out: {reason}")
        _tell_complaints(calibration)
        calibration.decoder.save(self.decoder)
        told = dict(session)
        if self.report is not None:
            from sjepa_online.evaluation.report import more_trials_help, write_report

            say("Writing the report")
            content = write_report(self.report, calibration, recordings)
            told |= {"report": str(self.report), "more_trials_help": more_trials_help(content)}
        self.tell(calibration, told)

    def tell(self, calibration: Calibration, told: dict[str, object]) -> None:
        """Tell what a calibration gave, and ``told``."""
        if self.json:
            print_json(self._document(calibration) | told)
        else:
            self._echo(calibration, told)

    def _document(self, calibration: Calibration) -> dict[str, object]:
        summary = calibration.decoder.calibration
        return {
            "paradigm": calibration.trials.protocol.name,
            "decoder": calibration.decoder.name,
            "classes": list(calibration.decoder.classes),
            "n_trials": summary.n_trials,
            "cv": _judged(calibration),
            "early": summary.early,
            "choice": summary.choice,
            "population": summary.population,
            "fit_s": calibration.fit_seconds,
            "out": str(self.decoder),
        }

    def _echo(self, calibration: Calibration, told: dict[str, object]) -> None:
        from sjepa_online.training import N_FOLDS

        summary = calibration.decoder.calibration
        n_trials = f"{N_FOLDS}-fold cross-validation, {summary.n_trials} trials"
        for name, scores in summary.cross_validation.items():
            typer.echo(f"{name}: {_values(scores)} ({n_trials})")
        if summary.early:
            speller = calibration.trials.protocol.speller is not None
            typer.echo(f"{'symbols' if speller else 'deciding early'}: {_values(summary.early)}")
        if summary.choice:
            typer.echo(f"Chosen: {summary.choice}")
        typer.echo(f"{summary.population[:1].upper()}{summary.population[1:]}")
        typer.echo(f"Saved {self.decoder}")
        if self.report is not None:
            typer.echo(f"Report: {self.report}")
        if "folder" in told:
            typer.echo(f"Session: {told['folder']}")
            if told["more_trials_help"]:
                typer.echo(
                    f"More trials would help: --resume {told['folder']} --overwrite, and a "
                    "larger number of --trials"
                )


def _judged(calibration: Calibration) -> dict[str, dict[str, object]]:
    """Return the scores of cross-validation, and beside each what chance gives."""
    from sjepa_online.evaluation.significance import judge

    trials, summary = calibration.trials, calibration.decoder.calibration
    score = judge(trials.protocol, calibration.out_of_fold, trials.y)
    beside = {"chance": score.chance, "chance_threshold": score.threshold, "n": len(trials.y)}
    told: dict[str, dict[str, object]] = {
        name: {**scores, **beside} for name, scores in summary.cross_validation.items()
    }
    told[calibration.decoder.name]["interval"] = [score.low, score.high]
    return told


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


def _values(scores: dict[str, float]) -> str:
    return ", ".join(f"{key} {value:.3f}" for key, value in scores.items())
