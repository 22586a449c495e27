"""The page of a running session: the participant's display, the signal, and the trials."""
