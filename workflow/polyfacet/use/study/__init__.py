"""A run whose scores are kept as a document, repeat by repeat."""
