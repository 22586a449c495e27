"""The calibration session as a window, for its operator.

The steps are those of :class:`~sjepa_apps.session.controller.CalibrationSession`; the participant
sees the stimulus window, on a display that the operator chooses.
"""
