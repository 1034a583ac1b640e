"""Numbers that describe a crystal: statistics of its composition, lattice, symmetry, neighbours of atoms."""
