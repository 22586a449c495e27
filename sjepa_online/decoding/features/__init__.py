"""What classifiers read of epochs: covariances, spectra, tangent vectors, spatial filters."""
