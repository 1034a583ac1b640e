"""Cells that look at a facet through an untrained encoder: controls, which no test may choose."""

from collections.abc import Collection, Mapping, Sequence

from polyfacet.facets.declaration import Facet
from polyfacet.facets.registry import facets_of
from polyfacet.training.cards import Card
from polyfacet.training.cells import NO_FACET
from polyfacet.training.engines.registry import reads_encoding

# Source, split and repeat to the names of the facets whose network or encoder is untrained there.
Untrained = Mapping[tuple[str, str, int], Collection[str]]


def untrained_facets(cards: Sequence[Card], untrained: Untrained) -> list[list[str]]:
    """Return the facets that each cell sees through an untrained encoder, in the order of the cards.

    Parameters
    ----------
    cards
        Cards of all cells of a run; a blend sees what the cells that it averages see.
    untrained
        Facets whose network or encoding is untrained.
    """
    own = {_key(card, card.method, card.combination): _own(card, untrained) for card in cards}
    found = []
    for card in cards:
        seen = own[_key(card, card.method, card.combination)].union(
            *(own.get(_key(card, each.method, each.combination), set()) for each in card.blended)
        )
        found.append(sorted(seen))
    return found


def _key(card: Card, method: str, combination: str) -> tuple[str, str, int, str, str, str]:
    return card.source, card.split, card.repeat, card.objective, method, combination


def _own(card: Card, untrained: Untrained) -> set[str]:
    """Return the untrained facets that a cell reads itself."""
    names = untrained.get((card.source, card.split, card.repeat), ())
    facets = () if card.combination == NO_FACET else facets_of(card.combination)
    return {facet.name for facet in facets if facet.name in names and _is_read(facet, card)}


def _is_read(facet: Facet, card: Card) -> bool:
    """Return whether a cell reads what the encoder makes: others train encoders of their own."""
    return facet.is_numeric or reads_encoding(facet, card.engine, card.settings)
