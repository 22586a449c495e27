"""Measures: scores, corruption, latency."""
