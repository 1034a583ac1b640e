"""Gather the results of the convergence scan into one small table, ``convergence.csv``."""

import argparse
import csv
import io
import json
import sys
from pathlib import Path

from convergence_points import POINTS, SCAN
from describe import pressure
from pymatgen.core import Composition
from stored_results import Json, write_bytes


def row_of(result: Json) -> dict[str, str]:
    """Convert one result to its row of the table; a molecule has no pressure."""
    sites = len(result["symbols"])
    return {
        "mat_id": result["mat_id"],
        "formula": Composition("".join(result["symbols"])).reduced_formula,
        "prototype": result["prototype"],
        "digest": result["digest"],
        "cutoff_ev": f"{result['cutoff_ev']:g}",
        "kpoint_density": f"{result['kpoint_density']:g}",
        "kpoints": str(result["kpoints"]),
        "e_total_ev_per_atom": f"{result['energy'] / sites:.6f}",
        "gap_ev": f"{result['band_gap_ind']:.4f}",
        "moment_mu_b_per_atom": f"{abs(result['total_mag']) / sites:.4f}",
        "dos_ef_per_ev_per_atom": f"{result['dos_ef'] / sites:.5f}",
        "pressure_gpa": "" if result["stress"] is None else f"{pressure(result['stress']):.3f}",
        "cpu_s": f"{result['cpu_s']:.1f}",
    }


def main(results: Path, embedded: Path) -> None:
    """Write ``convergence.csv``.

    Parameters
    ----------
    results : Path
        Folder with one JSON file per crystal and point of the scan; all must exist.
    embedded : Path
        Folder that receives the table.
    """
    paths = [results / f"{mat_id}_{label}.json" for mat_id in SCAN["crystals"] for label in POINTS]
    rows = [row_of(json.loads(path.read_text())) for path in paths]
    text = io.StringIO()
    writer = csv.DictWriter(text, rows[0].keys(), lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    write_bytes(embedded / "convergence.csv", text.getvalue().encode())


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--results", required=True, type=Path)
    parser.add_argument("--embedded", required=True, type=Path)
    main(**vars(parser.parse_args(sys.argv[1:])))
