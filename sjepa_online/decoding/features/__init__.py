"""Features of epochs: covariances, spectra, tangent vectors, spatial filters."""
