"""MCVN, the Materials Composition Visualization Network (Yu, Wu and Qian), as an engine."""
