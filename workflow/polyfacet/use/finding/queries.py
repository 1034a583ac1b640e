"""Representations of what a catalogue is asked with: new materials, formulas, a picture."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import pandas as pd
import pyarrow as pa

from polyfacet.config.sources import Source
from polyfacet.facets.registry import IMAGE, SEPARATOR, combination_name, facet_named
from polyfacet.materials.formula import FormulaError
from polyfacet.materials.reduced_formula import reduced_formula
from polyfacet.materials.stated_formulas import parse_stated_formula
from polyfacet.runtime.errors import UserError
from polyfacet.runtime.identifiers import usable_mat_id
from polyfacet.runtime.parquet import read_table
from polyfacet.runtime.picture_decoding import PictureDecodingError, decode_png
from polyfacet.training.bundles.description import MODEL_FOLDER, BundledFacet, TableColumns
from polyfacet.training.engines.base import ENGINE_FILE
from polyfacet.training.engines.creation import engine_class
from polyfacet.training.engines.registry import ENGINES
from polyfacet.training.seen_rows import what_engines_see
from polyfacet.use.finding.ranking import Array
from polyfacet.use.prediction.bundle import Bundle, Inputs
from polyfacet.use.prediction.bundle import left_out as without_facets
from polyfacet.use.prediction.encodings import with_new_encodings
from polyfacet.use.prediction.facets import with_made_facets
from polyfacet.use.prediction.inputs import is_of_formulas, read_inputs, source_of
from polyfacet.use.prediction.tables import LEFT_OUT, NEW_MATERIALS


@dataclass(frozen=True, eq=False)
class Asked:
    """What is asked with.

    Attributes
    ----------
    names
        What each query is called, as it was given.
    facets
        What was seen of it.
    represented
        Of length 1, shape ``(queries, numbers)``.
    left_out
        Rows of ``LEFT_OUT``.
    """

    names: list[str]
    facets: list[str]
    represented: Array
    left_out: pd.DataFrame


class Queries:
    """Makes the facets of queries and represents them, as the bundle does for new materials."""

    def __init__(self, bundle: Bundle) -> None:
        self._bundle = bundle

    def of_inputs(self, inputs: Inputs, by: str | None) -> Asked:
        """Represent new materials; see `polyfacet.use.finding.catalogue.Catalogue.like`."""
        given = [inputs] if isinstance(inputs, str | Path | Mapping | Source) else list(inputs)
        sources = [source_of(each) for each in given]
        from_formulas = self._of_crystals and any(map(is_of_formulas, sources))
        seen = self._seen(by, from_formulas=from_formulas)
        asked_of = self._bundle.description.model_copy(update={"facets": seen, "table": self._columns(seen)})
        with TemporaryDirectory(prefix="polyfacet-") as folder:
            read, left_out = Path(folder, "materials.parquet"), Path(folder, "left_out.parquet")
            read_inputs(sources, asked_of, read, left_out, self._bundle.threads)
            rejected, materials = read_table(left_out, LEFT_OUT), read_table(read, NEW_MATERIALS)
        names = materials["stated_id"].fillna(materials["mat_id"])
        return self._of_materials(materials, names, seen, rejected)

    def of_formulas(self, formulas: Sequence[str], by: str | None) -> Asked:
        """Represent compositions by the facets that need no structure."""
        if not self._of_crystals:
            raise UserError("the run is of a table: ask with a CSV that has its columns, not with a formula.")
        rows = []
        for number, formula in enumerate(formulas):
            try:
                reduced = reduced_formula(parse_stated_formula(formula))
            except FormulaError as error:
                raise UserError(f"the formula {formula!r} cannot be read: {error}") from error
            origin = {"mat_id": usable_mat_id(formula), "source_file": "", "position": number}
            rows.append({**origin, "formula": reduced})
        seen = self._seen(by, from_formulas=True)
        materials = pa.Table.from_pylist(rows, schema=NEW_MATERIALS).to_pandas().drop_duplicates("mat_id")
        names = materials["position"].map(lambda position: formulas[position])
        return self._of_materials(materials, names, seen, LEFT_OUT.empty_table().to_pandas())

    def of_picture(self, picture: Path, facet: str) -> Asked:
        """Represent a PNG that shows a facet; it counts as each of the facet's views."""
        own = {each.name: each for each in self._bundle.description.facets}
        if facet not in own or facet_named(facet).kind != "image":
            pictured = [name for name in own if facet_named(name).kind == "image"]
            raise UserError(
                f"{facet!r} is not a facet of pictures here; these are: {', '.join(pictured) or 'none'}."
            )
        try:
            size = decode_png(picture.read_bytes()).size
        except (OSError, PictureDecodingError) as error:
            raise UserError(f"the picture {picture} cannot be read: {error}") from error
        self._check_size(picture, size, facet)
        shown = dict.fromkeys(own[facet].columns, str(picture.absolute()))
        row = {"mat_id": "picture", "formula": "", "facets": [facet], **shown}
        nothing = LEFT_OUT.empty_table().to_pandas()
        try:
            rows = with_new_encodings(pd.DataFrame([row]), [own[facet]], self._bundle.recipe.fitted)
            return self._represented(rows, pd.Series([picture.name]), [own[facet]], nothing)
        except UserError as error:
            raise UserError(f"the picture {picture} does not show {facet}: {error}") from error

    def _check_size(self, picture: Path, size: tuple[int, int], facet: str) -> None:
        """Reject a picture of a structure of another size than those of the run, if all of these have one."""
        images = self._bundle.description.settings.images
        is_single = len(images.views) == 1 or images.arrangement == "columns"
        if facet_named(facet).base == IMAGE.name and is_single and size != (images.size, images.size):
            raise UserError(
                f"the picture {picture} has {size[0]} x {size[1]} pixels, but those of the run have "
                f"{images.size} x {images.size}: draw it with the settings of the run."
            )

    def _columns(self, seen: Sequence[BundledFacet]) -> TableColumns | None:
        """Return the columns of a table that queries must have: those of the facets that are seen."""
        table, names = self._bundle.description.table, {facet.name for facet in seen}
        if table is None:
            return None
        return table.model_copy(
            update={name: () for name in ("process", "microstructure") if name not in names}
        )

    @property
    def _of_crystals(self) -> bool:
        return self._bundle.description.table is None

    def _seen(self, by: str | None, *, from_formulas: bool) -> tuple[BundledFacet, ...]:
        """Return the facets that are made of a query."""
        own = self._bundle.description.facets
        wanted = own if by is None else _named(by, own)
        made = tuple(facet for facet in wanted if not (from_formulas and facet.needs_structure))
        if not made or (by is not None and len(made) < len(wanted)):
            missing = ", ".join(facet.name for facet in wanted if facet not in made)
            raise UserError(f"a formula does not show {missing}, which needs a structure. Ask with a CIF.")
        return made

    def _of_materials(
        self,
        materials: pd.DataFrame,
        names: pd.Series,
        seen: Sequence[BundledFacet],
        left_out: pd.DataFrame,
    ) -> Asked:
        """Represent materials that have been read; ``names`` is what they are called."""
        called = dict(zip(materials["mat_id"], names, strict=True))
        recipe = replace(self._bundle.recipe, facets=tuple(seen))
        with TemporaryDirectory(prefix="polyfacet-") as home:
            rows, rejects = (
                with_made_facets(materials, recipe, Path(home), self._bundle.threads, self._bundle.browser)
                if len(materials)
                else (materials, [])
            )
            lost = without_facets(materials, rows, rejects)
            all_lost = pd.concat([left_out, lost], ignore_index=True)
            return self._represented(rows, rows["mat_id"].map(called), seen, all_lost)

    def _represented(
        self, rows: pd.DataFrame, names: pd.Series, seen: Sequence[BundledFacet], left_out: pd.DataFrame
    ) -> Asked:
        if rows.empty:
            return Asked([], [], np.empty((0, 0)), left_out)
        model = self._bundle.folder / MODEL_FOLDER
        saved = json.loads((model / ENGINE_FILE).read_text(encoding="utf-8"))
        engine = engine_class(saved["engine"])
        settings = ENGINES.get(saved["engine"]).settings(**saved["settings"])
        facets = [facet_named(facet.name) for facet in seen]
        (known,) = engine.represent(settings, what_engines_see(rows, facets), [facets], model)
        shown = [combination_name(f for f in facets if f.name in present) for present in rows["facets"]]
        return Asked(names.tolist(), shown, known, left_out)


def _named(by: str, own: Sequence[BundledFacet]) -> tuple[BundledFacet, ...]:
    """Return the facets of a combination.

    Raises
    ------
    UserError
        If the catalogue does not have them.
    """
    names = by.split(SEPARATOR)
    found = tuple(facet for facet in own if facet.name in names)
    if len(found) < len(names):
        known = SEPARATOR.join(facet.name for facet in own)
        raise UserError(f"{by!r} is not a combination of the facets of this catalogue, {known}.")
    return found
