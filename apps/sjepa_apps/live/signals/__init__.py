"""The traces."""
