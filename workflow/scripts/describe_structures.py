"""Write the text of every structure of a shard."""

from collections.abc import Callable
from pathlib import Path
from typing import Annotated

from pymatgen.core import Structure

from polyfacet.config.composition import StructureText
from polyfacet.facets.text.compact_cif import compact_cif
from polyfacet.materials.cell_size import MAX_SITES, check_cell_size
from polyfacet.materials.cif import read_cif
from polyfacet.materials.stage_tables import TEXTS, intact_structures
from polyfacet.runtime.arguments import Key
from polyfacet.runtime.kept_results import KeptResults
from polyfacet.runtime.progress import tell, track
from polyfacet.runtime.rejects import Reject, record_rejects


def main(
    structures: Path,
    materials: Path,
    text: Path,
    rejected: Path,
    *,
    provenance: Path,
    form: StructureText,
    max_rejected_fraction: Annotated[float, Key("max_rejected_fraction")],
    max_sites: Annotated[int, Key("max_sites.texts")] = MAX_SITES["texts"],
    kept: Path | None = None,
    code: str = "",
) -> None:
    """Write the texts of one shard.

    Parameters
    ----------
    structures
        Folder of ``<mat_id>.cif``.
    materials
        Table of the materials and the digests of their CIFs.
    text, rejected
        Outputs: mat_id and text; materials whose structure cannot be described, with reasons.
    provenance
        Output: JSON with the numbers of results made and kept.
    form
        See `polyfacet.facets.text.variants.STRUCTURE_TEXTS`.
    max_rejected_fraction
        Fraction of rejects above which the stage fails.
    max_sites
        Largest number of sites in a described cell.
    kept, code
        Record of this shard and digest of the code; see `polyfacet.runtime.kept_results.KeptResults`.
    """
    made_of = intact_structures(materials, structures)
    recipe = {"code": code, "variant": form, "max_sites": max_sites}
    results = KeptResults(kept, TEXTS, recipe, made_of, script=Path(__file__))
    write = _writer(form)
    rows: list[dict[str, str]] = []
    rejects: list[Reject] = []
    for mat_id in track(results.reuse(), f"texts {text.stem}"):
        try:
            structure = read_cif(structures / f"{mat_id}.cif")
            check_cell_size(len(structure), max_sites, "texts")
            rows.append({"mat_id": mat_id, "text": write(structure)})
        except ValueError as error:
            rejects.append(Reject.because_of(mat_id, error))
    record_rejects(rejected, rejects, len(made_of), max_rejected_fraction, "structure texts")
    results.write(text, provenance, rows)
    if rows:
        # Encoders truncate long texts, most of them at 512 tokens.
        lengths = [len(row["text"].split()) for row in rows]
        tell(f"texts {text.stem}: {sum(lengths) / len(lengths):.0f} words on average, at most {max(lengths)}")


def _writer(form: StructureText) -> Callable[[Structure], str]:
    if form == "cif":
        return compact_cif
    from polyfacet.facets.text.robocrystallographer import Describer  # noqa: PLC0415 - takes seconds

    return Describer()


if __name__ == "__main__":
    from polyfacet.config.entry_point import run

    run(main, globals().get("snakemake"))
