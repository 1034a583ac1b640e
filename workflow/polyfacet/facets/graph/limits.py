"""What the training of the embedding needs, without the packages that train it."""

# Materials with a graph in the training part, some of which choose the epoch.
MIN_MATERIALS = 10
