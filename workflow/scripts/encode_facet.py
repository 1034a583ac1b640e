"""Encode the texts or pictures of a split's materials as numbers, for engines without encoders."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any

import pandas as pd

from polyfacet.encodings.base import Encoder, Fitting
from polyfacet.facets.aligned import check_pictures, with_facets
from polyfacet.facets.declaration import UNTRAINED, Encoding
from polyfacet.facets.registry import facet_named, shown_columns
from polyfacet.materials.derived_objectives import with_derived
from polyfacet.materials.objectives import Objective
from polyfacet.materials.stage_tables import encodings_schema
from polyfacet.runtime.arguments import Key
from polyfacet.runtime.errors import UserError
from polyfacet.runtime.files import write_text
from polyfacet.runtime.parquet import column_names, read_by_material, read_table, write_table
from polyfacet.runtime.progress import tell
from polyfacet.splits.compositions import groups_by_composition
from polyfacet.splits.hidden_facets import HiddenFacets
from polyfacet.splits.parts import SPLIT, TRAIN


def main(
    sample: Path,
    split: Path,
    tables: list[Path],
    encodings: Path,
    encoder: Path,
    record: Path,
    *,
    facet: str,
    seed: Annotated[int, Key("seed")],
    form: str = "",
    objectives: Sequence[Mapping[str, Any]] = (),
    derived: Sequence[Path] = (),
    hidden: Mapping[str, Any] | None = None,
) -> None:
    """Fit the encoder of a facet on the training part, and encode all materials that have the facet.

    Parameters
    ----------
    sample, split
        Tables of the source's materials and of their parts.
    tables
        Tables of the facet, one per shard.
    encodings
        Output: numbers of each material.
    encoder
        Output: what was fitted, as safetensors.  A training keeps its state next to it until it is done.
    record
        Output: JSON that says what the encoder was fitted on, how large its validation errors are, and in
        its ``notes`` what it could not learn.
    facet
        Name of the facet.
    seed
        Seed of the encoder.
    form
        Form of the facet where its name has none.
    objectives
        Fields of `polyfacet.materials.objectives.Objective` that an encoder learns, if it learns any.
    derived
        Tables of those objectives that are not in the sample.
    hidden
        Fields of `polyfacet.splits.hidden_facets.HiddenFacets`: nothing is fitted on hidden facets.

    Raises
    ------
    UserError
        If no material of the training part has the facet.
    """
    named = facet_named(facet)
    encoding = named.encoded_as(named.form or form)
    if encoding is None:
        raise ValueError(f"the facet {facet} consists of numbers")
    learned = [Objective.from_fields(each) for each in objectives]
    materials = _read_materials(sample, learned, derived)
    frame = with_facets(materials, {named: tables})
    frame = frame[frame["facets"].map(bool)].sort_values("mat_id", ignore_index=True)
    check_pictures(frame, [named])
    columns = shown_columns(named, frame.columns)
    parts = read_table(split, SPLIT).set_index("mat_id")
    own_parts = frame["mat_id"].map(parts["part"])
    is_fitted_on = (own_parts == TRAIN).to_numpy()
    if excluded := HiddenFacets.from_settings(hidden):
        is_fitted_on &= ~excluded.hides(named.base, list(frame["mat_id"]), list(own_parts))
    trained_on = frame[is_fitted_on].reset_index(drop=True)
    if trained_on.empty:
        raise UserError(f"the facet {facet}: no material of the training part has it, to fit its encoder on.")
    state = encoder.with_name(f"{encoder.name}.training")
    fitting = Fitting(
        trained_on[["mat_id", "formula", *columns]],
        columns,
        groups_by_composition(trained_on, read_by_material(split, SPLIT, "group")),
        _targets(trained_on, learned),
        seed,
        named.may_be_flipped,
        state,
    )
    fitted: Encoder = encoding.load().fit(fitting)
    found = fitted.encode(frame, columns)
    label = UNTRAINED if fitted.is_control else encoding.label
    rows = pd.DataFrame({"mat_id": frame["mat_id"], "encoding": list(found)})
    write_table(encodings, rows, encodings_schema(label))
    fitted.save(encoder)
    write_text(record, _described(facet, label, encoding, fitted, found.shape[1]))
    state.unlink(missing_ok=True)
    tell(f"encoding of {facet}: {found.shape[1]} numbers of {len(found)} materials ({label})")


def _read_materials(sample: Path, learned: Sequence[Objective], derived: Sequence[Path]) -> pd.DataFrame:
    """Read formulas and objectives; ``n_sites`` if the materials are crystals."""
    elsewhere = {name for table in derived for name in column_names(table)}
    own = [objective.column for objective in learned if objective.column not in elsewhere]
    crystals = ["n_sites"] if "n_sites" in column_names(sample) else []
    return with_derived(read_table(sample, columns=["mat_id", "formula", *crystals, *own]), derived)


def _targets(materials: pd.DataFrame, learned: Sequence[Objective]) -> pd.DataFrame:
    """Return numbers to learn, with mat_id as index; each class is one number, 1 or 0."""
    columns: dict[str, pd.Series] = {}
    for objective in learned:
        values = materials.set_index("mat_id")[objective.column]
        if not objective.classes:
            columns[objective.column] = values.astype(float)
        for name in objective.classes:
            is_it = (values == name).astype(float)
            columns[f"{objective.column}={name}"] = is_it.where(values.notna())
    return pd.DataFrame(columns, index=pd.Index(materials["mat_id"]))


def _described(facet: str, label: str, encoding: Encoding, fitted: Encoder, size: int) -> str:
    record = {"facet": facet, "label": label, "encoder": encoding.encoder, "size": size, **fitted.record}
    return json.dumps(record, indent=2, allow_nan=False) + "\n"


if __name__ == "__main__":
    from polyfacet.config.entry_point import run

    run(main, globals().get("snakemake"))
