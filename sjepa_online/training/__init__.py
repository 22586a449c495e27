"""Calibration, cross-validation, and pretraining."""

from sjepa_online.training.calibration import Calibration, calibrate
from sjepa_online.training.cross_validation import N_FOLDS

__all__ = ["N_FOLDS", "Calibration", "calibrate"]
