"""Notes for readers of contributions: sets of facets without values, and where the reduction starts."""

import pandas as pd

from polyfacet.reporting.naming import facets_text

FROM_ONE = (
    " In repeats in which no method without facets, such as mean, has a loss, the reduction starts from a "
    "loss of 1 (for numbers, that of always predicting the mean of the test values)."
)


def contribution_notes(rows: pd.DataFrame) -> str:
    """Write notes on rows of `polyfacet.evaluation.contributions`, after a blank; empty if there are none."""
    unused = dict.fromkeys(name for names in rows["unused"] for name in names)
    said = ""
    if unused:
        named = "; ".join(map(facets_text, unused))
        said += f" Not shown: values over {named}, of which all subsets were trained, too."
    return said + FROM_ONE * bool(rows["n_from_one"].any())
