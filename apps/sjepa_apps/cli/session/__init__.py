"""Commands with a participant: ``calibrate``, also from recordings, and ``feedback``."""
