"""Evaluations of bad channels: scores while channels are corrupted, and of the monitor."""
