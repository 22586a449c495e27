"""What goes on in the head: spectra, responses and rhythms of the signal that is shown."""
