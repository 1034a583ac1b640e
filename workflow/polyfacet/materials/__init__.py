"""What a material is: its formula, its properties, its structure, and the limits of each."""
