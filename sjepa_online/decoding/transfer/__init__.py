"""Decoders that other people's recordings taught, and what fits them to a new person."""
