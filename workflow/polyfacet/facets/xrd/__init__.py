"""The powder pattern of a crystal: intensities of diffracted X-rays."""
