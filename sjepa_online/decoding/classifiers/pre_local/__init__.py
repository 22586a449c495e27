"""The paper's pre-local head as a decoder that learns from few trials."""
