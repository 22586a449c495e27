"""The calibration session as a window, for its operator.

The steps are those of :class:`~sjepa_apps.session.controller.CalibrationSession`; the participant
sees the stimulus window, on a display that the operator chooses.
"""

from sjepa_apps.session.window.setup import (
    SessionOutcome,
    SessionSetup,
    TrainingResult,
    run_session_window,
)

__all__ = ["SessionOutcome", "SessionSetup", "TrainingResult", "run_session_window"]
