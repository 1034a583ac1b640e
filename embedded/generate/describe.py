"""Print the contents of the embedded entries as Markdown: the numbers of the data card."""

import argparse
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from stored_results import Json, read_document

GPA_PER_EV_PER_A3 = 160.21766
#: Below these a crystal counts as non-magnetic (Bohr magnetons per atom) and as stable (eV/atom).
MAGNETIC_MOMENT = 0.05
STABLE_ENERGY = 1e-6


def volume_per_atom(entry: Mapping[str, Any]) -> float:
    """Return the cell volume per site, in cubic Angstrom."""
    return abs(float(np.linalg.det(entry["structure"]["lattice"]["matrix"]))) / int(entry["data"]["nsites"])


def moment_per_atom(entry: Mapping[str, Any]) -> float:
    """Return the magnitude of the total moment per site, in Bohr magnetons."""
    return abs(float(entry["data"]["total_mag"])) / int(entry["data"]["nsites"])


def pressure(stress: Sequence[Sequence[float]]) -> float:
    """Return the pressure in GPa: minus a third of the trace of a stress in eV/Angstrom^3."""
    return -GPA_PER_EV_PER_A3 * float(np.trace(stress)) / 3.0


TARGETS: dict[str, Callable[[Json], float]] = {
    "gap (eV)": lambda entry: float(entry["data"]["band_gap_ind"]),
    "e_form (eV/atom)": lambda entry: float(entry["data"]["e_form"]),
    "e_hull (eV/atom)": lambda entry: float(entry["data"]["e_above_hull"]),
    "e_total (eV/atom)": lambda entry: float(entry["data"]["energy_total"] / entry["data"]["nsites"]),
    "mag_vol (mu_B/A^3)": lambda entry: moment_per_atom(entry) / volume_per_atom(entry),
    "vol_atom (A^3/atom)": volume_per_atom,
    "dos_ef (states/eV/atom)": lambda entry: float(entry["data"]["dos_ef"] / entry["data"]["nsites"]),
}


def counts(document: Json) -> list[tuple[str, Any]]:
    """Count the entries and their kinds.

    Parameters
    ----------
    document : dict
        The assembled entries.

    Returns
    -------
    list of tuple
        Label and count.
    """
    entries = document["entries"]
    data = [entry["data"] for entry in entries]
    pressures = np.abs(
        [pressure(entry["data"]["stress"]) for entry in entries if entry["parameters"]["relaxed"] != "none"]
    )
    return [
        ("entries", len(entries)),
        ("molecules that serve as elemental references", len(document["molecular_references"])),
        ("chemical elements", len({symbol for row in data for symbol in row["elements"]})),
        ("prototypes", len({row["prototype_id"] for row in data})),
        ("formulas", len({row["formula"] for row in data})),
        *[
            (
                f"with {count} element{'s' if count > 1 else ''}",
                sum(len(row["elements"]) == count for row in data),
            )
            for count in (1, 2, 3)
        ],
        ("sites in a cell, at most", max(row["nsites"] for row in data)),
        ("with a band gap", sum(row["band_gap_ind"] > 0 for row in data)),
        ("magnetic", sum(moment_per_atom(entry) > MAGNETIC_MOMENT for entry in entries)),
        ("on the hull of this set", sum(row["e_above_hull"] < STABLE_ENERGY for row in data)),
        (
            "kept at the starting structure, which was within the tolerance",
            sum(entry["parameters"]["relaxation_steps"] == 0 for entry in entries),
        ),
        (
            "relaxation not converged",
            sum(not entry["parameters"]["relaxation_converged"] for entry in entries),
        ),
        ("residual pressure, median (GPa)", f"{np.median(pressures):.2f}"),
        ("residual pressure, 95th percentile (GPa)", f"{np.percentile(pressures, 95):.2f}"),
        ("CPU time (h)", f"{sum(entry['parameters']['cpu_s'] for entry in entries) / 3600:.1f}"),
    ]


def n_nontrivial(values: NDArray[np.float64]) -> int:
    """Count the values that differ from the most frequent one in their first three decimal places."""
    _, counts = np.unique(np.round(values, 3), return_counts=True)
    return len(values) - int(counts.max())


def ranges(entries: Sequence[Json]) -> list[list[str]]:
    """Return the smallest, median and largest value of each target, and the number of non-trivial ones."""
    rows = []
    for name, target in TARGETS.items():
        values = np.array([target(entry) for entry in entries])
        extent = (f"{value:.3f}" for value in (values.min(), np.median(values), values.max()))
        rows.append([name, *extent, str(n_nontrivial(values))])
    return rows


def markdown(header: Sequence[str], rows: Sequence[Sequence[Any]], n_left: int = 1) -> str:
    """Format a Markdown table: the first columns left-aligned, numbers right-aligned."""
    lines = [header, [*["---"] * n_left, *["---:"] * (len(header) - n_left)], *rows]
    return "\n".join("| " + " | ".join(str(cell) for cell in line) + " |" for line in lines)


def main(embedded: Path) -> None:
    """Print the counts and the ranges of the targets.

    Parameters
    ----------
    embedded : Path
        Folder with ``entries.json.bz2``.
    """
    document = read_document(embedded / "entries.json.bz2")
    print(markdown(["what", "number"], counts(document)))
    print()
    header = ["objective", "smallest", "median", "largest", "non-trivial"]
    print(markdown(header, ranges(document["entries"])))


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--embedded", required=True, type=Path)
    main(**vars(parser.parse_args(sys.argv[1:])))
