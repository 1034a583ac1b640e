"""Write one CIF per material of a shard, and check that each reads back as the same structure."""

from pathlib import Path
from typing import Annotated

from polyfacet.materials.cell_size import MAX_SITES
from polyfacet.materials.material import SAMPLE
from polyfacet.materials.stage_tables import STRUCTURES
from polyfacet.materials.structure_files import write_structures
from polyfacet.runtime.arguments import Key
from polyfacet.runtime.files import atomic_path
from polyfacet.runtime.identifiers import text_digest
from polyfacet.runtime.kept_results import KeptResults
from polyfacet.runtime.progress import track
from polyfacet.runtime.rejects import record_rejects
from polyfacet.runtime.sharding import read_shard


def main(
    sample: Path,
    structures: Path,
    manifest: Path,
    rejected: Path,
    *,
    provenance: Path,
    shard: int,
    n_shards: Annotated[int, Key("shards")],
    max_rejected_fraction: Annotated[float, Key("max_rejected_fraction")],
    max_sites: Annotated[int, Key("max_sites.structures")] = MAX_SITES["structures"],
    kept: Path | None = None,
    code: str = "",
) -> None:
    """Write the CIFs of one shard.

    Parameters
    ----------
    sample
        Table of the sampled materials.
    structures
        Output folder of ``<mat_id>.cif``.
    manifest, rejected
        Outputs: the written materials, with digests; the rejected ones, with reasons.
    provenance
        Output: JSON with the numbers of results made and kept.
    shard, n_shards
        The materials of the sample whose hash falls into this shard.
    max_rejected_fraction
        Fraction of rejects above which the stage fails.
    max_sites
        Largest number of sites in a cell.
    kept, code
        Record of this shard and digest of the code; see `polyfacet.runtime.kept_results.KeptResults`.
    """
    columns = ["mat_id", "formula", "n_sites", "structure"]
    materials = read_shard(sample, SAMPLE, int(shard), n_shards, columns)
    sources = zip(materials["mat_id"], materials["formula"], materials["structure"], strict=True)
    made_of = {mat_id: text_digest(formula, structure) for mat_id, formula, structure in sources}
    recipe = {"code": code, "max_sites": max_sites}
    results = KeptResults(kept, STRUCTURES, recipe, made_of, script=Path(__file__), file_column="cif")
    with atomic_path(structures) as folder:
        folder.mkdir()
        new = materials[materials["mat_id"].isin(results.reuse(folder))]
        listed = track(new.to_dict("records"), f"structures {shard}")
        rows, rejects = write_structures(listed, folder, max_sites)
    record_rejects(rejected, rejects, len(materials), max_rejected_fraction, "structures")
    results.write(manifest, provenance, rows, structures)


if __name__ == "__main__":
    from polyfacet.config.entry_point import run

    run(main, globals().get("snakemake"))
