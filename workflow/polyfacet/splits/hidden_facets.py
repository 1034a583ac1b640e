"""Facets that are hidden at random, to measure what methods lose where facets are missing."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from polyfacet.runtime.identifiers import stable_hash

# Hashes are below this.
MAX_HASH = 2**64


@dataclass(frozen=True)
class HiddenFacets:
    """Which facets of which materials are hidden; the same for all methods and repeats.

    A facet of a material is hidden if its hash is among the lowest of all possible ones, so that a larger
    share hides what a smaller one hides, and more.

    Attributes
    ----------
    share
        Probability with which a facet of a material is hidden.
    parts
        Parts of the split in which facets are hidden.
    facets
        Names of the facets that may be hidden, without forms: all forms of a facet are hidden together.
    seed
        Seed of the hashes.
    keeps_one
        Whether the facet with the highest hash is kept where all of them would be hidden.
    """

    share: float
    parts: tuple[str, ...]
    facets: tuple[str, ...]
    seed: int
    keeps_one: bool

    @classmethod
    def from_settings(cls, settings: Mapping[str, Any] | None) -> Self | None:
        """Read the fields as a job gets them, with lists; None if nothing is hidden."""
        if not settings:
            return None
        lists = {"parts": tuple(settings["parts"]), "facets": tuple(settings["facets"])}
        return cls(**{**settings, **lists})

    def hides(self, facet: str, mat_ids: Sequence[str], parts: Sequence[str]) -> NDArray[np.bool_]:
        """Return whether a facet of each material is hidden, shape (materials,).

        Parameters
        ----------
        facet
            Name of the facet without its form.
        mat_ids, parts
            Identifier and part of each material.
        """
        if facet not in self.facets:
            return np.zeros(len(mat_ids), dtype=bool)
        return np.array(
            [
                part in self.parts and self._is_hidden(facet, mat_id)
                for mat_id, part in zip(mat_ids, parts, strict=True)
            ],
            dtype=bool,
        )

    def shown(self, parts: pd.Series, facet: str) -> pd.Series:
        """Return the materials that show a facet.

        Parameters
        ----------
        parts
            Part of each material, with identifiers as the index.
        facet
            Name of the facet without its form.

        Returns
        -------
        pandas.Series
            Whether each of them shows it, with the same index.
        """
        return pd.Series(~self.hides(facet, list(parts.index), list(parts)), parts.index)

    def _is_hidden(self, facet: str, mat_id: str) -> bool:
        draws = {each: self._draw(each, mat_id) for each in self.facets}
        is_last = self.keeps_one and facet == max(draws, key=draws.__getitem__)
        return draws[facet] < self.share and not is_last

    def _draw(self, facet: str, mat_id: str) -> float:
        return stable_hash("hidden", self.seed, mat_id, facet) / MAX_HASH
