"""The decoding process and what the window exchanges with it."""
