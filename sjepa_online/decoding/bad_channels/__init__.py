"""Decoding without bad channels: interpolation, and copies without channels in training."""
