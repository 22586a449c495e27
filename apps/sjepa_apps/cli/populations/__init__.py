"""The command ``population``: files from which the calibrations of other people start."""
