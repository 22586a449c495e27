"""Delays, losses, load, and the log."""
