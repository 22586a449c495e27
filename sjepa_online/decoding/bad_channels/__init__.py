"""Decoding without bad channels: interpolation, and channel dropout in training."""
