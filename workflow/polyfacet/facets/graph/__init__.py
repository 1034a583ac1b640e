"""The graph facet: lattice sums and local graph of a crystal, and the PotNet embedding computed from them.

Source: Lin, Yan, Luo, Liu, Qian and Ji 2023, "Efficient approximations of complete interatomic potentials for
crystal property prediction", arXiv:2306.10045.
"""
