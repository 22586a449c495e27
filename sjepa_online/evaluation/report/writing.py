"""The report as a file."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from pathlib import Path

from sjepa_online.data import Recording
from sjepa_online.evaluation.report.content import ReportContent, collect
from sjepa_online.evaluation.report.page import render
from sjepa_online.files import atomic_write
from sjepa_online.training import Calibration


def write_report(
    path: Path,
    calibration: Calibration,
    recordings: Sequence[Recording],
    facts: Mapping[str, str] | None = None,
) -> ReportContent:
    """Write the calibration report as one HTML page.

    Parameters
    ----------
    path : Path
        The page to write.
    calibration : Calibration
    recordings : sequence of Recording
        What it was made from.
    facts : mapping of str to str, optional
        What is known of the session: participant, amplifier, display and the like.

    Returns
    -------
    ReportContent
        What the page tells.
    """
    content = collect(calibration, recordings, facts)
    atomic_write(path, render(content, datetime.now()).encode())
    return content
