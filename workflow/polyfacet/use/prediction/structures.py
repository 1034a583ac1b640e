"""Read new structures into a table of materials."""

import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from joblib import Parallel, delayed
from pymatgen.core import Structure

from polyfacet.materials.cif import CifError, read_cif
from polyfacet.materials.reduced_formula import reduced_formula
from polyfacet.runtime.identifiers import invalid_mat_id_reason
from polyfacet.sources.alexandria.entry_structure import (
    cell_volume,
    entry_sites,
    lattice_matrix,
    structure_json,
)
from polyfacet.sources.alexandria.entry_values import InvalidEntryError

Row = dict[str, Any]


def read_structures(inputs: Sequence[Path], threads: int) -> Iterator[Row]:
    """Yield each structure as a row of ``NEW_MATERIALS``, or as one of ``LEFT_OUT`` with a reason.

    Parameters
    ----------
    inputs
        CIF files, and folders of them.
    threads
        Number of processes that read.
    """
    files = [file for path in inputs for file in (sorted(path.glob("*.cif")) if path.is_dir() else [path])]
    return iter(Parallel(n_jobs=threads, return_as="generator")(map(delayed(_row), files)))


def _row(file: Path) -> Row:
    origin = {"mat_id": file.stem[:80], "source_file": str(file), "position": 0}
    try:
        if reason := invalid_mat_id_reason(file.stem):
            raise CifError(reason)
        return {**origin, **_checked(read_cif(file))}
    except (CifError, InvalidEntryError) as error:
        return {**origin, "reason": str(error)}


def _checked(structure: Structure) -> Row:
    content = json.loads(structure.to_json())
    matrix = lattice_matrix(content)
    cell_volume(matrix)
    sites = entry_sites(content).sites
    amounts: dict[str, float] = {}
    for site in sites:
        for occupant in site["species"]:
            amounts[occupant["element"]] = amounts.get(occupant["element"], 0.0) + occupant["occu"]
    return {
        "formula": reduced_formula(amounts),
        "n_sites": len(sites),
        "structure": structure_json(matrix, sites),
    }
