"""What the live window and the session window share."""
