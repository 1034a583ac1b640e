"""Write the composition text of every material of a shard."""

from pathlib import Path
from typing import Annotated

from polyfacet.facets.text.from_formulas import texts_of_formulas
from polyfacet.materials.stage_tables import TEXTS, formulas_of_shard
from polyfacet.runtime.arguments import Key
from polyfacet.runtime.identifiers import text_digest
from polyfacet.runtime.kept_results import KeptResults
from polyfacet.runtime.rejects import record_rejects


def main(
    materials: Path,
    text: Path,
    rejected: Path,
    *,
    provenance: Path,
    form: Annotated[str, Key("composition.text")],
    shard: int,
    n_shards: Annotated[int, Key("shards")],
    max_rejected_fraction: Annotated[float, Key("max_rejected_fraction")],
    kept: Path | None = None,
    code: str = "",
) -> None:
    """Write the texts of one shard.

    Parameters
    ----------
    materials
        Table of the sampled materials.
    text, rejected
        Outputs: mat_id and text; materials whose formula cannot be read.
    provenance
        Output: JSON with the numbers of results made and kept.
    form
        See `polyfacet.facets.text.composition.VARIANTS`.
    shard, n_shards
        The materials of the sample whose hash falls into this shard.
    max_rejected_fraction
        Fraction of rejects above which the stage fails.
    kept, code
        Record of this shard and digest of the code; see `polyfacet.runtime.kept_results.KeptResults`.
    """
    formulas = formulas_of_shard(materials, int(shard), n_shards)
    made_of = {mat_id: text_digest(formula) for mat_id, formula in formulas.items()}
    results = KeptResults(kept, TEXTS, {"code": code, "variant": form}, made_of, script=Path(__file__))
    rows, rejects = texts_of_formulas({mat_id: formulas[mat_id] for mat_id in results.reuse()}, form)
    record_rejects(rejected, rejects, len(formulas), max_rejected_fraction, "composition text")
    results.write(text, provenance, rows)


if __name__ == "__main__":
    from polyfacet.config.entry_point import run

    run(main, globals().get("snakemake"))
