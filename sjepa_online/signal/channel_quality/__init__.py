"""Which channels are bad, and why."""
