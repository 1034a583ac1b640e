"""Contrastive pretraining of the joint network: what facets have in common, without labels."""
