"""Write the text of every structure of a shard."""

from pathlib import Path
from typing import Annotated

from polyfacet.config.composition import StructureText
from polyfacet.facets.text.from_structures import texts_of_structures
from polyfacet.materials.cell_size import MAX_SITES
from polyfacet.materials.stage_tables import TEXTS, intact_structures
from polyfacet.runtime.arguments import Key
from polyfacet.runtime.kept_results import KeptResults
from polyfacet.runtime.progress import tell, track
from polyfacet.runtime.rejects import record_rejects


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
    cifs = [structures / f"{mat_id}.cif" for mat_id in results.reuse()]
    rows, rejects = texts_of_structures(track(cifs, f"texts {text.stem}"), form, max_sites)
    record_rejects(rejected, rejects, len(made_of), max_rejected_fraction, "structure texts")
    results.write(text, provenance, rows)
    if rows:
        # Encoders truncate long texts, most of them at 512 tokens.
        lengths = [len(row["text"].split()) for row in rows]
        tell(f"texts {text.stem}: {sum(lengths) / len(lengths):.0f} words on average, at most {max(lengths)}")


if __name__ == "__main__":
    from polyfacet.config.entry_point import run

    run(main, globals().get("snakemake"))
