"""What other people's recordings give a new person."""
