"""Cells that look at a facet through an untrained encoder."""

from grid_cells import card_of

from polyfacet.evaluation.controls import untrained_facets
from polyfacet.training.cards import BlendedCell

PLACE = ("crystals", "formula", 0)


def card(method: str, engine: str, combination: str, repeat: int = 0, blended: tuple[BlendedCell, ...] = ()):
    own = {"source": PLACE[0], "split": PLACE[1], "repeat": repeat, "method": method}
    return card_of(**own, engine=engine, combination=combination, blended=blended)


def test_cells_name_the_untrained_encoders_that_they_read():
    cards = [
        card("ridge", "classical", "image"),
        card("ridge", "classical", "graph+compimage"),
        card("ridge", "classical", "text+image+graph"),
        card("ridge", "classical", "compimage"),
        card("ridge", "classical", "image", repeat=1),
        # Trains an encoder of its own.
        card("automm", "automm", "image"),
        card("mean", "dummy", "none"),
        card("joint", "joint", "image").model_copy(update={"settings": {"pictures": "network"}}),
        card("encoded", "joint", "image").model_copy(update={"settings": {"pictures": "encoding"}}),
    ]
    found = untrained_facets(cards, {PLACE: {"image", "graph"}})
    assert found == [["image"], ["graph"], ["graph", "image"], [], [], [], [], [], ["image"]]
    assert untrained_facets(cards, {}) == [[]] * len(cards)


def test_blends_see_what_they_average():
    weights = tuple(BlendedCell(method=name, combination="image", weight=0.5) for name in ("ridge", "automm"))
    cards = [
        card("average", "blend", "image", blended=weights),
        card("ridge", "classical", "image"),
        card("automm", "automm", "image"),
        card("average", "blend", "image", repeat=1, blended=weights[1:]),
        card("automm", "automm", "image", repeat=1),
    ]
    untrained = {("crystals", "formula", repeat): {"image"} for repeat in (0, 1)}
    assert untrained_facets(cards, untrained) == [["image"], ["image"], [], [], []]
