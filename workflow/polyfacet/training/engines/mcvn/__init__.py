"""MCVN, the Material Composition Visualization Network (Yu, Wu and Qian), as an engine."""
