"""The composition image facet: statistics of element properties over a composition, drawn as a picture."""
