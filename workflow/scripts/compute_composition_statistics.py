"""Compute the statistics of element properties for the composition images of a shard."""

from pathlib import Path
from typing import Annotated

from polyfacet.config.composition import StatisticsBackend, StatisticsMode
from polyfacet.facets.compimage.element_table import read_elements
from polyfacet.facets.compimage.statistics_of_formulas import statistics_of_formulas
from polyfacet.facets.compimage.statistics_table import COMPOSITION_STATISTICS
from polyfacet.materials.stage_tables import formulas_of_shard
from polyfacet.runtime.arguments import Key
from polyfacet.runtime.errors import UserError
from polyfacet.runtime.files import sha256_of_file
from polyfacet.runtime.identifiers import text_digest
from polyfacet.runtime.kept_results import KeptResults
from polyfacet.runtime.rejects import record_rejects


def main(
    materials: Path,
    element_table: Path,
    table: Path,
    rejected: Path,
    *,
    provenance: Path,
    backend: StatisticsBackend,
    statistics: StatisticsMode,
    shard: int,
    n_shards: Annotated[int, Key("shards")],
    max_rejected_fraction: Annotated[float, Key("max_rejected_fraction")],
    kept: Path | None = None,
    code: str = "",
) -> None:
    """Compute the statistics of one shard.

    Parameters
    ----------
    materials, element_table
        Sampled materials; element properties.
    table, rejected
        Outputs: the statistics; materials whose formula or one of its elements is unknown.
    provenance
        Output: JSON with the numbers of results made and kept.
    backend
        Back end that computes the statistics: this package, or XenonPy, which only supports ``xenonpy``.
    statistics
        See `polyfacet.facets.compimage.statistics.composition_statistics`.
    shard, n_shards
        The materials of the sample whose hash falls into this shard.
    max_rejected_fraction
        Fraction of rejects above which the stage fails.
    kept, code
        Record of this shard and digest of the code; see `polyfacet.runtime.kept_results.KeptResults`.
    """
    if backend == "xenonpy" and statistics != "xenonpy":
        raise UserError(
            f"the back end xenonpy has no statistics {statistics!r}. Write `statistics: xenonpy`."
        )
    formulas = formulas_of_shard(materials, int(shard), n_shards)
    recipe = {
        "code": code,
        "backend": backend,
        "statistics": statistics,
        "elements": sha256_of_file(element_table),
    }
    made_of = {mat_id: text_digest(formula) for mat_id, formula in formulas.items()}
    results = KeptResults(kept, COMPOSITION_STATISTICS, recipe, made_of, script=Path(__file__))
    new = {mat_id: formulas[mat_id] for mat_id in results.reuse()}
    rows, rejects = statistics_of_formulas(new, read_elements(element_table), backend, statistics)
    record_rejects(rejected, rejects, len(formulas), max_rejected_fraction, "composition images")
    results.write(table, provenance, rows)


if __name__ == "__main__":
    from polyfacet.config.entry_point import run

    run(main, globals().get("snakemake"))
