"""CIF files of materials, one each: every facet of a structure starts from them."""

import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from pymatgen.core import Structure

from polyfacet.materials.cell_size import MAX_SITES, check_cell_size
from polyfacet.materials.cif import write_cif
from polyfacet.runtime.files import sha256_of_file
from polyfacet.runtime.rejects import Reject


def write_structures(
    materials: Iterable[Mapping[Any, Any]], folder: Path, max_sites: int = MAX_SITES["structures"]
) -> tuple[list[dict[str, Any]], list[Reject]]:
    """Write the CIF of each material, and check that it reads back as the same structure.

    Parameters
    ----------
    materials
        ``mat_id``, ``formula``, ``n_sites`` and ``structure`` (JSON) of each, as in a sample.
    folder
        Existing folder for ``<mat_id>.cif``.
    max_sites
        Largest number of sites in a cell.

    Returns
    -------
    tuple of list
        Rows of `polyfacet.materials.stage_tables.STRUCTURES`, and the materials without a CIF.
    """
    rows: list[dict[str, Any]] = []
    rejects: list[Reject] = []
    for material in materials:
        path = folder / f"{material['mat_id']}.cif"
        try:
            check_cell_size(material["n_sites"], max_sites, "structures")
            write_cif(Structure.from_dict(json.loads(material["structure"])), path)
        except ValueError as error:  # also from pymatgen: invalid occupancies
            rejects.append(Reject.because_of(material["mat_id"], error))
            continue
        rows.append(
            {
                "mat_id": material["mat_id"],
                "formula": material["formula"],
                "cif": path.name,
                "sha256": sha256_of_file(path),
            }
        )
    return rows, rejects
