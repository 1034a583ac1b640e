"""Explain the predictions of a foundation for test materials, and check the explanations."""

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any

import pandas as pd

from polyfacet.config.composition import ImageLayout
from polyfacet.evaluation.explanation.tables import explanation_of
from polyfacet.facets.declaration import Facet
from polyfacet.facets.registry import facet_named
from polyfacet.materials.objectives import Objective
from polyfacet.reporting.explanation_files import ExplanationFiles
from polyfacet.runtime.arguments import Key
from polyfacet.runtime.errors import UserError
from polyfacet.runtime.identifiers import stable_hash
from polyfacet.runtime.parquet import read_table
from polyfacet.runtime.places import imported
from polyfacet.runtime.progress import tell
from polyfacet.splits.parts import SPLIT, TEST, TRAIN
from polyfacet.training.engines.base import EngineError
from polyfacet.training.engines.explaining import CAPTUM, Explained
from polyfacet.training.engines.registry import ENGINES
from polyfacet.training.foundations import check_foundation
from polyfacet.training.row_tables import RowTables
from polyfacet.training.seen_rows import what_engines_see

# Training materials whose mean is the baseline.
MOST_AVERAGED = 16_384
# Networks with random weights that explanations are compared with.
N_UNTRAINED = 5


def main(
    sample: Path,
    split: Path,
    tables: list[Path],
    foundation: Path,
    permuted: Path,
    explanation: Path,
    *,
    place: Mapping[str, Any],
    facets: Sequence[str],
    engine: str,
    settings: Mapping[str, Any],
    objectives: Sequence[Mapping[str, Any]],
    layout: Annotated[ImageLayout, Key("composition.layout")],
    materials: Annotated[int, Key("explanations.materials")],
    maps: Annotated[int, Key("explanations.maps")],
    seed: Annotated[int, Key("seed")],
    encodings: list[Path] | None = None,
    derived: Sequence[Path] = (),
    hidden: Mapping[str, Any] | None = None,
    graphs: Sequence[Path] = (),
) -> None:
    """Write the tables of the explanations of all facets, with their checks, and maps over pictures.

    Parameters
    ----------
    sample, split, tables, encodings, derived, hidden, graphs
        See `train_cells`.
    foundation
        Foundation of the method; one that could not be made leaves empty tables.
    permuted
        The same, trained on permuted values.
    explanation
        Output: folder with the tables of `polyfacet.evaluation.explanation.schema`.
    place
        Fields of `polyfacet.training.cells.Place`.
    facets
        All facets of the method.
    engine, settings
        Name of the engine and the method's settings.
    objectives
        Fields of the objectives of the method.
    layout
        Arrangement of composition images.
    materials, maps
        How many test materials are explained, and how many of their pictures are shown with maps.
    seed
        Seed of the run.

    Raises
    ------
    UserError
        If Captum is not installed.
    """
    if fault := CAPTUM.fault():
        raise UserError(f"explanations: {fault}")
    looked_at = [facet_named(name) for name in facets]
    learned = [Objective.from_fields(each) for each in objectives]
    aligned = RowTables.of_job(
        sample,
        split,
        [objective.column for objective in learned],
        looked_at,
        tables,
        encodings=encodings,
        hidden=hidden,
        derived=derived,
        graphs=graphs,
    )
    test, background = _test_and_background(aligned.by_shard(), split, materials, looked_at, learned)
    where = {name: place[name] for name in ("source", "split", "method")} | {"repeat": int(place["repeat"])}
    own_seed = seed + int(where["repeat"])
    if not _is_made(foundation) or test.empty:
        ExplanationFiles(where, test, (), maps).write(explanation)
        return
    declared = ENGINES.get(engine)
    explained: Explained = imported(declared.explained_by)(
        declared.settings(**settings),
        test,
        background,
        looked_at,
        learned,
        layout,
        foundation,
        permuted if _is_made(permuted) else None,
        [own_seed + number for number in range(N_UNTRAINED)],
    )
    formulas = read_table(sample, columns=["mat_id", "formula"]).set_index("mat_id")["formula"]
    of_rows = test["mat_id"].map(formulas).tolist()
    files = ExplanationFiles(where, test, tuple(explained.objectives), maps)
    for facet, compared in explained.facets.items():
        tell(f"explaining {len(compared.rows)} test materials by {facet}")
        files.add(facet, compared, explanation_of(explained, compared, of_rows, own_seed))
    files.write(explanation)


def _test_and_background(
    pieces: Iterable[pd.DataFrame],
    split: Path,
    n_test: int,
    facets: Sequence[Facet],
    objectives: Sequence[Objective],
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return the test rows that are explained, and the training rows whose mean is the baseline."""
    parts = read_table(split, SPLIT)
    chosen: set[str] = set()
    for part, most in ((TEST, n_test), (TRAIN, MOST_AVERAGED)):
        mat_ids = parts.loc[parts["part"] == part, "mat_id"]
        chosen.update(sorted(mat_ids, key=lambda mat_id: stable_hash("explained", mat_id))[:most])
    rows = pd.concat([piece[piece["mat_id"].isin(chosen)] for piece in pieces])
    rows = rows.sort_values("mat_id", ignore_index=True)
    values = {objective.column: rows[objective.column] for objective in objectives}
    seen = what_engines_see(rows, facets).assign(**values)
    test, background = (seen[rows["part"] == part].reset_index(drop=True) for part in (TEST, TRAIN))
    return test, background


def _is_made(foundation: Path) -> bool:
    """Return whether a foundation could be made."""
    try:
        check_foundation(foundation)
    except EngineError:
        return False
    return True


if __name__ == "__main__":
    from polyfacet.config.entry_point import run

    run(main, globals().get("snakemake"))
