"""The level of prediction intervals and prediction sets."""

# Share of new materials whose true value is inside the interval, or whose class is in the set.
LEVEL = 0.9
