"""Texts of structures: the short CIF and Robocrystallographer's sentences."""

import re

import numpy as np
import pandas as pd
import pytest
import spglib
from handmade import list_structures, rock_salt, structures
from pymatgen.analysis.structure_matcher import StructureMatcher
from pymatgen.core import Lattice, Structure
from robocrys.condense.molecule import MoleculeNamer

from describe_structures import main
from polyfacet.facets.text.compact_cif import CompactCifError, compact_cif
from polyfacet.facets.text.robocrystallographer import Describer, DescriptionError
from polyfacet.materials.cif import write_cif
from polyfacet.materials.stage_tables import TEXTS
from polyfacet.runtime.errors import UserError
from polyfacet.runtime.parquet import read_table
from polyfacet.runtime.rejects import REJECTS

SALT = rock_salt("Na", "Cl", 5.64)
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
SALT_SENTENCES = (
    "NaCl is Halite, Rock Salt structured and crystallizes in the cubic Fm-3m space group. Na(1) is bonded "
    "to six equivalent Cl(1) atoms to form a mixture of corner and edge-sharing NaCl6 octahedra. The "
    "corner-sharing octahedra are not tilted. All Na(1)-Cl(1) bond lengths are 2.82 Å. Cl(1) is bonded to "
    "six equivalent Na(1) atoms to form a mixture of corner and edge-sharing ClNa6 octahedra. The "
    "corner-sharing octahedra are not tilted."
)
COPPER = Structure.from_spacegroup("Fm-3m", Lattice.cubic(3.61), ["Cu"], [[0, 0, 0]])
COPPER_SENTENCES = (
    "Cu is Copper structured and crystallizes in the cubic Fm-3m space group. Cu(1) is bonded to twelve "
    "equivalent Cu(1) atoms to form a mixture of corner, edge, and face-sharing CuCu12 cuboctahedra. All "
    "Cu(1)-Cu(1) bond lengths are 2.55 Å."
)
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
SHARED_SITE = Structure(Lattice.cubic(3.6), [{"Cu": 0.5, "Au": 0.5}], [[0, 0, 0]])
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


@pytest.fixture(scope="module")
def describe():
    return Describer()


def test_robocrystallographer_sentences_have_a_fixed_word_order(describe):
    # "corner", "edge" and "face" come from sets, whose order would change with each test run.
    assert describe(SALT) == SALT_SENTENCES
    assert describe(COPPER) == COPPER_SENTENCES


def test_sentences_do_not_depend_on_the_choice_of_cell(describe):
    supercell = SALT.copy()
    supercell.make_supercell([1, 1, 2])
    assert describe(supercell) == SALT_SENTENCES


def test_molecule_names_are_not_looked_up(describe, monkeypatch):
    for name in ("get_name_from_molecule_graph", "get_name_from_pubchem"):
        monkeypatch.setattr(MoleculeNamer, name, lambda *_: pytest.fail("asked for a name"))
    nitrogen = Structure(Lattice.cubic(6), ["N", "N"], [[0, 0, 0], [0, 0, 1.1 / 6]])
    assert "zero-dimensional" in describe(nitrogen)


def test_structure_that_cannot_be_described_is_rejected_with_a_reason(describe, monkeypatch):
    with pytest.raises(DescriptionError, match="a site is shared"):
        describe(SHARED_SITE)
    monkeypatch.setattr(describe, "condenser", None)
    with pytest.raises(DescriptionError, match="Robocrystallographer: AttributeError"):
        describe(SALT)


@pytest.fixture
def shard(tmp_path):
    """Return a folder with CIFs of rock salt and of an alloy, an empty CIF, and the table that lists them."""
    write_cif(SALT, tmp_path / "salt.cif")
    write_cif(SHARED_SITE, tmp_path / "alloy.cif")
    (tmp_path / "empty.cif").touch()
    list_structures(tmp_path, ["salt", "alloy", "empty"], tmp_path / "shard-0.parquet")
    return tmp_path


def test_machine_failure_is_not_a_reject(monkeypatch):
    describer = Describer()

    def fail(*_):
        raise MemoryError

    monkeypatch.setattr(describer.condenser, "condense_structure", fail)
    with pytest.raises(MemoryError):
        describer(SALT)


@pytest.mark.parametrize(("variant", "text"), [("cif", SALT_CIF), ("robocrystallographer", SALT_SENTENCES)])
def test_the_stage_writes_texts_and_rejects(shard, variant, text):
    main(
        shard,
        shard / "shard-0.parquet",
        shard / "text.parquet",
        shard / "rejected.parquet",
        provenance=shard / "provenance.json",
        form=variant,
        max_rejected_fraction=0.7,
    )
    expected = pd.DataFrame({"mat_id": ["salt"], "text": [text]})
    pd.testing.assert_frame_equal(read_table(shard / "text.parquet", TEXTS), expected)
    rejects = read_table(shard / "rejected.parquet", REJECTS).set_index("mat_id")["reason"]
    assert list(rejects.index) == ["alloy", "empty"]
    assert "empty.cif" in rejects["empty"]
    assert "a site is shared" in rejects["alloy"]


def test_the_stage_stops_when_too_many_structures_cannot_be_described(shard):
    with pytest.raises(UserError, match="2 of 3 materials were rejected"):
        main(
            shard,
            shard / "shard-0.parquet",
            shard / "text.parquet",
            shard / "rejected.parquet",
            provenance=shard / "provenance.json",
            form="cif",
            max_rejected_fraction=0.05,
        )
    assert not (shard / "text.parquet").exists()
