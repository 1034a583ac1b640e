"""Materials: formulas, properties and structures, and the limits of each."""
