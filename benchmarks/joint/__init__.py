"""Experiments on the joint network: fusions, dedicated networks, missing facets, noise, shares of facets."""
