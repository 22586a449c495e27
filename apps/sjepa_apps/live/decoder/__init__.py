"""Probabilities and decisions."""
