"""Short CIFs and compositions of cells, and the stage that writes texts of structures."""

import re

import numpy as np
import pytest
import spglib
from described_structures import SALT, SHARED_SITE, check_described_shard, describe_shard, write_shard
from handmade import structures
from pymatgen.analysis.structure_matcher import StructureMatcher
from pymatgen.core import Lattice, Structure

from polyfacet.facets.text.compact_cif import CompactCifError, compact_cif
from polyfacet.facets.text.from_structures import texts_of_structures
from polyfacet.materials.cif import write_cif
from polyfacet.materials.formula import parse_formula
from polyfacet.runtime.errors import UserError
from polyfacet.sources.alexandria.entries import read_entries

SALT_CIF = """\
data_NaCl
_space_group_name_H-M_alt 'Fm-3m'
_space_group_name_Hall '-F 4 2 3'
_cell_length_a 5.64
_cell_length_b 5.64
_cell_length_c 5.64
_cell_angle_alpha 90
_cell_angle_beta 90
_cell_angle_gamma 90
loop_
_atom_site_type_symbol
_atom_site_symmetry_multiplicity
_atom_site_Wyckoff_symbol
_atom_site_fract_x
_atom_site_fract_y
_atom_site_fract_z
Na 4 a 0 0 0
Cl 4 b 0 0 0.5
"""
RUTILE = Structure.from_spacegroup(
    "P4_2/mnm", Lattice.tetragonal(4.594, 2.959), ["Ti", "O"], [[0, 0, 0], [0.3053, 0.3053, 0]]
)
QUARTZ = Structure.from_spacegroup(
    "P3_221", Lattice.hexagonal(4.913, 5.405), ["Si", "O"], [[0.4697, 0, 2 / 3], [0.4135, 0.2669, 0.7858]]
)
SPINEL = Structure.from_spacegroup(
    "Fd-3m:2",
    Lattice.cubic(8.08),
    ["Mg", "Al", "O"],
    [[1 / 8, 1 / 8, 1 / 8], [1 / 2, 1 / 2, 1 / 2], [0.2624, 0.2624, 0.2624]],
)
CORUNDUM = Structure.from_spacegroup(
    "R-3c:H", Lattice.hexagonal(4.759, 12.991), ["Al", "O"], [[0, 0, 0.3522], [0.3063, 0, 0.25]]
)
NO_SYMMETRY = Structure(
    Lattice.from_parameters(4.1, 5.2, 6.3, 81, 92, 103),
    ["Na", "K", "Cl", "F"],
    [[0.01, 0.02, 0.03], [0.52, 0.48, 0.11], [0.99998, 0.51, 0.47], [0.48, 0.03, 0.55]],
)
CRYSTALS = {
    **structures(),
    "rutile": RUTILE,
    "quartz": QUARTZ,
    "spinel": SPINEL,
    "corundum": CORUNDUM,
    "triclinic": NO_SYMMETRY,
}


def unfold(text):
    """Reconstruct the crystal from a short CIF and the symmetry operations of its Hall symbol."""
    cell = [float(value) for value in re.findall(r"^_cell_\w+ (\S+)$", text, re.MULTILINE)]
    symbol = re.search(r"Hall '(.*)'", text).group(1)
    number = next(i for i in range(1, 531) if spglib.get_spacegroup_type(i).hall_symbol == symbol)
    operations = spglib.get_symmetry_from_database(number)
    species, places = [], []
    for line in text.split("_atom_site_fract_z\n")[1].splitlines():
        element, multiplicity, _, *place = line.split()
        orbit = []
        for turn, shift in zip(operations["rotations"], operations["translations"], strict=True):
            image = turn @ np.array(place, dtype=float) + shift
            if all(abs(image - other - np.round(image - other)).max() > 2e-3 for other in orbit):
                orbit.append(image)
        assert len(orbit) == int(multiplicity), line
        species += [element] * len(orbit)
        places += orbit
    return Structure(Lattice.from_parameters(*cell), species, places)


def test_the_short_cif_of_rock_salt():
    assert compact_cif(SALT) == SALT_CIF


@pytest.mark.parametrize("crystal", CRYSTALS.values(), ids=CRYSTALS.keys())
def test_short_cif_describes_the_complete_crystal(crystal):
    unfolded = unfold(compact_cif(crystal))
    assert StructureMatcher(ltol=1e-3, stol=1e-2, angle_tol=0.1, scale=False).fit(crystal, unfolded)
    assert unfolded.density == pytest.approx(crystal.density, rel=2e-3)


def test_short_cif_does_not_depend_on_the_order_of_sites():
    for crystal in (RUTILE, SPINEL, CORUNDUM):
        reverse = Structure.from_sites(crystal.sites[::-1])
        assert compact_cif(reverse) == compact_cif(crystal) == compact_cif(crystal.copy())


def test_a_coordinate_that_rounds_to_one_is_zero():
    sites = compact_cif(NO_SYMMETRY).split("_atom_site_fract_z\n")[1].split()
    assert "1" not in sites[3::6] + sites[4::6] + sites[5::6]
    assert not any(word.startswith("-") for word in sites)


@pytest.mark.parametrize(
    ("crystal", "reason"),
    [
        (SHARED_SITE, "a site is shared"),
        (
            Structure(Lattice.cubic(3), ["Na", "Na"], [[0, 0, 0], [0, 0, 0.001]]),
            "symmetry cannot be determined",
        ),
    ],
    ids=["shared", "coinciding"],
)
def test_structure_without_a_short_cif_is_rejected_with_a_reason(crystal, reason):
    with pytest.raises(CompactCifError, match=reason):
        compact_cif(crystal)


def test_the_composition_of_the_cell_counts_its_atoms(tmp_path):
    cells = {
        "four": Structure.from_spacegroup("Fm-3m", Lattice.cubic(5), ["Ac"], [[0, 0, 0]]),
        "one": Structure(Lattice.cubic(4), ["Ac"], [[0, 0, 0]]),
        "rutile": RUTILE,
        "shared": SHARED_SITE,
        "charged": Structure(Lattice.cubic(4.1), ["Cs+", "Cl-"], [[0, 0, 0], [0.5, 0.5, 0.5]]),
    }
    paths = {name: tmp_path / f"{name}.cif" for name in cells}
    for name, cell in cells.items():
        write_cif(cell, paths[name])
    rows, rejects = texts_of_structures(paths.values(), "cell_composition")
    assert {row["mat_id"]: row["text"] for row in rows} == {
        "four": "Ac 4",
        "one": "Ac",
        "rutile": "Ti 2 O 4",
        "shared": "Cu 0.5 Au 0.5",
        "charged": "Cs Cl",
    }
    assert not rejects


def test_real_cells_are_counted_as_their_entries_say(shared, tmp_path):
    stated, same_order = {}, 0
    for _, entry in read_entries(shared / "data" / "alexandria_3d" / "alexandria_3d_small_110.json.bz2"):
        mat_id = entry["data"]["mat_id"]
        write_cif(Structure.from_dict(entry["structure"]), tmp_path / f"{mat_id}.cif")
        stated[mat_id] = entry["composition"]
    rows, _ = texts_of_structures(tmp_path.glob("*.cif"), "cell_composition")
    texts = {row["mat_id"]: row["text"] for row in rows}
    assert texts.keys() == stated.keys()
    for mat_id, text in texts.items():
        assert parse_formula(text) == stated[mat_id]
        same_order += list(parse_formula(text)) == list(stated[mat_id])
    assert same_order == 104


def test_the_stage_writes_texts_and_rejects(tmp_path):
    write_shard(tmp_path)
    describe_shard(tmp_path, "cif", max_rejected_fraction=0.7)
    check_described_shard(tmp_path, SALT_CIF)


def test_the_stage_stops_when_too_many_structures_cannot_be_described(tmp_path):
    write_shard(tmp_path)
    with pytest.raises(UserError, match="2 of 3 materials were rejected"):
        describe_shard(tmp_path, "cif", max_rejected_fraction=0.05)
    assert not (tmp_path / "text.parquet").exists()
