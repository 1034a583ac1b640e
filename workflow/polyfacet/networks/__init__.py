"""Training of networks, independent of what they learn."""
