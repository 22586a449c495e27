from .calibration import Calibration, calibrate
from .cross_validation import N_FOLDS

__all__ = ["N_FOLDS", "Calibration", "calibrate"]
