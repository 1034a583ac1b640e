"""Training and test parts."""
