"""Crystals from public databases for the tests of the graph facet, as their sources list them."""

import csv
import gzip
import io
import random
import warnings
from functools import cache
from pathlib import Path

from pymatgen.core import Structure
from pymatgen.io.cif import CifParser

from polyfacet.materials.crystal import Crystal, crystal_from_structure
from polyfacet.sources.alexandria.entries import read_entries


@cache
def real_crystals(data: Path, n_each: int) -> dict[str, Crystal]:
    """Draw ``n_each`` bulk crystals, chains and Materials Project crystals; keyed by identifier."""
    draw = random.Random(0)
    chosen: dict[str, Structure] = {}
    for file in (
        "alexandria_3d/alexandria_3d_small_110.json.bz2",
        "alexandria_1d/alexandria_1d_000.json.bz2",
    ):
        for entry in draw.sample([entry for _, entry in read_entries(data / file)], n_each):
            chosen[entry["data"]["mat_id"]] = Structure.from_dict(entry["structure"])
    csv.field_size_limit(1 << 20)
    with gzip.open(data / "mp20" / "train.csv.gz", "rt", newline="") as file:
        for row in draw.sample(list(csv.DictReader(file)), n_each):
            chosen[row["material_id"]] = structure_from_cif(row["cif"])
    return {mat_id: crystal_from_structure(structure) for mat_id, structure in chosen.items()}


def structure_from_cif(text: str) -> Structure:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return CifParser(io.StringIO(text), frac_tolerance=0.0).parse_structures(primitive=False)[0]
