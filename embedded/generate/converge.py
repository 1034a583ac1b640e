"""Calculate one embedded crystal at other settings than those of production, its structure kept.

Runs under the Python of ``calculate.py``. A failure is an error here: the scan needs all of its points.
"""

import argparse
import json
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from ase import Atoms
from calculate import cutoff_derivative, kpoint_grid, restore, rounded, single_point
from settings import digest
from stored_results import Json, write_json


def final_structure(mat_id: str, spec: Mapping[str, Any], finished: Path) -> Atoms:
    """Take the relaxed structure of a crystal out of the assembled entries.

    Parameters
    ----------
    mat_id : str
        Identifier of the crystal.
    spec : mapping
        The crystal, as in ``crystals.yaml``.
    finished : Path
        The assembled entries.

    Returns
    -------
    Atoms
        Cell and positions.

    Raises
    ------
    ValueError
        When the entries do not hold the crystal at the present settings.
    """
    result = restore(mat_id, spec, finished)
    if result is None:
        raise ValueError(f"{finished} does not hold {mat_id} at the present settings: calculate it first")
    return Atoms(result["symbols"], cell=result["lattice"], scaled_positions=result["positions"], pbc=True)


def main(
    mat_id: str,
    spec: Mapping[str, Any],
    cutoff: float,
    kpoint_density: float,
    output: Path,
    log: Path,
    finished: Path,
) -> None:
    """Calculate one crystal at one cutoff and one density of k-points.

    Parameters
    ----------
    mat_id : str
        Identifier of the crystal.
    spec : mapping
        The crystal, as in ``crystals.yaml``.
    cutoff : float
        Plane-wave cutoff in eV; the Pulay stress is taken anew at it.
    kpoint_density : float
        Points per inverse Angstrom of the final run.
    output : Path
        The result as JSON.
    log : Path
        GPAW's log.
    finished : Path
        The assembled entries.
    """
    output.parent.mkdir(parents=True, exist_ok=True)
    log.parent.mkdir(parents=True, exist_ok=True)
    structure = final_structure(mat_id, spec, finished)
    cpu = time.process_time()
    dedecut = cutoff_derivative(spec, cutoff, log)
    grid = kpoint_grid(spec, kpoint_density)
    result: Json = {
        **single_point(spec, structure, grid, log, cutoff, dedecut),
        "mat_id": mat_id,
        "prototype": spec["prototype"],
        "digest": digest(spec),
        "cutoff_ev": cutoff,
        "kpoint_density": kpoint_density,
        "cpu_s": rounded(time.process_time() - cpu, 1),
    }
    write_json(output, result)


def _arguments(argv: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--mat-id", required=True)
    parser.add_argument("--spec", required=True, type=json.loads, help="the crystal as JSON")
    parser.add_argument("--cutoff", required=True, type=float, help="eV")
    parser.add_argument("--kpoint-density", required=True, type=float, help="points per inverse Angstrom")
    parser.add_argument("--output", required=True, type=Path)
    parser.add_argument("--log", required=True, type=Path)
    parser.add_argument("--finished", required=True, type=Path)
    return parser.parse_args(argv)


if __name__ == "__main__":
    main(**vars(_arguments(sys.argv[1:])))
