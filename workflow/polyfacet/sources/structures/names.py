"""Names of files with crystals other than entries."""

import re

from polyfacet.sources.compression import ENDINGS

# CIF; POSCAR and CONTCAR as VASP and its users name them (POSCAR, POSCAR_NaCl, NaCl.POSCAR, NaCl.vasp).
CIF = re.compile(r".+\.m?cif(\.gz)?", re.IGNORECASE)
POSCAR = re.compile(r"((POSCAR|CONTCAR)(\d+|[._-].+)?|.+\.(vasp|poscar|contcar))(\.gz)?", re.IGNORECASE)
TABLE = re.compile(rf".+\.(csv({'|'.join(map(re.escape, ENDINGS))})?|parquet|pq)", re.IGNORECASE)
EXTENDED_XYZ = re.compile(r".+\.(extxyz|xyz)(\.gz)?", re.IGNORECASE)
NAMES_OF_STRUCTURE_FILES = ".cif, .mcif, .vasp, .poscar, POSCAR*, CONTCAR*; also compressed: .gz"


def is_structure_file_name(name: str) -> bool:
    """Return whether a file is named like a CIF or POSCAR file."""
    # The first test is a shortcut for folders with very many files.
    return name.endswith(".cif") or bool(CIF.fullmatch(name) or POSCAR.fullmatch(name))


def plain_file_name(stated: str) -> str:
    """Return the name of a file as a row states it, without spaces around it or `./` before it."""
    return re.sub(r"^(\./+)+", "", stated.strip())


def without_ending(name: str) -> str:
    """Return the name of a structure file without its ending, and without that of a compression."""
    stem = re.sub(r"\.gz$", "", name, flags=re.IGNORECASE)
    return re.sub(r"(?<=.)\.(m?cif|vasp|poscar|contcar)$", "", stem, flags=re.IGNORECASE)
