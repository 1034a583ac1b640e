"""Print comparisons of the embedded entries with well-known values, as Markdown tables.

Values without an entry are left out of the table and counted below it.
"""

import argparse
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import yaml
from describe import markdown
from pymatgen.core import Composition, Structure
from pymatgen.symmetry.analyzer import SpacegroupAnalyzer
from scipy.constants import N_A, e
from stored_results import read_document

KNOWN_VALUES = Path(__file__).with_name("known_values.yaml")
KJ_PER_MOL_IN_EV = 1000.0 / (N_A * e)

Entry = Mapping[str, Any]


def lattice_constant(entry: Entry) -> float:
    """Return the edge of the conventional cell in Angstrom."""
    structure = Structure.from_dict(dict(entry["structure"]))
    return float(SpacegroupAnalyzer(structure).get_conventional_standard_structure().lattice.a)


def moment(entry: Entry) -> float:
    """Return the magnitude of the total moment in Bohr magnetons per atom."""
    return float(abs(entry["data"]["total_mag"]) / entry["data"]["nsites"])


QUANTITIES: dict[str, Callable[[Entry], float]] = {
    "lattice_constant": lattice_constant,
    "band_gap": lambda entry: float(entry["data"]["band_gap_ind"]),
    "formation_energy": lambda entry: float(entry["data"]["e_form"]),
    "moment": moment,
}


def reference_value(known: Mapping[str, Any], group: Mapping[str, Any], entry: Entry) -> float:
    """Convert a known value to the unit of the entries: kJ per mole of formula units becomes eV per atom."""
    if not group.get("kj_per_mol"):
        return float(known["value"])
    atoms = Composition(entry["data"]["formula"]).num_atoms
    return float(known["value"]) * KJ_PER_MOL_IN_EV / atoms


def table(group: Mapping[str, Any], entries: Mapping[tuple[str, tuple[str, ...]], Entry]) -> str:
    """Compare one quantity.

    Parameters
    ----------
    group : mapping
        ``quantity``, ``unit``, ``source`` and ``values`` of ``known_values.yaml``.
    entries : mapping
        Prototype and elements of the sites to the entry.

    Returns
    -------
    str
        A Markdown table and the mean deviations.
    """
    rows, differences = [], []
    for known in group["values"]:
        entry = entries.get((known["prototype"], tuple(known["sites"])))
        if entry is None:
            continue
        value = QUANTITIES[group["quantity"]](entry)
        expected = reference_value(known, group, entry)
        differences.append(value - expected)
        name = entry["data"]["formula"]
        numbers = f"{value:.3f}", f"{expected:.3f}", f"{value - expected:+.3f}"
        rows.append([name, known["prototype"], *numbers])
    header = ["crystal", "prototype", "calculated", "known", "difference"]
    title = f"### {group['quantity'].replace('_', ' ')} ({group['unit']})"
    lines = [title, "", markdown(header, rows, n_left=2)]
    count = len(differences)
    if count:
        mean = sum(differences) / count
        absolute = sum(abs(difference) for difference in differences) / count
        lines += [
            "",
            f"Mean difference {mean:+.3f}, mean absolute difference {absolute:.3f} {group['unit']}.",
        ]
    lines.append(f"{count} of {len(group['values'])} values compared. Source: {group['source']}.")
    return "\n".join(lines)


def main(embedded: Path) -> None:
    """Print the comparison of every quantity.

    Parameters
    ----------
    embedded : Path
        Folder with ``entries.json.bz2``.
    """
    entries = {
        (entry["data"]["prototype_id"], tuple(entry["parameters"]["sites"])): entry
        for entry in read_document(embedded / "entries.json.bz2")["entries"]
    }
    groups = yaml.safe_load(KNOWN_VALUES.read_text())
    print("\n\n".join(table(group, entries) for group in groups))


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--embedded", required=True, type=Path)
    main(**vars(parser.parse_args(sys.argv[1:])))
