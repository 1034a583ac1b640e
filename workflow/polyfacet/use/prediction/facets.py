"""Facets of new materials, made by the same functions as those of a run's materials."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass, field
from functools import cache, cached_property, partial
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import torch

from polyfacet.facets.aligned import tables_by_facet, with_crystal_graphs, with_facets
from polyfacet.facets.compimage.drawing import arranged_pixels, write_images
from polyfacet.facets.compimage.element_table import read_elements
from polyfacet.facets.compimage.grey_levels import GreyLevels
from polyfacet.facets.compimage.statistics_of_formulas import statistics_of_formulas
from polyfacet.facets.compimage.statistics_table import (
    COMPOSITION_STATISTICS,
    SHAPE,
    STATISTICS_COLUMN,
    with_statistics,
)
from polyfacet.facets.declaration import Facet
from polyfacet.facets.graph.crystal_graph import GRAPHS, CrystalGraph
from polyfacet.facets.graph.embedding import embed, load_network
from polyfacet.facets.graph.making import graphs_of_files
from polyfacet.facets.graph.network import PotNet
from polyfacet.facets.image.pictures import render_structures
from polyfacet.facets.image.settings import RenderSettings
from polyfacet.facets.image.studio import open_studio
from polyfacet.facets.making import check_lengths, make_rows
from polyfacet.facets.registry import COMPIMAGE, GRAPH, IMAGE, TEXT, facet_named
from polyfacet.facets.text.from_formulas import texts_of_formulas
from polyfacet.facets.text.from_structures import texts_of_structures
from polyfacet.facets.text.variants import STRUCTURE_TEXTS
from polyfacet.materials.cif import read_cif
from polyfacet.materials.structure_files import write_structures
from polyfacet.networks.threads import one_thread
from polyfacet.runtime.errors import UserError
from polyfacet.runtime.parquet import write_table
from polyfacet.runtime.progress import track
from polyfacet.runtime.rejects import Reject
from polyfacet.training.bundles.description import (
    ELEMENT_TABLE,
    GREY_LEVELS,
    NETWORK,
    BundledFacet,
    FacetSettings,
)
from polyfacet.training.seen_rows import have_facets
from polyfacet.use.prediction.encodings import with_new_encodings
from polyfacet.use.prediction.tables import NEW_MATERIALS

# Materials of one task of a worker process.
CHUNK = 50
STRUCTURES, STATISTICS, CRYSTAL_GRAPHS = "structures", STATISTICS_COLUMN, "crystal graphs"

Rows = list[dict[str, Any]]


@dataclass(frozen=True)
class Recipe:
    """What facets are made of, for worker processes.

    Attributes
    ----------
    fitted
        Absolute paths of the fitted files, by name.
    missing
        Whether materials may lack some of the facets.
    needs_graphs
        Whether rows have their crystal graphs, and not only the vectors.
    """

    facets: tuple[BundledFacet, ...]
    settings: FacetSettings
    fitted: Mapping[str, Path]
    needs_statistics: bool
    missing: bool = False
    needs_graphs: bool = False

    @property
    def named(self) -> list[Facet]:
        """The facets, as declared."""
        return [facet_named(facet.name) for facet in self.facets]

    @property
    def needs_structure(self) -> bool:
        """Whether a facet is made from the structure."""
        return any(facet.needs_structure for facet in self.facets)


@dataclass
class Made:
    """Rows of the facets' tables, by facet, and the materials that lack one."""

    rows: dict[str, Rows] = field(default_factory=dict)
    rejects: list[Reject] = field(default_factory=list)

    def add(self, name: str, rows: Sequence[Mapping[str, Any]], rejects: Sequence[Reject], what: str) -> None:
        """Add the rows and rejects of a facet; ``what`` begins the reasons."""
        self.rows.setdefault(name, []).extend(dict(row) for row in rows)
        self.rejects += [Reject(reject.mat_id, f"{what}: {reject.reason}") for reject in rejects]


def with_made_facets(
    materials: pd.DataFrame, recipe: Recipe, home: Path, threads: int = 1, browser: Path | None = None
) -> tuple[pd.DataFrame, list[Reject]]:
    """Make the facets of materials and align them as in a run.

    Parameters
    ----------
    materials
        Rows of `polyfacet.use.prediction.tables.NEW_MATERIALS`.
    recipe
        What the facets are made of.
    home
        Empty folder for files, which the rows refer to.
    threads
        Number of processor cores to use; facets do not depend on it.
    browser
        Path of the browser that draws pictures of structures; None to search for one.

    Returns
    -------
    pandas.DataFrame
        The materials that have the facets, in their order, with the columns that models receive, and the
        column ``facets``, which lists those that each has.
    list of Reject
        Facets that cannot be made; a material that lacks several is named several times.
    """
    made = Made()
    for facet in ("structures", *range(len(recipe.facets))):
        (home / str(facet)).mkdir()
    parts = [materials[start : start + CHUNK] for start in range(0, len(materials), CHUNK)]
    results = _made_of_parts(parts, recipe, home, threads)
    for part in track(results, "facets", len(parts)):
        for name, rows in part.rows.items():
            made.rows.setdefault(name, []).extend(rows)
        made.rejects += part.rejects
    _draw_structures(made, recipe, home, threads, browser)
    return _aligned(materials, made, recipe, home), made.rejects


def _made_of_parts(parts: Sequence[pd.DataFrame], recipe: Recipe, home: Path, threads: int) -> Iterator[Made]:
    """Make the facets of parts of the materials, in their order."""
    work = partial(_made_of_part, recipe=recipe, home=home)
    if threads == 1 or len(parts) <= 1:
        yield from map(work, parts)
        return
    # A forked process need not import PyTorch and pymatgen again, which takes longer than a hundred crystals.
    with ProcessPoolExecutor(min(threads, len(parts)), get_context("fork")) as pool:
        try:
            yield from pool.map(work, parts)
        except BrokenProcessPool as error:
            raise UserError(
                "a process that makes facets was killed, probably because memory ran out. Use fewer threads, "
                "or predict fewer materials at once."
            ) from error


def _made_of_part(materials: pd.DataFrame, recipe: Recipe, home: Path) -> Made:
    """Make all facets of some materials but pictures of structures, on one thread."""
    with one_thread():
        return _facets_of(materials, recipe, home)


def _facets_of(materials: pd.DataFrame, recipe: Recipe, home: Path) -> Made:
    """Make all facets of some materials but pictures of structures."""
    made = Made()
    formulas = dict(zip(materials["mat_id"], materials["formula"], strict=True))
    cifs: list[Path] = []
    if recipe.needs_structure:
        rows, rejects = write_structures(
            materials.to_dict("records"), home / STRUCTURES, recipe.settings.max_sites.structures
        )
        made.add(STRUCTURES, rows, rejects, "structure")
        cifs = [home / STRUCTURES / row["cif"] for row in rows]
    inputs = _Inputs(recipe, formulas, cifs)
    for number, facet in enumerate(recipe.facets):
        declared = facet_named(facet.name)
        maker = _made_by_function if declared.make else _MAKERS.get(declared.base)
        if maker:
            made.add(facet.name, *maker(inputs, facet, home / str(number)), facet.name)
    if recipe.needs_graphs:
        # The rejects are those of the vectors.
        made.add(CRYSTAL_GRAPHS, [graph.row() for graph in inputs.graphs[0]], [], CRYSTAL_GRAPHS)
    if recipe.needs_statistics:
        rows, _ = _statistics(inputs)
        # As in a run, materials without statistics are predicted with missing values.
        made.add(STATISTICS, rows, [], STATISTICS)
    return made


@dataclass(frozen=True)
class _Inputs:
    """What the facets of a part are made from: formulas by mat_id, and the files of structures."""

    recipe: Recipe
    formulas: Mapping[str, str]
    cifs: Sequence[Path]

    @cached_property
    def graphs(self) -> tuple[list[CrystalGraph], list[Reject]]:
        """Crystal graphs, and the materials without one."""
        graphs = self.recipe.settings.graphs
        settings = graphs.model_dump(include={"pauli", "neighbours", "min_radius", "across_vacuum"})
        return graphs_of_files(self.cifs, settings, self.recipe.settings.max_sites.graphs)


_Facet = tuple[Sequence[Mapping[str, Any]], Sequence[Reject]]


def _texts(inputs: _Inputs, facet: BundledFacet, _folder: Path) -> _Facet:
    if facet.form in STRUCTURE_TEXTS:
        return texts_of_structures(inputs.cifs, facet.form, inputs.recipe.settings.max_sites.texts)
    return texts_of_formulas(inputs.formulas, facet.form)


def _embeddings(inputs: _Inputs, _facet: BundledFacet, _folder: Path) -> _Facet:
    built, rejects = inputs.graphs
    network = _network(inputs.recipe.fitted[NETWORK])
    return [
        {"mat_id": mat_id, "embedding": values} for mat_id, values in embed(network, built, None)
    ], rejects


def _composition_images(inputs: _Inputs, _facet: BundledFacet, folder: Path) -> _Facet:
    composition = inputs.recipe.settings.composition
    rows, rejects = _statistics(inputs)
    if not rows:
        return [], rejects
    values = np.stack([row["statistics"] for row in rows]).reshape(-1, *SHAPE)
    pixels = arranged_pixels(
        [row["mat_id"] for row in rows],
        values,
        GreyLevels.load(inputs.recipe.fitted[GREY_LEVELS]),
        composition.layout,
    )
    return write_images(pixels.items(), folder, composition.scale), rejects


def _statistics(inputs: _Inputs) -> tuple[Rows, list[Reject]]:
    composition = inputs.recipe.settings.composition
    elements = _elements(inputs.recipe.fitted[ELEMENT_TABLE])
    return statistics_of_formulas(inputs.formulas, elements, composition.backend, composition.statistics)


def _made_by_function(inputs: _Inputs, facet: BundledFacet, folder: Path) -> _Facet:
    declared = facet_named(facet.name)
    pictures = folder if declared.kind == "image" else None
    if declared.needs == "structure":
        paths = {path.stem: path for path in inputs.cifs}
        return make_rows(declared, paths, lambda mat_id: read_cif(paths[mat_id]), pictures)
    return make_rows(declared, inputs.formulas, inputs.formulas.__getitem__, pictures)


# Facets that rules of the workflow make, except for pictures of structures.
_MAKERS: Mapping[str, Callable[[_Inputs, BundledFacet, Path], _Facet]] = {
    TEXT.name: _texts,
    GRAPH.name: _embeddings,
    COMPIMAGE.name: _composition_images,
}


@cache
def _network(path: Path) -> PotNet:
    return load_network(path, torch.device("cpu"))


@cache
def _elements(path: Path) -> pd.DataFrame:
    return read_elements(path)


def _draw_structures(made: Made, recipe: Recipe, home: Path, threads: int, browser: Path | None) -> None:
    """Draw the pictures of the structures, with worker processes and browsers of their own."""
    drawn = [
        number for number, facet in enumerate(recipe.facets) if facet_named(facet.name).base == IMAGE.name
    ]
    cifs = [(row["mat_id"], home / STRUCTURES / row["cif"]) for row in made.rows.get(STRUCTURES, [])]
    if not drawn or not cifs:
        return
    (number,) = drawn
    settings = RenderSettings(
        **recipe.settings.images.model_dump(), max_sites=recipe.settings.max_sites.images
    )
    with open_studio(settings, browser, threads) as studio:
        shots = render_structures(cifs, home / str(number), studio, settings)
        drawings = list(track(shots, "pictures", len(cifs)))
    rows = [picture.row() for each in drawings if isinstance(each, list) for picture in each]
    rejects = [each for each in drawings if isinstance(each, Reject)]
    made.add(recipe.facets[number].name, rows, rejects, IMAGE.name)


def _aligned(materials: pd.DataFrame, made: Made, recipe: Recipe, home: Path) -> pd.DataFrame:
    """Write the tables of the facets as stages do, and align them as cells do."""
    sample = home / "materials.parquet"
    write_table(sample, materials, NEW_MATERIALS)
    facets = recipe.named
    tables = []
    for number, facet in enumerate(facets):
        if facet.stage is not None:
            rows = made.rows.get(facet.name, [])
            if facet.make:
                check_lengths(facet, rows)
            tables.append(home / f"{number}.parquet")
            write_table(tables[-1], rows, facet.stage.schema)
    own = [facet.name for facet in facets if facet.stage is None]
    frame = with_facets(materials.drop(columns=["structure", *own]), tables_by_facet(facets, tables, sample))
    if recipe.needs_statistics:
        write_table(home / "statistics.parquet", made.rows.get(STATISTICS, []), COMPOSITION_STATISTICS)
        frame = with_statistics(frame, [home / "statistics.parquet"])
    if recipe.needs_graphs:
        write_table(home / "graphs.parquet", made.rows.get(CRYSTAL_GRAPHS, []), GRAPHS)
        frame = with_crystal_graphs(frame, [home / "graphs.parquet"])
    usable = have_facets(frame, facets, missing=recipe.missing)
    return with_new_encodings(frame[usable].reset_index(drop=True), recipe.facets, recipe.fitted)
