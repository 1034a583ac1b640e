"""Sources of materials."""
