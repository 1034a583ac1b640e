"""Audit what may make scores too good: what facets know, what crosses the parts, scores below the floor."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from polyfacet.config.composition import GreyLevelRows
from polyfacet.evaluation import leakage
from polyfacet.evaluation.crossing_parts import AUDIT_PARTS
from polyfacet.evaluation.crossing_parts import audit_parts as count_across
from polyfacet.evaluation.floors import BELOW_FLOOR, FLOORS, find_floors
from polyfacet.evaluation.floors import below_floor as find_below
from polyfacet.evaluation.formulas import formulas_of
from polyfacet.evaluation.held_out import HeldOut
from polyfacet.evaluation.leakage import AUDIT, Knowledge, Trainings
from polyfacet.evaluation.samples import read_samples
from polyfacet.evaluation.tables import CELLS, SCORES
from polyfacet.facets.registry import COMPIMAGE, facet_named
from polyfacet.materials.objectives import Objective
from polyfacet.materials.stage_tables import TWINS
from polyfacet.runtime.parquet import read_by_material, read_table, write_table
from polyfacet.runtime.records import read_record
from polyfacet.splits.parts import SPLIT
from polyfacet.training.encoders import hub_cache

Known = dict[tuple[str, str], Knowledge]


def main(
    samples: list[Path],
    splits: list[Path],
    twins: list[Path],
    trainings: list[Path],
    hub_encoders: list[Path],
    cells_table: Path,
    predictions: Path,
    scores: Path,
    audit: Path,
    audit_parts: Path,
    floors: Path,
    below_floor: Path,
    *,
    objectives: Mapping[str, Sequence[Mapping[str, Any]]],
    facets: Mapping[str, Sequence[str]],
    forms: Mapping[str, str],
    places: Sequence[Mapping[str, Any]],
    trained_in: Sequence[str],
    fetched_in: Sequence[str],
    checkpoints: Mapping[str, Mapping[str, str]],
    fit: GreyLevelRows = "train",
) -> None:
    """Write the tables of the audit.

    Parameters
    ----------
    samples
        Table of the materials of each source, in the order of ``objectives``.
    splits
        Parts of the materials in each repeat of each split, in the order of ``places``.
    twins
        Tables of the twins among the crystals.
    trainings
        Records of the networks and encodings that facets come from.
    hub_encoders
        Records of the encoders from the hub.
    cells_table, predictions, scores
        Facts, predictions and scores of all cells.
    audit, audit_parts, floors, below_floor
        Outputs: what facets know of objectives, what crosses the parts, floors, and scores below them.
    objectives, facets
        Source to its objectives, as fields of `polyfacet.materials.objectives.Objective`, and to the names of
        its facets.
    forms
        Facet to the form of it that is used where its name has none.
    places
        ``source``, ``split`` and ``repeat`` of each of ``splits``.
    trained_in, fetched_in
        Source of each of ``trainings`` and ``hub_encoders``.
    checkpoints
        Source to its facets whose encoder starts from a checkpoint of the user, and that checkpoint.
    fit
        Rows that the grey levels of composition images are fitted on.
    """
    materials = read_samples(objectives, samples)
    known: Known = {}
    for source, path in zip(trained_in, trainings, strict=True):
        record = read_record(path, Trainings)
        _add(known, source, record.facet, record.knowledge)
    for source, path in zip(fetched_in, hub_encoders, strict=True):
        for encoder in hub_cache.read_record(path).encoders:
            _add(known, source, encoder.facet, leakage.from_elsewhere(encoder.identity))
    for source, named in checkpoints.items():
        for facet, checkpoint in named.items():
            _add(known, source, facet, leakage.from_elsewhere(checkpoint))
    for source in objectives if fit == "all" else ():
        _add(known, source, COMPIMAGE.name, leakage.fitted_on_all_rows())
    _write_audit(audit, objectives, facets, forms, known)
    _write_audit_parts(audit_parts, materials, dict(zip(splits, places, strict=True)), twins)
    held_out = HeldOut.read(predictions, read_table(cells_table, CELLS), materials)
    formulas = {source: own["formula"].to_numpy() for source, own in materials.items()}
    of_repeats, of_cells = find_floors(held_out.cells, held_out.tested(), formulas)
    write_table(floors, of_repeats, FLOORS)
    write_table(below_floor, find_below(read_table(scores, SCORES), of_cells, forms), BELOW_FLOOR)


def _add(known: Known, source: str, facet: str, found: Knowledge) -> None:
    known[source, facet] = known.get((source, facet), Knowledge()) | found


def _write_audit(
    path: Path,
    objectives: Mapping[str, Sequence[Mapping[str, Any]]],
    facets: Mapping[str, Sequence[str]],
    forms: Mapping[str, str],
    known: Known,
) -> None:
    tables = [
        leakage.audit(
            source,
            [Objective.from_fields(each) for each in own],
            [facet_named(name) for name in facets[source]],
            forms,
            {facet: found for (of, facet), found in known.items() if of == source},
        )
        for source, own in objectives.items()
    ]
    write_table(path, pd.concat(tables), AUDIT)


def _write_audit_parts(
    path: Path,
    materials: Mapping[str, pd.DataFrame],
    splits: Mapping[Path, Mapping[str, Any]],
    twins: Sequence[Path],
) -> None:
    """Count what crosses the parts; only crystals have twins, and only formulas of tables are rounded."""
    is_crystals = {source: "n_sites" in own for source, own in materials.items()}
    formulas = {
        source: formulas_of(own, rounded=not is_crystals[source]) for source, own in materials.items()
    }
    groups = {
        mat_id: group
        for shard in twins
        for mat_id, group in read_by_material(shard, TWINS, "twin_group").items()
    }
    rows = [
        {
            **place,
            **count_across(
                read_table(split, SPLIT),
                formulas[place["source"]],
                groups if is_crystals[place["source"]] else {},
            ),
        }
        for split, place in splits.items()
    ]
    write_table(path, rows, AUDIT_PARTS)


if __name__ == "__main__":
    from polyfacet.config.entry_point import run

    run(main, globals().get("snakemake"))
