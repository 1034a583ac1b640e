"""Encoders of texts and pictures: made here, from the hub, or the user's own."""
