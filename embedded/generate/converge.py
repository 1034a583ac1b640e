"""Calculate one embedded crystal at its final structure, at settings other than those of production.

Runs under the Python of ``calculate.py``. A failure is an error here, as the scan needs all of its points.
"""

import argparse
import json
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from ase import Atoms
from calculate import cutoff_derivative, restore
from settings import digest
from single_point import rounded, single_point, stored_structure
from stored_results import Json, scan_points, scan_results, write_json


def final_structure(mat_id: str, spec: Mapping[str, Any], finished: Sequence[Path]) -> Atoms:
    """Return the relaxed structure of a crystal from finished results.

    Parameters
    ----------
    mat_id : str
        Identifier of the crystal.
    spec : mapping
        The crystal, as in ``crystals.yaml``.
    finished : sequence of Path
        Results of earlier runs, as for :func:`calculate.restore`.

    Returns
    -------
    Atoms
        Cell and positions.

    Raises
    ------
    ValueError
        When they do not hold the crystal at the present settings.
    """
    result = restore(mat_id, spec, finished)
    if result is None or "failure" in result:
        raise ValueError(
            f"{' and '.join(map(str, finished))} do not hold {mat_id} at the present settings: "
            "calculate it first"
        )
    return stored_structure(spec, result)


def main(
    mat_id: str,
    spec: Mapping[str, Any],
    cutoff: float,
    kpoint_density: float,
    output: Path,
    log: Path,
    finished: Sequence[Path],
) -> None:
    """Calculate one crystal at one cutoff and one density of k-points, or reuse a finished result.

    Parameters
    ----------
    mat_id : str
        Identifier of the crystal.
    spec : mapping
        The crystal, as in ``crystals.yaml``.
    cutoff : float
        Plane-wave cutoff in eV; the Pulay stress is re-evaluated at it.
    kpoint_density : float
        Points per inverse Angstrom of the final run.
    output : Path
        The result as JSON.
    log : Path
        GPAW's log.
    finished : sequence of Path
        Results of earlier runs, as for :func:`calculate.restore`.
    """
    output.parent.mkdir(parents=True, exist_ok=True)
    log.parent.mkdir(parents=True, exist_ok=True)
    rows = (row for path in finished for row in scan_results(path))
    earlier = scan_points(rows, {mat_id: spec}).get((mat_id, cutoff, kpoint_density))
    if earlier is not None:
        write_json(output, earlier)
        return
    structure = final_structure(mat_id, spec, finished)
    cpu = time.process_time()
    dedecut = cutoff_derivative(spec, cutoff, log)
    result: Json = {
        **single_point(spec, structure, kpoint_density, log, cutoff, dedecut),
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
    parser.add_argument("--finished", required=True, type=Path, nargs="+")
    return parser.parse_args(argv)


if __name__ == "__main__":
    main(**vars(_arguments(sys.argv[1:])))
