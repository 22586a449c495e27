"""The calibration report: one HTML page that says how good a calibration is, and what to do."""

from sjepa_online.evaluation.report.content import ReportContent, collect
from sjepa_online.evaluation.report.page import render

__all__ = ["ReportContent", "collect", "render"]
