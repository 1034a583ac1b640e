"""AutoGluon-Multimodal 1.6.3 as an engine, and what keeps its surprises out."""
