"""Make all cells of a blend on a split from the finished cells of its members."""

from collections.abc import Mapping, Sequence
from functools import lru_cache
from pathlib import Path
from typing import Annotated, Any

from polyfacet.facets.registry import TEXT, facets_of
from polyfacet.materials.objectives import Objective
from polyfacet.runtime.arguments import Key
from polyfacet.runtime.files import atomic_path
from polyfacet.runtime.parquet import read_by_material, write_table
from polyfacet.runtime.progress import track
from polyfacet.splits.parts import SPLIT
from polyfacet.training.blending import FinishedPart, blend
from polyfacet.training.cards import CARD_FILE, write_card
from polyfacet.training.cells import PREDICTIONS, Cell, Place
from polyfacet.training.engines.base import Resources
from polyfacet.training.engines.blend.engine import Blend
from polyfacet.training.engines.blend.parts import Part
from polyfacet.training.engines.creation import create


def main(
    split: Path,
    cells: Path,
    *,
    members: str,
    place: Mapping[str, Any],
    grid: Sequence[Mapping[str, Any]],
    engine: str,
    settings: Mapping[str, Any],
    seed: Annotated[int, Key("seed")],
    text: Annotated[str, Key("composition.text")] = "composition",
    code: str | None = None,
    keep_models: bool = True,
) -> None:
    """Make the cells.

    Parameters
    ----------
    split
        Table of the parts and groups of the source's materials.
    cells
        Output: folder of the cells.
    members
        Folder with a folder of cells for each member.
    place
        Fields of `polyfacet.training.cells.Place`.
    grid
        ``combination``, ``objective`` (fields of `polyfacet.materials.objectives.Objective`) and ``folder``
        (in ``cells``) of each cell.
    engine, settings
        Name of the engine and its settings, with resolved members.
    seed
        Seed of the run; each repeat has its own.
    text
        Variant of the text facet (see `polyfacet.facets.text.variants`).
    code
        Digest of this script and of the engine, from the rule, for the cards.
    keep_models
        Whether models are kept: hard links to those of the members.
    """
    here = Place(**{**place, "repeat": int(place["repeat"])})
    own_seed = seed + here.repeat
    groups = read_by_material(split, SPLIT, "group")

    blended = _blend(engine, settings, Resources(own_seed))

    # A cell of a member is a part of several cells with the same objective.
    @lru_cache(maxsize=sum(len(member.combinations) for member in blended.members))
    def read(part: Part, objective: str) -> FinishedPart:
        return FinishedPart.read(part, Path(members) / part.method / part.combination / objective)

    todo = sorted(grid, key=lambda each: str(each["objective"]["column"]))
    with atomic_path(cells) as folder:
        for each in track(todo, f"{here.method}, {here.source}, cells", len(todo)):
            objective, facets = Objective.from_fields(each["objective"]), facets_of(each["combination"])
            cell = Cell(here, facets, objective, engine, own_seed, forms={TEXT.name: text})
            home = folder / each["folder"]
            home.mkdir(parents=True)
            parts = [read(part, objective.column) for part in blended.parts(facets)]
            model = home / "model" if keep_models else None
            predictions, card = blend(cell, blended, parts, groups, model, code)
            write_table(home / "predictions.parquet", predictions, PREDICTIONS)
            write_card(home / CARD_FILE, card)


def _blend(name: str, settings: Mapping[str, Any], resources: Resources) -> Blend:
    engine = create(name, settings, resources)
    if not isinstance(engine, Blend):
        raise TypeError(f"the engine {name!r} declares `blends` but is not a Blend")
    return engine


if __name__ == "__main__":
    from polyfacet.config.entry_point import run

    run(main, globals().get("snakemake"))
