"""Hand-made structure files, and a sample of any sources."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
from pymatgen.core import Structure
from pymatgen.io.cif import CifWriter
from pymatgen.io.vasp import Poscar

import sample as script

NACL_CIF = """data_NaCl
_symmetry_space_group_name_H-M   'P 1'
_cell_length_a   4.0
_cell_length_b   4.0
_cell_length_c   4.0
_cell_angle_alpha   90
_cell_angle_beta   90
_cell_angle_gamma   90
_chemical_formula_sum   'Na1 Cl1'
loop_
 _atom_site_type_symbol
 _atom_site_label
 _atom_site_fract_x
 _atom_site_fract_y
 _atom_site_fract_z
 _atom_site_occupancy
  Na  Na0  0.0  0.0  0.0  1
  Cl  Cl1  0.5  0.5  0.5  1
"""
NACL_POSCAR = """NaCl
1.0
4.0 0.0 0.0
0.0 4.0 0.0
0.0 0.0 4.0
Na Cl
1 1
direct
0.0 0.0 0.0 Na
0.5 0.5 0.5 Cl
"""


def write_files(folder: Path, structures: Mapping[str, Structure], ending: str = ".cif") -> Path:
    """Write structures as CIF or POSCAR files."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, structure in structures.items():
        write = CifWriter(structure).write_file if ending == ".cif" else Poscar(structure).write_file
        write(folder / f"{name}{ending}")
    return folder


class Sampled:
    """A sample of everything in some sources."""

    def __init__(self, folder: Path, *sources: Any, **settings: Any) -> None:
        outputs = [folder / name for name in ("sample.parquet", "rejected.parquet", "summary.json")]
        defaults = {"n_materials": "all", "seed": 0, "filters": {}, "magnetization": "absolute"}
        script.main(list(sources), *outputs, **{**defaults, "max_rejected_fraction": 1.0, **settings})
        self.rows = pq.read_table(outputs[0]).to_pylist()
        self.rejected = pq.read_table(outputs[1]).to_pylist()
        self.summary = json.loads(outputs[2].read_text())

    @property
    def ids(self) -> list[str]:
        """Identifiers of the sample."""
        return [row["mat_id"] for row in self.rows]

    @property
    def data(self) -> dict[str, Any]:
        """What the sources state of each material."""
        return {row["mat_id"]: json.loads(row["data"]) for row in self.rows}

    @property
    def reasons(self) -> dict[str, str]:
        """Reason by file and identifier of each reject."""
        return {f"{Path(row['source_file']).name}:{row['mat_id']}": row["reason"] for row in self.rejected}
