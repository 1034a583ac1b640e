"""What is done to rows: facets are hidden, get noise, or are those of other rows."""

from dataclasses import replace

import numpy as np
import torch
from benchmarks.joint.materials import Mask
from benchmarks.joint.networks import Array, Predictions

from polyfacet.training.engines.joint.tokens import Tokens


def hidden_facets(n_rows: int, n_facets: int, share: float, random: np.random.Generator) -> Mask:
    """Draw which facets of which rows are hidden: an exact share of all, but never all of a row.

    Each row keeps one facet, drawn at random; the hidden ones are drawn from the rest.

    Parameters
    ----------
    n_rows, n_facets
        Shape of the result.
    share
        Share of all facets of all rows, at most ``1 - 1 / n_facets``.
    random
        Random numbers.
    """
    free = np.ones((n_rows, n_facets), dtype=bool)
    free[np.arange(n_rows), random.integers(n_facets, size=n_rows)] = False
    chosen = random.permutation(np.flatnonzero(free))[: round(share * free.size)]
    hidden = np.zeros(free.size, dtype=bool)
    hidden[chosen] = True
    return hidden.reshape(free.shape)


def predicted_from_the_rest(predictions: Predictions, names: list[str], hidden: Mask) -> Array:
    """Return for each row the prediction from the facets that are not hidden."""
    subsets = ["+".join(name for name, hides in zip(names, row, strict=True) if not hides) for row in hidden]
    return np.stack([predictions[subset][row] for row, subset in enumerate(subsets)])


def with_noise(tokens: Tokens, facet: int, sigma: float, seed: int) -> Tokens:
    """Add normal noise to a facet's tokens, in standard deviations of each of their numbers over rows."""
    own = tokens.facets == facet
    values = tokens.values.clone()
    theirs = values[:, own]
    # Of padding, which is no token of the row, nothing matters.
    shown = (tokens.shares[:, own] > 0)[..., None]
    n_shown = shown.sum(dim=(0, 1)).clamp_min(1)
    mean = (theirs * shown).sum(dim=(0, 1)) / n_shown
    std = (((theirs - mean) ** 2 * shown).sum(dim=(0, 1)) / n_shown).sqrt()
    noise = torch.randn(theirs.shape, generator=torch.Generator().manual_seed(seed))
    values[:, own] = theirs + sigma * std * noise
    return replace(tokens, values=values)


def swapped(tokens: Tokens, facet: int, seed: int) -> Tokens:
    """Replace the tokens of a facet by those of another row."""
    n_rows = len(tokens.values)
    order = np.random.default_rng(seed).permutation(n_rows)
    # The next row of a random circle: never the row itself.
    partner = torch.from_numpy(order[(np.argsort(order) + 1) % n_rows])
    own = tokens.facets == facet
    values, shares = tokens.values.clone(), tokens.shares.clone()
    values[:, own], shares[:, own] = tokens.values[partner][:, own], tokens.shares[partner][:, own]
    return replace(tokens, values=values, shares=shares)
