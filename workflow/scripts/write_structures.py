"""Write one CIF per material of a shard, and check that it reads back as the same structure."""

import json
from pathlib import Path

from pymatgen.core import Structure

from polyfacet.cif import write_cif
from polyfacet.files import atomic_path, sha256_of_file
from polyfacet.identifiers import shard_of
from polyfacet.materials import SAMPLE
from polyfacet.progress import track
from polyfacet.rejects import Reject, check_rejected_fraction, write_rejects
from polyfacet.stage_tables import STRUCTURES
from polyfacet.tables import read_table, write_table


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
            try:
                write_cif(Structure.from_dict(json.loads(material["structure"])), path)
            except ValueError as error:  # of pymatgen, too: occupancies that are no occupancies
                rejects.append(Reject(material["mat_id"], str(error)))
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


if __name__ == "__main__":
    from polyfacet.job import run

    run(main, globals().get("snakemake"))
