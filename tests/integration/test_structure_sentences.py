"""Robocrystallographer's sentences about structures.

Importing it takes many seconds: the tests do so, that only the process that runs them waits for it.
"""

from typing import TYPE_CHECKING

import pytest
from described_structures import SALT, SHARED_SITE, check_described_shard, describe_shard, write_shard
from planted_failures import OUT_OF_MEMORY, planted, raising
from pymatgen.core import Lattice, Structure

if TYPE_CHECKING:
    from polyfacet.facets.text.robocrystallographer import Describer

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


@pytest.fixture(scope="module")
def describe() -> "Describer":
    from polyfacet.facets.text.robocrystallographer import Describer

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
    from robocrys.condense.molecule import MoleculeNamer

    for name in ("get_name_from_molecule_graph", "get_name_from_pubchem"):
        monkeypatch.setattr(MoleculeNamer, name, lambda *_: pytest.fail("asked for a name"))
    nitrogen = Structure(Lattice.cubic(6), ["N", "N"], [[0, 0, 0], [0, 0, 1.1 / 6]])
    assert "zero-dimensional" in describe(nitrogen)


def test_structure_that_cannot_be_described_is_rejected_with_a_reason(describe, monkeypatch):
    from polyfacet.facets.text.robocrystallographer import DescriptionError

    with pytest.raises(DescriptionError, match="a site is shared"):
        describe(SHARED_SITE)
    monkeypatch.setattr(describe, "condenser", None)
    with pytest.raises(DescriptionError, match="Robocrystallographer: AttributeError"):
        describe(SALT)


def test_machine_failure_is_not_a_reject(describe, monkeypatch):
    monkeypatch.setattr(describe.condenser, "condense_structure", raising(MemoryError()))
    with pytest.raises(MemoryError):
        describe(SALT)


@planted
def test_a_crystal_is_not_left_undescribed_for_lack_of_memory(describe, monkeypatch, error):
    monkeypatch.setattr(describe.condenser, "condense_structure", raising(error))
    with pytest.raises(OUT_OF_MEMORY):
        describe(SALT)


def test_the_stage_writes_texts_and_rejects(tmp_path):
    write_shard(tmp_path)
    describe_shard(tmp_path, "robocrystallographer", max_rejected_fraction=0.7)
    check_described_shard(tmp_path, SALT_SENTENCES)
