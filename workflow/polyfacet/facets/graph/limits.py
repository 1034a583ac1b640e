"""Requirements for training the embedding, importable without the packages that train it."""

# Number of training materials with a graph; some of them are held out to choose the epoch.
MIN_MATERIALS = 10
