"""The calibration report: one HTML page that says how good a calibration is, and what to do."""

from sjepa_online.evaluation.report.advice import Advice, advise, more_trials_help
from sjepa_online.evaluation.report.content import ReportContent, collect
from sjepa_online.evaluation.report.page import render
from sjepa_online.evaluation.report.writing import write_report

__all__ = [
    "Advice",
    "ReportContent",
    "advise",
    "collect",
    "more_trials_help",
    "render",
    "write_report",
]
