"""Choosing a stream and a decoder."""
