from .advice import Advice, advise, more_trials_help
from .channels import measure_channels
from .content import ReportContent, collect
from .page import render
from .writing import write_report

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
