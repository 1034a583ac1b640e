"""Hand-made crystals and entries: textbook cells with made-up but plausible properties."""

import bz2
import gzip
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from pymatgen.core import Lattice, Structure

from polyfacet.materials.stage_tables import STRUCTURES
from polyfacet.runtime.files import sha256_of_file
from polyfacet.runtime.parquet import write_table

ROCK_SALTS = [("Na", "Cl", 5.64), ("Li", "F", 4.03), ("Mg", "O", 4.21), ("K", "Br", 6.60), ("Ca", "S", 5.69)]
ZINC_BLENDES = [
    ("Zn", "S", 5.41),
    ("Ga", "As", 5.65),
    ("Al", "P", 5.46),
    ("In", "Sb", 6.48),
    ("Cu", "I", 6.05),
]
CESIUM_CHLORIDES = [
    ("Cs", "Cl", 4.12),
    ("Ni", "Al", 2.88),
    ("Fe", "Ti", 2.98),
    ("Cu", "Zn", 2.95),
    ("Ag", "Mg", 3.31),
]


def rock_salt(cation: str, anion: str, a: float) -> Structure:
    """Return the primitive cell of the rock salt structure; ``a`` is the cubic lattice constant, A."""
    lattice = Lattice([[0, a / 2, a / 2], [a / 2, 0, a / 2], [a / 2, a / 2, 0]])
    return Structure(lattice, [cation, anion], [[0, 0, 0], [0.5, 0.5, 0.5]])


def zinc_blende(cation: str, anion: str, a: float) -> Structure:
    """Return the primitive cell of the zinc blende structure; ``a`` is the cubic lattice constant, A."""
    lattice = Lattice([[0, a / 2, a / 2], [a / 2, 0, a / 2], [a / 2, a / 2, 0]])
    return Structure(lattice, [cation, anion], [[0, 0, 0], [0.25, 0.25, 0.25]])


def cesium_chloride(first: str, second: str, a: float) -> Structure:
    """Return the cell of the CsCl structure; ``a`` is the cubic lattice constant, A."""
    return Structure(Lattice.cubic(a), [first, second], [[0, 0, 0], [0.5, 0.5, 0.5]])


def structures() -> dict[str, Structure]:
    """Return fifteen binaries with three structure types, by identifier."""
    makers = [(rock_salt, ROCK_SALTS), (zinc_blende, ZINC_BLENDES), (cesium_chloride, CESIUM_CHLORIDES)]
    cells = [make(*crystal) for make, crystals in makers for crystal in crystals]
    return {f"test{i:03d}": cell for i, cell in enumerate(cells)}


def entry(mat_id: str, structure: Structure, **data: Any) -> dict[str, Any]:
    """Return a structure in the form of an Alexandria entry; ``data`` replaces fields of its data block."""
    block = {
        "mat_id": mat_id,
        "prototype_id": "AB_test",
        "formula": structure.composition.reduced_formula,
        "elements": [element.symbol for element in structure.composition.elements],
        "spg": 225,
        "nsites": len(structure),
        "energy_total": -3.1 * len(structure),
        "total_mag": -0.5,
        "band_gap_ind": 1.2,
        "band_gap_dir": data.get("band_gap_ind", 1.2),
        "dos_ef": 0.8,
        "e_above_hull": 0.01,
        "e_form": -0.7,
    }
    return {
        "@module": "pymatgen.entries.computed_entries",
        "@class": "ComputedStructureEntry",
        "energy": (block | data)["energy_total"],
        "data": block | data,
        "structure": json.loads(json.dumps(structure.as_dict())),
    }


def entries() -> list[dict[str, Any]]:
    """Return the fifteen binaries as entries with different properties."""
    return [
        entry(
            mat_id,
            cell,
            band_gap_ind=0.4 * (i % 7),
            e_form=-0.2 * (i % 5),
            e_above_hull=0.03 * (i % 4),
            energy_total=-1.0 * (i + 2),
            total_mag=0.5 * (i % 3),
            dos_ef=0.1 * i,
        )
        for i, (mat_id, cell) in enumerate(structures().items())
    ]


def write_entries(path: Path, items: list[Any], *, bare: bool = False) -> Path:
    """Write entries as JSON, compressed according to the file's name."""
    text = json.dumps(items if bare else {"entries": items})
    openers = {".json": open, ".bz2": bz2.open, ".gz": gzip.open}
    with openers[path.suffix](path, "wt", encoding="utf-8") as stream:
        stream.write(text)
    return path


def list_structures(folder: Path, mat_ids: Sequence[str], manifest: Path) -> Path:
    """Write the manifest of a shard whose CIFs are in a folder."""
    paths = [folder / f"{mat_id}.cif" for mat_id in mat_ids]
    rows = [
        {"mat_id": path.stem, "formula": "X", "cif": path.name, "sha256": sha256_of_file(path)}
        for path in paths
    ]
    write_table(manifest, rows, STRUCTURES)
    return manifest
