"""CIFs: read back to the same structure by pymatgen and by jarvis-tools; all others are rejected."""

import json

import numpy as np
import pytest
from handmade import entry, rock_salt, structures
from jarvis.core.atoms import Atoms
from pymatgen.core import Lattice, Structure

from polyfacet.materials.cif import CifError, read_cif, write_cif
from polyfacet.materials.material import SAMPLE, sample_table
from polyfacet.materials.stage_tables import STRUCTURES
from polyfacet.runtime.parquet import read_table, write_table
from polyfacet.runtime.rejects import REJECTS
from polyfacet.sources.alexandria.material import material_from_entry
from write_structures import main

SKEWED = Structure(
    Lattice.from_parameters(3.1, 4.7, 17.9, 71.0, 82.0, 119.0),
    ["Fe", "O", "O"],
    [[0.1] * 3, [1.4, -0.2, 0.6], [0.3, 0.9, 0.2]],
)


def same_distances(atoms: Atoms, structure: Structure) -> bool:
    theirs = np.sort(
        Structure(Lattice(atoms.lattice_mat), atoms.elements, atoms.frac_coords).distance_matrix.ravel()
    )
    return np.allclose(theirs, np.sort(structure.distance_matrix.ravel()), atol=1e-4)


@pytest.mark.parametrize("structure", [*structures().values(), SKEWED, SKEWED * (2, 1, 1)], ids=str)
def test_jarvis_reads_the_same_structure(tmp_path, structure):
    write_cif(structure, tmp_path / "x.cif")
    atoms = Atoms.from_cif(str(tmp_path / "x.cif"), use_cif2cell=False, get_primitive_atoms=False)
    assert sorted(atoms.elements) == sorted(site.specie.symbol for site in structure)
    assert atoms.volume == pytest.approx(structure.volume, rel=1e-4)
    assert same_distances(atoms, structure)


def test_two_atoms_on_one_site_are_rejected(tmp_path):
    clash = Structure(Lattice.cubic(4), ["Na", "Na"], [[0, 0, 0], [0, 0, 1e-6]])
    with pytest.raises(CifError, match="closer than"):
        write_cif(clash, tmp_path / "x.cif")
    assert not list(tmp_path.iterdir())


def test_a_site_near_one_third_does_not_move(tmp_path):
    long = Structure(Lattice.orthorhombic(4, 5, 40), ["Na", "Cl"], [[0, 0, 0.66661], [0.5, 0.5, 0.1]])
    write_cif(long, tmp_path / "x.cif")
    (sodium,) = (site for site in read_cif(tmp_path / "x.cif") if site.specie.symbol == "Na")
    assert sodium.frac_coords[2] == pytest.approx(0.66661, abs=1e-9)


def test_a_file_without_a_structure_is_an_error(tmp_path):
    (tmp_path / "x.cif").write_text("data_empty\n_cell_length_a 1.0\n")
    with pytest.raises(CifError, match="cannot be read"):
        read_cif(tmp_path / "x.cif")


def run(tmp_path, cells, n_shards, **settings):
    materials = [material_from_entry(entry(mat_id, cell)) for mat_id, cell in cells.items()]
    sample = sample_table(materials, "f", range(len(materials)))
    write_table(tmp_path / "sample.parquet", sample, SAMPLE)
    found = {}
    for shard in range(n_shards):
        folder = tmp_path / f"{n_shards}-{shard}"
        manifest, rejected = folder.with_suffix(".parquet"), folder.with_suffix(".rejected.parquet")
        main(
            tmp_path / "sample.parquet",
            folder,
            manifest,
            rejected,
            provenance=folder.with_suffix(".provenance.json"),
            shard=shard,
            n_shards=n_shards,
            **settings,
        )
        table = read_table(manifest, STRUCTURES)
        assert sorted(path.name for path in folder.iterdir()) == sorted(table["cif"])
        found |= dict(zip(table["mat_id"], table["sha256"], strict=True))
    return found, list(read_table(rejected, REJECTS)["reason"])


def test_any_number_of_shards_make_up_the_sample(tmp_path):
    whole, _ = run(tmp_path, structures(), 1, max_rejected_fraction=0.0)
    parts, _ = run(tmp_path, structures(), 3, max_rejected_fraction=0.0)
    assert whole == parts
    assert set(whole) == set(structures())


def test_a_material_that_cannot_be_written_does_not_stop_the_others(tmp_path):
    cells = structures() | {"clash": Structure(Lattice.cubic(4), ["Na", "Na"], [[0, 0, 0], [0, 0, 1e-6]])}
    found, reasons = run(tmp_path, cells, 1, max_rejected_fraction=0.1)
    assert set(found) == set(structures())
    assert len(reasons) == 1


def test_the_structure_in_the_sample_is_that_of_the_source(tmp_path):
    material = material_from_entry(entry("a", rock_salt("Na", "Cl", 5.64)))
    assert json.loads(material.structure)["sites"][1]["abc"] == [0.5, 0.5, 0.5]
