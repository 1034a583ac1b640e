"""A POSCAR whose parts do not fit together is a reject, never another crystal."""

import pytest
from crystal_files import NACL_POSCAR
from handmade import structures
from pymatgen.core import Lattice, Structure
from pymatgen.io.vasp import Poscar

from polyfacet.sources.structures.texts import crystal_from_poscar
from polyfacet.sources.values import InvalidEntryError

LINES = NACL_POSCAR.splitlines()
VELOCITIES = "\n0.1 0.2 0.3\n0.1 0.2 0.3\n"
LATTICE_VELOCITIES = "Lattice velocities and vectors\n  1\n" + "0.0 0.0 0.0\n" * 3 + "4.0 0.0 0.0\n" * 3
FIXED = (
    NACL_POSCAR.replace("direct", "Selective dynamics\nDirect")
    .replace("0 Na", "0 T T F")
    .replace("5 Cl", "5 T F F")
)


XDATCAR = NACL_POSCAR.replace("direct", "Direct configuration= 1") + "\n".join(
    ["Direct configuration= 2", "0.0 0.0 0.0", "0.5 0.5 0.6\n"]
)


def poscar(symbols="Na Cl", counts="1 1", mode="direct", positions=LINES[8:]):
    lines = [*LINES[:5], symbols, counts, mode, *positions]
    return "".join(f"{line}\n" for line in lines if line is not None)


def n_sites(text):
    return len(crystal_from_poscar(text).structure["sites"])


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        (poscar(counts="2"), r"names 2 elements \('Na Cl'\), but has 1 number of atoms \('2'\)"),
        (poscar(counts="1"), "names 2 elements"),
        (poscar(symbols="Na Cl O"), "names 3 elements .* but has 2 numbers"),
        (poscar(symbols="Na"), "names 1 element .* but has 2 numbers"),
        (
            poscar(positions=[*LINES[8:], "0.2 0.2 0.2"]),
            r"2 atoms, but more lines of positions: .* \(line 11\)",
        ),
        (poscar(positions=LINES[8:9]), "2 atoms, but only 1 line of positions"),
        (NACL_POSCAR + NACL_POSCAR, "followed by a second one"),
        (NACL_POSCAR + "\n" + NACL_POSCAR, "followed by a second one"),
        (NACL_POSCAR + VELOCITIES + "\n" + NACL_POSCAR, "followed by a second one"),
        (XDATCAR, "followed by other frames"),
        (XDATCAR.replace("Direct configuration= 2", "\nDirect configuration= 2"), "followed by other frames"),
        (poscar(symbols="Cl Na"), "atom 1 of the POSCAR is Cl by .*, but Na by the label"),
        (poscar(symbols="Na_pv F", positions=["0 0 0 T T F Na1", "0.5 0.5 0.5 F F F Cl2"]), "atom 2 .* is F"),
        (poscar(symbols="NA CL"), "unknown element 'NA'"),
        (poscar(mode=None), "no line `Direct` or `Cartesian`"),
        (poscar(mode=None, positions=[*LINES[8:], "0.2 0.2 0.2"]), "no line `Direct` or `Cartesian`"),
        (poscar(counts="1 one"), "'1 one' is where the POSCAR should have numbers"),
        (poscar(counts="2 -1"), "'2 -1' is where the POSCAR should have numbers"),
        (poscar(counts="0 0"), "'0 0' is where the POSCAR should have numbers"),
        (NACL_POSCAR.replace("0.0 4.0 0.0", "0.0 4.0"), "vector in line 4 is '0.0 4.0', not three numbers"),
        (NACL_POSCAR.replace("0.0 4.0 0.0", "0.0 4.0 x"), "vector in line 4 is '0.0 4.0 x'"),
        ("NaCl", "ends before the elements"),
    ],
)
def test_parts_that_do_not_fit_are_a_reject(text, reason):
    with pytest.raises(InvalidEntryError, match=reason):
        crystal_from_poscar(text)


@pytest.mark.parametrize(
    "text",
    [
        NACL_POSCAR.replace("\n", "\r\n"),
        NACL_POSCAR.replace("\n", "\r"),
        NACL_POSCAR.removeprefix("NaCl"),
        NACL_POSCAR + "\n\n \n",
        NACL_POSCAR + VELOCITIES,
        NACL_POSCAR + "\n" + VELOCITIES,
        NACL_POSCAR + LATTICE_VELOCITIES + VELOCITIES,
        NACL_POSCAR + "written by a program\n",
        FIXED,
        FIXED + VELOCITIES,
        poscar(symbols="Na_pv Cl/0a1b2c"),
        poscar(symbols="Na_pv Cl", positions=["0 0 0 Na1", "0.5 0.5 0.5 Cl_2"]),
        poscar(positions=["0 0 0 Cl", "0.5 0.5 0.5 ! Na"]),
        poscar(positions=["0 0 0 In plane", "0.5 0.5 0.5 In plane"]),
        poscar(symbols="Na H", positions=["0 0 0 Na", "0.5 0.5 0.5 D"]),
        poscar(positions=["0 0 0 T F F", "0.5 0.5 0.5 F F F"]),
        XDATCAR.partition("Direct configuration= 2")[0],
        poscar(symbols="Na\nCl", counts="1\n1"),
        poscar(mode="Cartesian"),
        poscar(symbols=None, counts="1 1"),
        NACL_POSCAR.replace("1.0\n", "1.0 # scale\n", 1),
        NACL_POSCAR.replace("1.0\n", "1.0 ! scale\n", 1),
        poscar(symbols="Na Cl ! salt", counts="1 1  !numbers", mode="direct ! or Cartesian"),
    ],
)
def test_what_vasp_allows_is_read(text):
    assert n_sites(text) == 2


def test_long_lists_of_elements_are_read():
    mixed = Structure(Lattice.cubic(20), ["Fe", "Cr"] * 15, [[i / 30, i / 30, 0] for i in range(30)])
    text = str(Poscar(mixed))
    words = [line for line in text.splitlines() if line.startswith(("Fe", "1"))]
    assert n_sites(text) == 30
    symbols, counts = words[-2], words[-1]
    split = text.replace(symbols, _halves(symbols)).replace(counts, _halves(counts))
    assert n_sites(split) == 30


def _halves(line):
    words = line.split()
    return " ".join(words[:20]) + "\n" + " ".join(words[20:])


@pytest.mark.parametrize("name", structures())
def test_what_pymatgen_writes_is_read(name):
    structure = structures()[name]
    assert n_sites(str(Poscar(structure))) == len(structure)
