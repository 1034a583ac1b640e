"""Magnetic CIFs are read without moments and time reversal; their operations must be the stated group."""

import pytest

from polyfacet.sources.structures.texts import crystal_from_cif
from polyfacet.sources.values import InvalidEntryError

OPERATIONS = [
    "x,y,z,+1",
    "x+1/2,-y+1/2,-z+1/2,+1",
    "-x,y+1/2,-z,-1",
    "-x+1/2,-y,z+1/2,-1",
    "-x,-y,-z,+1",
    "-x+1/2,y+1/2,z+1/2,+1",
    "x,-y+1/2,z,-1",
    "x+1/2,y,-z+1/2,-1",
]
PNMA = ["_space_group_magn.number_BNS 62.447", "_space_group_magn.name_BNS \"Pn'ma'\""]


def perovskite(group=PNMA, operations=OPERATIONS, centrings=("x,y,z,+1",)):
    """Return the magnetic CIF of a perovskite."""
    loop = "loop_\n_space_group_symop_magn_operation.xyz\n" + "\n".join(operations) if operations else ""
    centred = "loop_\n_space_group_symop_magn_centering.xyz\n" + "\n".join(centrings) if operations else ""
    return "\n".join(
        [
            "data_x",
            *group,
            "_cell_length_a 5.6\n_cell_length_b 7.6\n_cell_length_c 5.3",
            "_cell_angle_alpha 90\n_cell_angle_beta 90\n_cell_angle_gamma 90",
            loop,
            centred,
            "loop_\n_atom_site_label\n_atom_site_fract_x\n_atom_site_fract_y\n_atom_site_fract_z",
            "La1 0.02 0.25 0.99\nMn1 0 0 0.5\nO1 0.49 0.25 0.07\nO2 0.27 0.03 0.72",
            "loop_\n_atom_site_moment.label\n_atom_site_moment.crystalaxis_x",
            "_atom_site_moment.crystalaxis_y\n_atom_site_moment.crystalaxis_z\nMn1 3.8 0 0\n",
        ]
    )


@pytest.mark.parametrize("group", [PNMA, PNMA[:1], PNMA[1:], []])
def test_operations_are_applied_without_time_reversal(group):
    assert len(crystal_from_cif(perovskite(group)).structure["sites"]) == 20


@pytest.mark.parametrize("group", [PNMA, PNMA[:1], PNMA[1:]])
def test_operations_follow_from_the_magnetic_group(group):
    assert len(crystal_from_cif(perovskite(group, [])).structure["sites"]) == 20


@pytest.mark.parametrize(
    ("operations", "centrings", "reason"),
    [
        (OPERATIONS[:5], ["x,y,z,+1"], "the 5 symmetry operations are not a group"),
        (OPERATIONS[1:], ["x,y,z,+1"], "lack the identity"),
        (["x,y,z,+1", "-y,x-y,z,+1"], ["x,y,z,+1"], "not a group"),
        (["x,y,z,+1", "x,y,q,+1"], ["x,y,z,+1"], "'x,y,q' is not of the form"),
        (OPERATIONS, ["x,y,z,+1", "x+1/3,y,z,-1"], "not a group"),
        ([*OPERATIONS[:1], "x,z,y,+1"], ["x,y,z,+1"], "do not have the symmetry"),
    ],
)
def test_operations_that_are_not_a_group_of_the_cell_are_a_reject(operations, centrings, reason):
    with pytest.raises(InvalidEntryError, match=reason):
        crystal_from_cif(perovskite([], operations, centrings))


@pytest.mark.parametrize("group", [PNMA, PNMA[:1], PNMA[1:]])
def test_fewer_operations_than_those_of_the_stated_group_are_a_reject(group):
    with pytest.raises(InvalidEntryError, match="states space group '62', but lists the operations of"):
        crystal_from_cif(perovskite(group, [OPERATIONS[0], OPERATIONS[4]]))


def test_a_group_without_its_operations_is_a_reject():
    with pytest.raises(InvalidEntryError, match="states space group '62', but no symmetry operation"):
        crystal_from_cif(perovskite(PNMA, OPERATIONS[:1]))


def test_antitranslations_are_more_operations_than_those_of_the_stated_group():
    # Without time reversal, the cell of an antiferromagnet along the axis is two cells.
    lines = ["_space_group_magn.number_BNS 1.3", '_space_group_magn.name_BNS "P_S1"']
    text = perovskite(lines, OPERATIONS[:1], ["x,y,z,+1", "x,y,z+1/2,-1"])
    assert len(crystal_from_cif(text).structure["sites"]) == 8
