"""The map of the head."""
