"""Write one CIF per material of a shard, and check that it reads back as the same structure."""

import json
import warnings
from pathlib import Path

import numpy as np
import pyarrow as pa
from pymatgen.core import Structure
from pymatgen.io.cif import CifParser, CifWriter

from polyfacet.files import atomic_path, sha256_of_file
from polyfacet.identifiers import shard_of
from polyfacet.materials import SAMPLE
from polyfacet.progress import track
from polyfacet.rejects import Reject, check_rejected_fraction, write_rejects
from polyfacet.tables import column, read_table, write_table

STRUCTURES = pa.schema(
    [
        column("mat_id", pa.string(), "identifier of the material"),
        column("formula", pa.string(), "reduced formula, elements in the order of the source"),
        column("cif", pa.string(), "file name of the CIF in the shard's folder"),
        column("sha256", pa.string(), "digest of the CIF"),
    ]
)
# Ten digits keep coordinates to 1e-9 A, below what separates symmetric sites in any tool of the chain.
SIGNIFICANT_FIGURES = 10
SAME_A = 1e-6


def main(
    sample: Path,
    structures: Path,
    manifest: Path,
    rejected: Path,
    *,
    shard: int,
    n_shards: int,
    max_rejected_fraction: float,
) -> None:
    """Write the CIFs of one shard.

    Parameters
    ----------
    sample
        Table of the sampled materials.
    structures
        Output folder of ``<mat_id>.cif``.
    manifest, rejected
        Outputs: what was written, with digests; what could not be, with reasons.
    shard, n_shards
        Which materials of the sample: those whose hash falls into this shard.
    max_rejected_fraction
        Share of rejects above which the stage stops.
    """
    materials = read_table(sample, SAMPLE, columns=["mat_id", "formula", "structure"])
    mine = materials[[shard_of(mat_id, n_shards) == int(shard) for mat_id in materials["mat_id"]]]
    rows, rejects = [], []
    with atomic_path(structures) as folder:
        folder.mkdir()
        for material in track(mine.to_dict("records"), f"structures {shard}"):
            path = folder / f"{material['mat_id']}.cif"
            reason = write_cif(Structure.from_dict(json.loads(material["structure"])), path)
            if reason:
                rejects.append(Reject(material["mat_id"], reason))
                continue
            rows.append(
                {
                    "mat_id": material["mat_id"],
                    "formula": material["formula"],
                    "cif": path.name,
                    "sha256": sha256_of_file(path),
                }
            )
    write_rejects(rejected, rejects)
    check_rejected_fraction(
        len(rejects), len(mine), max_rejected_fraction, "structures", [reject.reason for reject in rejects]
    )
    write_table(manifest, rows, STRUCTURES)


def write_cif(structure: Structure, path: Path) -> str | None:
    """Write a structure as CIF (P1, as given) and read it back.

    Returns
    -------
    str or None
        Why the file does not hold the structure; then there is no file.
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            CifWriter(structure, significant_figures=SIGNIFICANT_FIGURES).write_file(path)
            read = CifParser(path).parse_structures(primitive=False, check_occu=False)[0]
    except Exception as error:  # whatever a reader makes of one material must not stop the rest
        path.unlink(missing_ok=True)
        return f"CIF cannot be written and read back: {type(error).__name__}: {error}"
    difference = _difference(structure, read)
    if difference:
        path.unlink()
    return difference


def _difference(structure: Structure, read: Structure) -> str | None:
    if len(read) != len(structure):
        return f"CIF reads back with {len(read)} sites instead of {len(structure)}: are two on one place?"
    lengths = np.abs(np.array(structure.lattice.parameters) - np.array(read.lattice.parameters))
    if lengths.max() > SAME_A * 100:
        return "CIF reads back with another lattice"
    for site in structure:
        near = read.get_sites_in_sphere(read.lattice.get_cartesian_coords(site.frac_coords), 1e-3)
        if all(other.species != site.species for other in near):
            return f"CIF reads back without the {site.species_string} at {np.round(site.frac_coords, 4)}"
    return None


if __name__ == "__main__":
    from polyfacet.job import run

    run(main, globals().get("snakemake"))
