"""The calibration report: one HTML page that says how good a calibration is, and what to do."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
