"""The calibration report: one HTML page that says how good a calibration is, and what to do."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sjepa_online.lazy import lazy_attributes

if TYPE_CHECKING:
    from sjepa_online.evaluation.report.advice import Advice, advise, more_trials_help
    from sjepa_online.evaluation.report.channels import measure_channels
    from sjepa_online.evaluation.report.content import ReportContent, collect
    from sjepa_online.evaluation.report.page import render
    from sjepa_online.evaluation.report.writing import write_report

__all__ = [
    "Advice",
    "ReportContent",
    "advise",
    "collect",
    "measure_channels",
    "more_trials_help",
    "render",
    "write_report",
]

_HOMES = {
    "Advice": "advice",
    "ReportContent": "content",
    "advise": "advice",
    "collect": "content",
    "measure_channels": "channels",
    "more_trials_help": "advice",
    "render": "page",
    "write_report": "writing",
}

__getattr__ = lazy_attributes(__name__, _HOMES)
