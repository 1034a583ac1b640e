"""AutoGluon-Multimodal 1.6.3 as an engine, with safeguards against its silent fallbacks."""
