"""Signal path: montage, units, causal preprocessing, ring buffer, windows."""
