"""Decisions against the truth, trial by trial."""
