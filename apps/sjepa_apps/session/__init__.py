"""The calibration session without a window: from a stream to a decoder."""
