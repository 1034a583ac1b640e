"""From an entry to its facets: each target runs the code of all stages that a material passes."""

import json
import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from fuzz.campaign import refused
from fuzz.mutation import mutated_value
from fuzz.odd_crystals import odd_crystal
from handmade import entry, structures
from pymatgen.core import Structure

from polyfacet.facets.graph.crystal_graph import GRAPHS, build_graphs, read_graphs
from polyfacet.facets.graph.local_graph import local_graph
from polyfacet.facets.image.drawable import SceneError
from polyfacet.facets.image.scene import crystal_scene
from polyfacet.facets.image.settings import RenderSettings
from polyfacet.facets.text.compact_cif import CompactCifError, compact_cif
from polyfacet.facets.text.composition import VARIANTS, composition_text
from polyfacet.materials.cell_size import check_cell_size
from polyfacet.materials.cif import read_cif, write_cif
from polyfacet.materials.crystal import read_crystal
from polyfacet.materials.material import Material
from polyfacet.runtime.parquet import write_table
from polyfacet.sources.alexandria.material import material_from_entry
from polyfacet.sources.values import InvalidEntryError

SEEDS = list(structures().values())
VIEWS = ["z", "a", "oblique"]
DRAWINGS = [RenderSettings(views=VIEWS, cell=cell) for cell in ("given", "primitive", "conventional")]


def hostile_geometry(rng: random.Random) -> Any:
    """Draw an entry with wrong values only in its structure."""
    hostile = entry("hostile", rng.choice(SEEDS))
    hostile["structure"] = mutated_value(hostile["structure"], rng, rng.randrange(1, 3))
    return hostile


def hostile_crystal(rng: random.Random) -> Any:
    """Draw an entry with valid values and an odd crystal; occasionally with wrong values."""
    if rng.random() < 0.1:
        return hostile_geometry(rng)
    crystal = odd_crystal(rng.choice(SEEDS), rng, rng.randrange(1, 4))
    return entry("odd", crystal, formula=crystal.composition.formula.replace(" ", ""))


def write_structure(value: Any, folder: Path) -> str | None:
    """Write the CIF of an entry that passes its check, as the stage for structures does."""
    return _along(value, folder, lambda material, cif: None)


def build_graph(value: Any, folder: Path) -> str | None:
    """Build the graph of an entry as the stage for graphs does; it must be finite and read back unchanged."""
    return _along(value, folder, _graph)


def write_texts(value: Any, folder: Path) -> str | None:
    """Write the texts of an entry's composition and structure as their stages do."""
    return _along(value, folder, _texts)


def hostile_picture(rng: random.Random) -> tuple[Any, RenderSettings]:
    """Draw an entry and render settings at random."""
    return hostile_crystal(rng), rng.choice(DRAWINGS)


def make_scene(picture: tuple[Any, RenderSettings], folder: Path) -> str | None:
    """Build the scenes of an entry as the stage for pictures does before it draws them."""
    value, settings = picture

    def scene(material: Material, cif: Path) -> str | None:
        try:
            made = crystal_scene(read_cif(cif), settings)
        except SceneError as error:
            return refused("no scene", error)
        assert set(made.views) == set(settings.views)
        for view in made.views.values():
            view.encode("utf-8")
        return None

    return _along(value, folder, scene)


def _along(value: Any, folder: Path, last: Callable[[Material, Path], str | None]) -> str | None:
    """Convert an entry to its CIF, then apply the last step."""
    try:
        material = material_from_entry(value)
    except InvalidEntryError as error:
        return refused("invalid entry", error)
    cif = folder / "structure.cif"
    try:
        write_cif(Structure.from_dict(json.loads(material.structure)), cif)
    except ValueError as error:
        return refused("no structure", error)
    return last(material, cif)


def _graph(material: Material, cif: Path) -> str | None:
    try:
        crystal = read_crystal(cif, primitive=True)
        check_cell_size(len(crystal), 50, "graphs")
    except ValueError as error:
        return refused("no crystal", error)
    (graph,) = build_graphs({material.mat_id: crystal}, pauli="coded", neighbours=16, min_radius=0.0)
    assert np.isfinite(graph.pair_potentials).all()
    for local in (graph.local, local_graph(crystal, across_vacuum=False)):
        assert np.isfinite(local.distance).all()
        assert (local.distance > 0).all()
    table = cif.parent / "graphs" / "shard.parquet"
    write_table(table, [graph.row()], GRAPHS)
    assert read_graphs([table])[0].digest() == graph.digest()
    return None


def _texts(material: Material, cif: Path) -> str | None:
    for variant in VARIANTS:
        text = composition_text(material.formula, variant)
        assert text.isprintable()
        assert text
    try:
        text = compact_cif(read_cif(cif))
    except CompactCifError as error:
        return refused("no compact CIF", error)
    assert "nan" not in text
    cif.write_text(text, encoding="utf-8")
    return None
