"""Experiments on contrastive pretraining of the joint network."""
