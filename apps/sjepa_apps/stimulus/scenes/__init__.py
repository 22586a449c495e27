"""What the participant sees in each paradigm."""
