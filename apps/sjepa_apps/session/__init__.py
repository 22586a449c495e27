"""The calibration session without a window: from a stream to a decoder."""

#: The file that makes a folder that of a session.
STATE = "session.json"
