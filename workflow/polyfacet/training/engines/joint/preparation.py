"""From rows to the file of examples: what is held out, how facets are read, what can be learned."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
from numpy.typing import NDArray

from polyfacet.facets.declaration import Facet
from polyfacet.facets.registry import encoding_column, facet_named, shown_columns
from polyfacet.materials.objectives import Objective
from polyfacet.networks.example_file import HELD_OUT, ExampleFile, ExamplesOfPart, place_of
from polyfacet.networks.held_out import NothingToLearnError, hold_out
from polyfacet.networks.parquet_batches import RANK
from polyfacet.networks.properties import left_out
from polyfacet.training.engines.base import EngineError
from polyfacet.training.engines.formulas import is_formula
from polyfacet.training.engines.joint.example_table import LABELLED, schema_of, table_of
from polyfacet.training.engines.joint.inputs import FacetReader, has_facet
from polyfacet.training.engines.joint.objectives import LearnedObjectives, values_of
from polyfacet.training.engines.joint.settings import JointSettings
from polyfacet.training.engines.joint.stored_examples import StoredExamples
from polyfacet.training.engines.training_rows import TrainingRows

# The same as for the network of the graph embedding: on splits by formula, whose groups are those of that
# network, the rows that choose the epoch of one were not trained on by the other, if every row has a graph.
PURPOSE = "validation of the network"
# Fewest rows to train on and hold out.
FEWEST = 10
# Rows that the scaling of a facet is fitted on; of more, these are a random choice.
FITTED_ROWS = 16_384
# Rows whose contents are in memory at a time while the file is written.
PIECE = 1024


@dataclass(frozen=True, eq=False)
class Prepared:
    """Examples of a training.

    Attributes
    ----------
    trained_on, chosen_by
        Rows to train on, and rows that choose the epoch; any objective of them is known.
    left_out
        Objectives that cannot be learned, and why.
    """

    trained_on: StoredExamples
    chosen_by: StoredExamples
    left_out: Mapping[str, str]


def prepare(
    settings: JointSettings,
    rows: TrainingRows,
    facets: Sequence[Facet],
    objectives: Sequence[Objective],
    seed: int,
    path: Path,
) -> Prepared:
    """Write the examples of a training to a file.

    In memory are identifiers, groups, objectives and which facets each row has, and a piece of the rest.

    Parameters
    ----------
    settings, rows, facets, objectives
        See `polyfacet.training.engines.joint.foundation.train_foundation`.
    seed
        Seed of the choice of rows that are held out.
    path
        File to write.

    Raises
    ------
    EngineError
        If these rows cannot be learned from.
    """
    known = _known_of(rows, facets, objectives)
    try:
        known[HELD_OUT] = _held_out(known, settings.held_out, seed)
        trained_on = known[known[LABELLED] & ~known[HELD_OUT]]
        learned = LearnedObjectives.fit(objectives, trained_on)
        omitted = _left_out(learned, objectives, trained_on)
    except NothingToLearnError as error:
        raise EngineError(f"the joint network has nothing to learn: {error}") from error
    seen = known[~known[HELD_OUT]] if settings.is_pretrained else trained_on
    formulas = [facet for facet in facets if facet.kind == "text" and known[_is_formula(facet)].all()]
    readers = _fitted_readers(settings, rows, facets, seen, formulas)
    if not readers:
        raise EngineError("the joint network has nothing to learn from: no number of a facet varies")
    is_readable = known[[_has(facet_named(reader.name)) for reader in readers]].any(axis=1)
    readable = known.loc[is_readable, ["mat_id", HELD_OUT, LABELLED]]
    readable[RANK] = np.arange(len(readable))
    schema = schema_of(readers)

    def as_table(piece: pd.DataFrame) -> pa.Table:
        return table_of(piece, readers, learned, schema)

    file = ExampleFile.written(path, _tables(rows, readable.set_index("mat_id"), as_table), schema)
    trained, held_out = (ExamplesOfPart(file, is_held_out, LABELLED) for is_held_out in (False, True))
    return Prepared(
        StoredExamples(trained, readers, learned), StoredExamples(held_out, readers, learned), omitted
    )


def _known_of(rows: TrainingRows, facets: Sequence[Facet], objectives: Sequence[Objective]) -> pd.DataFrame:
    """Return what is in memory of all rows, ordered by mat_id."""
    columns = ["mat_id", "group", *(objective.column for objective in objectives)]
    texts = [facet for facet in facets if facet.kind == "text"]
    known = [
        piece[columns].assign(
            **{_has(facet): has_facet(piece, facet) for facet in facets},
            **{_is_formula(facet): _are_formulas(piece, facet) for facet in texts},
        )
        for piece in rows.pieces()
    ]
    together = pd.concat(known)
    if together.empty:
        raise EngineError(f"no training row has any of {', '.join(facet.name for facet in facets)}")
    together[LABELLED] = together[[objective.column for objective in objectives]].notna().any(axis=1)
    return together.sort_values("mat_id", ignore_index=True)


def _has(facet: Facet) -> str:
    """Name the column that says whether rows have a facet; names of objectives have no blanks."""
    return f"has {facet.name}"


def _is_formula(facet: Facet) -> str:
    return f"{facet.name} is a formula"


def _are_formulas(rows: pd.DataFrame, facet: Facet) -> NDArray[np.bool_]:
    """Return whether the text of each row can be read as a formula, or is missing."""
    if facet.name not in rows:
        return np.ones(len(rows), dtype=bool)
    return np.array([not isinstance(text, str) or is_formula(text) for text in rows[facet.name]], dtype=bool)


def _held_out(rows: pd.DataFrame, fraction: float, seed: int) -> NDArray[np.bool_]:
    """Hold out whole groups, which choose the epoch: of rows with an objective, and of the others."""
    groups = rows.set_index("mat_id")["group"]
    labelled = groups[rows[LABELLED].to_numpy()]
    what = "a facet and an objective"
    _, chosen = hold_out(dict(labelled), fraction, seed, purpose=PURPOSE, what=what, fewest=FEWEST)
    others = groups[~groups.isin(set(labelled))]
    with suppress(NothingToLearnError):  # few rows without an objective are all learned from
        _, more = hold_out(dict(others), fraction, seed, purpose=PURPOSE, what="a facet", fewest=FEWEST)
        chosen += more
    # A group may have rows with an objective and rows without.
    return groups.isin(set(groups[chosen])).to_numpy()


def _fitted_readers(
    settings: JointSettings,
    rows: TrainingRows,
    facets: Sequence[Facet],
    seen: pd.DataFrame,
    formulas: Sequence[Facet],
) -> tuple[FacetReader, ...]:
    """Return the readers of the facets that tell rows apart, fitted on rows that are learned from."""
    chosen = {facet: _some(seen.loc[seen[_has(facet)], "mat_id"]) for facet in facets}
    found: dict[Facet, list[pd.DataFrame]] = {facet: [] for facet in facets if chosen[facet]}
    for piece in rows.pieces():
        for facet, used in found.items():
            columns = [*shown_columns(facet, piece.columns), encoding_column(facet)]
            own = ["mat_id", *(name for name in columns if name in piece)]
            own_rows = piece.loc[piece["mat_id"].isin(chosen[facet]), own]
            # A piece without any picture does not know how many views there are.
            if len(own_rows):
                used.append(own_rows)
    fitted = [
        FacetReader.fit(
            facet, pd.concat(pieces).sort_values("mat_id", ignore_index=True), settings, facet in formulas
        )
        for facet, pieces in found.items()
    ]
    return tuple(reader for reader in fitted if reader.is_telling)


def _some(mat_ids: pd.Series) -> set[str]:
    """Choose materials, all if they are few."""
    names = list(mat_ids)
    return set(names if len(names) <= FITTED_ROWS else sorted(names, key=place_of)[:FITTED_ROWS])


def _tables(
    rows: TrainingRows, readable: pd.DataFrame, as_table: Callable[[pd.DataFrame], pa.Table]
) -> Iterator[pa.Table]:
    """Yield the examples in the order of their file; ``readable`` has rank and part by mat_id."""
    last = -1
    for piece in rows.pieces():
        used = piece[piece["mat_id"].isin(readable.index)]
        places = [place_of(mat_id) for mat_id in used["mat_id"]]
        if places and min(places) <= last:
            raise ValueError("the pieces of the rows are not in the order of their places")
        last = max(places, default=last)
        ordered = used.iloc[np.argsort(np.array(places, dtype=np.uint64))]
        for start in range(0, len(ordered), PIECE):
            some = ordered[start : start + PIECE]
            yield as_table(some.join(readable, on="mat_id"))


def _left_out(
    learned: LearnedObjectives, objectives: Sequence[Objective], rows: pd.DataFrame
) -> dict[str, str]:
    """Return the objectives that cannot be learned, and why.

    Raises
    ------
    NothingToLearnError
        If none can.
    """
    of_classes = [each.column for each in objectives if each.classes and each.column not in learned.classes]
    omitted = dict.fromkeys(of_classes, "the rows trained on have fewer than two classes")
    if not learned.classes and not learned.numbers:
        raise NothingToLearnError("; ".join(f"{name}: {why}" for name, why in omitted.items()))
    if not learned.numbers:
        return omitted
    try:
        return omitted | left_out(values_of(rows, learned.numbers), learned.scale, learned.numbers)
    except NothingToLearnError:
        if learned.classes:
            return omitted | dict.fromkeys(learned.numbers, "no known value differs from the median")
        raise
