"""Print the errors of the settings from the convergence scan as Markdown: part of the data card."""

import argparse
import csv
import math
import sys
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import fmean, median, pstdev

from convergence_points import CUTOFF_SCAN, DENSITY_SCAN, PRODUCTION, SCAN, Point
from describe import MAGNETIC_MOMENT, TARGETS, markdown
from stored_results import read_document


@dataclass(frozen=True)
class Measured:
    """One crystal at one point of the scan: energies in eV, moment in Bohr magnetons etc., per atom."""

    name: str
    molecule: bool
    energy: float
    gap: float
    moment: float
    dos_ef: float
    pressure: float


#: Identifier and point to the measurement.
Scan = Mapping[tuple[str, Point], Measured]


def read_scan(path: Path) -> dict[tuple[str, Point], Measured]:
    """Read ``convergence.csv``."""
    with path.open(encoding="utf-8", newline="") as lines:
        return {
            (row["mat_id"], Point(float(row["cutoff_ev"]), float(row["kpoint_density"]))): Measured(
                name=f"{row['formula']}, {row['prototype'].replace('_', ' ')}",
                molecule=row["prototype"] == "molecule",
                energy=float(row["e_total_ev_per_atom"]),
                gap=float(row["gap_ev"]),
                moment=float(row["moment_mu_b_per_atom"]),
                dos_ef=float(row["dos_ef_per_ev_per_atom"]),
                pressure=float(row["pressure_gpa"] or "nan"),
            )
            for row in csv.DictReader(lines)
        }


def energy_errors(weights: Mapping[str, float], points: Sequence[Point], scan: Scan) -> list[float]:
    """Return the deviations of an energy from its value at the last point of a scan.

    Parameters
    ----------
    weights : mapping
        Identifiers to the weights of their energies per atom.
    points : sequence of Point
        Points of the scan, the best one last.
    scan : mapping
        The measurements.

    Returns
    -------
    list of float
        One deviation in meV/atom for each point except the last.
    """
    energies = [weighted_energy(weights, point, scan) for point in points]
    return [1000.0 * (energy - energies[-1]) for energy in energies[:-1]]


def weighted_energy(weights: Mapping[str, float], point: Point, scan: Scan) -> float:
    """Return the weighted sum of energies per atom, in eV."""
    return sum(weight * scan[mat_id, point].energy for mat_id, weight in weights.items())


def production_error(weights: Mapping[str, float], points: Sequence[Point], scan: Scan) -> float:
    """Return the deviation of an energy at production settings from the best point, in meV/atom."""
    return energy_errors(weights, points, scan)[points.index(PRODUCTION)]


def change(value: float, best: float, digits: int) -> str:
    """Format the deviation of a value from the best one."""
    return f"{value - best:+.{digits}f}"


def cutoff_table(scan: Scan) -> str:
    """Return the table of the cutoff scan."""
    best = CUTOFF_SCAN[-1]
    rows = []
    for mat_id in SCAN["crystals"]:
        here, there = scan[mat_id, PRODUCTION], scan[mat_id, best]
        rows.append(
            [
                here.name,
                *(f"{error:+.1f}" for error in energy_errors({mat_id: 1.0}, CUTOFF_SCAN, scan)),
                change(here.gap, there.gap, 3) if there.gap > 0 else "",
                change(here.moment, there.moment, 3) if there.moment > MAGNETIC_MOMENT else "",
                change(here.pressure, there.pressure, 2) if not here.molecule else "",
            ]
        )
    energies = [f"e_total at {point.cutoff_ev:g} eV (meV/atom)" for point in CUTOFF_SCAN[:-1]]
    header = ["crystal", *energies, "gap (eV)", "moment (mu_B/atom)", "pressure (GPa)"]
    return markdown(header, rows)


def density_table(scan: Scan) -> str:
    """Return the table of the k-point scan; molecules have one k-point at any density."""
    best = DENSITY_SCAN[-1]
    rows = []
    for mat_id in SCAN["crystals"]:
        here, there = scan[mat_id, PRODUCTION], scan[mat_id, best]
        if here.molecule:
            continue
        rows.append(
            [
                here.name,
                *(f"{error:+.1f}" for error in energy_errors({mat_id: 1.0}, DENSITY_SCAN, scan)),
                change(here.gap, there.gap, 3) if max(here.gap, there.gap) > 0 else "",
                change(here.moment, there.moment, 3) if there.moment > MAGNETIC_MOMENT else "",
                change(here.pressure, there.pressure, 2),
                *(f"{measured.dos_ef:.3f}" for measured in (here, there)),
            ]
        )
    energies = [f"e_total at {point.kpoint_density:g} (meV/atom)" for point in DENSITY_SCAN[:-1]]
    densities = [f"dos_ef at {point.kpoint_density:g}" for point in (PRODUCTION, best)]
    header = ["crystal", *energies, "gap (eV)", "moment (mu_B/atom)", "pressure (GPa)", *densities]
    return markdown(header, rows)


def difference_table(scan: Scan) -> str:
    """Return the table of energy differences: their values and changes along both scans."""
    rows = []
    for difference in SCAN["differences"]:
        weights = difference["weights"]
        rows.append(
            [
                difference["name"],
                f"{1000.0 * weighted_energy(weights, PRODUCTION, scan):.1f}",
                *(f"{error:+.1f}" for error in energy_errors(weights, CUTOFF_SCAN, scan)),
                *(f"{error:+.1f}" for error in energy_errors(weights, DENSITY_SCAN, scan)),
            ]
        )
    cutoffs = [f"at {point.cutoff_ev:g} eV" for point in CUTOFF_SCAN[:-1]]
    densities = [f"at {point.kpoint_density:g}" for point in DENSITY_SCAN[:-1]]
    return markdown(["difference (meV/atom)", "production", *cutoffs, *densities], rows)


def spread(errors: Iterable[float], digits: int, unit: str) -> str:
    """Format the median and largest magnitude of errors, or the magnitude of a single one."""
    magnitudes = [abs(error) for error in errors]
    if len(magnitudes) == 1:
        return f"{magnitudes[0]:.{digits}f} {unit} (one)"
    return f"{median(magnitudes):.{digits}f} (median) to {max(magnitudes):.{digits}f} {unit} (largest)"


def dos_noise(metals: Iterable[str], scan: Scan, embedded: Path) -> str:
    """Compare the error of ``dos_ef`` on the production grid with its spread over the entries."""
    best = DENSITY_SCAN[-1]
    errors = [scan[mat_id, PRODUCTION].dos_ef - scan[mat_id, best].dos_ef for mat_id in metals]
    error = math.sqrt(fmean(error**2 for error in errors))
    dos_ef = TARGETS["dos_ef (states/eV/atom)"]
    spread = pstdev(dos_ef(entry) for entry in read_document(embedded / "entries.json.bz2")["entries"])
    return (
        f"{error:.3f} states/eV/atom (root mean square), {100.0 * error / spread:.0f} % of the standard "
        f"deviation over the entries, {spread:.3f}"
    )


def summary(scan: Scan, embedded: Path) -> str:
    """Summarize the errors of the production settings in a few lines."""
    crystals = [mat_id for mat_id in SCAN["crystals"] if not scan[mat_id, PRODUCTION].molecule]
    finest = {mat_id: scan[mat_id, DENSITY_SCAN[-1]] for mat_id in crystals}
    metals = [mat_id for mat_id in crystals if finest[mat_id].gap == 0]
    others = [mat_id for mat_id in crystals if finest[mat_id].gap > 0]
    differences = [difference["weights"] for difference in SCAN["differences"]]
    solids = [weights for weights in differences if weights.keys() <= finest.keys()]
    with_molecules = [weights for weights in differences if weights not in solids]
    metallic = [weights for weights in solids if weights.keys() <= set(metals)]
    with_others = [weights for weights in differences if weights not in metallic]

    def energies(sums: Iterable[Mapping[str, float]], points: Sequence[Point]) -> str:
        return spread((production_error(weights, points, scan) for weights in sums), 1, "meV/atom")

    def pressures(best: Point) -> str:
        changes = (scan[mat_id, PRODUCTION].pressure - scan[mat_id, best].pressure for mat_id in crystals)
        return spread(changes, 2, "GPa")

    def alone(mat_ids: Iterable[str]) -> list[dict[str, float]]:
        return [{mat_id: 1.0} for mat_id in mat_ids]

    dos_errors = (100.0 * (scan[mat_id, PRODUCTION].dos_ef / finest[mat_id].dos_ef - 1) for mat_id in metals)
    return "\n".join(
        [
            f"Cutoff, {PRODUCTION.cutoff_ev:g} against {CUTOFF_SCAN[-1].cutoff_ev:g} eV:",
            "",
            f"- total energies of all: {energies(alone(SCAN['crystals']), CUTOFF_SCAN)};",
            f"- energy differences between solids: {energies(solids, CUTOFF_SCAN)};",
            f"- energy differences with a molecule: {energies(with_molecules, CUTOFF_SCAN)};",
            f"- pressures: {pressures(CUTOFF_SCAN[-1])}.",
            "",
            f"k-points, {PRODUCTION.kpoint_density:g} against {DENSITY_SCAN[-1].kpoint_density:g} points per "
            "inverse Angstrom:",
            "",
            f"- total energies of the {len(metals)} metals: {energies(alone(metals), DENSITY_SCAN)};",
            f"- total energies of the {len(others)} others: {energies(alone(others), DENSITY_SCAN)};",
            f"- energy differences between metals: {energies(metallic, DENSITY_SCAN)};",
            f"- energy differences with others: {energies(with_others, DENSITY_SCAN)};",
            f"- pressures: {pressures(DENSITY_SCAN[-1])};",
            f"- dos_ef of the metals: {spread(dos_errors, 0, '%')};",
            f"- dos_ef of the metals: {dos_noise(metals, scan, embedded)}.",
        ]
    )


def main(embedded: Path) -> None:
    """Print the errors of the production settings and the tables of the scan.

    Parameters
    ----------
    embedded : Path
        Folder with ``convergence.csv`` and ``entries.json.bz2``.
    """
    scan = read_scan(embedded / "convergence.csv")
    cutoff, density = CUTOFF_SCAN[-1].cutoff_ev, DENSITY_SCAN[-1].kpoint_density
    parts = [
        summary(scan, embedded),
        f"### cutoff: deviation from {cutoff:g} eV",
        cutoff_table(scan),
        f"Gap, moment and pressure: at {PRODUCTION.cutoff_ev:g} eV less at {cutoff:g} eV.",
        f"### k-points: deviation from {density:g} points per inverse Angstrom",
        density_table(scan),
        f"Gap, moment and pressure: at {PRODUCTION.kpoint_density:g} less at {density:g} points per inverse "
        "Angstrom; dos_ef in states/eV/atom.",
        f"### energy differences: deviation from {cutoff:g} eV, from {density:g} points per inverse Angstrom",
        difference_table(scan),
    ]
    print("\n\n".join(parts))


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--embedded", required=True, type=Path)
    main(**vars(parser.parse_args(sys.argv[1:])))
