"""The commands on amplifiers, streams and recordings."""
