"""Chemical elements: their symbols, and their names in the columns of user tables."""
