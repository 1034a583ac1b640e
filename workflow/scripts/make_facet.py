"""Make a facet that is declared with a function, for every material of a shard."""

from contextlib import nullcontext
from pathlib import Path
from typing import Annotated

from polyfacet.facets.making import Reader, check_lengths, make_rows
from polyfacet.facets.registry import facet_named, files_of_makers
from polyfacet.materials.cif import read_cif
from polyfacet.materials.material import SAMPLE
from polyfacet.materials.stage_tables import intact_structures
from polyfacet.runtime.arguments import Key
from polyfacet.runtime.files import atomic_path
from polyfacet.runtime.identifiers import text_digest
from polyfacet.runtime.kept_results import KeptResults
from polyfacet.runtime.packages import package_versions
from polyfacet.runtime.progress import track
from polyfacet.runtime.rejects import check_rejected_fraction, write_rejects
from polyfacet.runtime.sharding import read_shard


def main(
    table: Path,
    rejected: Path,
    *,
    provenance: Path,
    facet: str,
    shard: int,
    n_shards: Annotated[int, Key("shards")],
    max_rejected_fraction: Annotated[float, Key("max_rejected_fraction")],
    sample: Path | None = None,
    structures: Path | None = None,
    materials: Path | None = None,
    pictures: Path | None = None,
    kept: Path | None = None,
    code: str = "",
) -> None:
    """Make the facet for one shard.

    Parameters
    ----------
    table, rejected
        Outputs: the facet; materials for which it cannot be made, with reasons.
    provenance
        Output: JSON with the numbers of results made and kept.
    facet
        Name of the facet.
    shard, n_shards
        The materials of the sample whose hash falls into this shard.
    max_rejected_fraction
        Fraction of rejects above which the stage fails.
    sample
        Table of the sampled materials, for a facet that needs formulas.
    structures, materials
        Folder of ``<mat_id>.cif`` and table of their digests, for a facet that needs structures.
    pictures
        Output: folder of the pictures, for a picture facet.
    kept, code
        Record of this shard and digest of the code; see `polyfacet.runtime.kept_results.KeptResults`.

    Raises
    ------
    UserError
        If the function of the facet raises anything but `FacetError`; the message names the material.
    """
    declared = facet_named(facet)
    if declared.stage is None:
        raise ValueError(f"the facet {facet} has no stage")
    made_of, read = (
        _of_formulas(sample, int(shard), n_shards) if sample else _of_structures(structures, materials)
    )
    image = "image" if pictures else None
    recipe = {"code": code, "packages": package_versions(*files_of_makers([facet]))}
    results = KeptResults(
        kept, declared.stage.schema, recipe, made_of, script=Path(__file__), file_column=image
    )
    with atomic_path(pictures) if pictures else nullcontext() as folder:
        if folder:
            folder.mkdir()
        new = track(results.reuse(folder), f"{facet} {table.stem}")
        rows, rejects = make_rows(declared, new, read, folder)
    check_lengths(declared, rows)
    write_rejects(rejected, rejects)
    reasons = [reject.reason for reject in rejects]
    check_rejected_fraction(len(rejects), len(made_of), max_rejected_fraction, facet, reasons)
    results.write(table, provenance, rows, pictures)


def _of_formulas(sample: Path, shard: int, n_shards: int) -> tuple[dict[str, str], Reader]:
    """Return the digests of the facet's inputs, and a function that reads them."""
    frame = read_shard(sample, SAMPLE, shard, n_shards, ["mat_id", "formula"])
    formulas = dict(zip(frame["mat_id"], frame["formula"], strict=True))
    return {mat_id: text_digest(formula) for mat_id, formula in formulas.items()}, formulas.__getitem__


def _of_structures(folder: Path | None, manifest: Path | None) -> tuple[dict[str, str], Reader]:
    if folder is None or manifest is None:
        raise ValueError("a facet is made from a sample, or from structures and their table")
    return intact_structures(manifest, folder), lambda mat_id: read_cif(folder / f"{mat_id}.cif")


if __name__ == "__main__":
    from polyfacet.config.entry_point import run

    run(main, globals().get("snakemake"))
