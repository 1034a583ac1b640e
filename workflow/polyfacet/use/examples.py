"""Example inputs from the embedded crystals: a folder of CIF files with a CSV, and an MP-20 type CSV."""

import argparse
import csv
import json
from pathlib import Path
from typing import Any

from polyfacet.runtime.environment_path import PROJECT

ENTRIES = PROJECT / "embedded" / "entries.json.bz2"
# One of so many embedded crystals is new, or known; they begin with the elements.
EVERY_NEW, EVERY_KNOWN = 24, 2
SUMMARY = "write two example inputs: CIF files with a CSV of properties, and an MP-20 type CSV"

CIF_RUN = """\
# CIF files, and a CSV of their properties.
run_name: crystals
sources:
  - {{path: {folder}/crystals, properties: properties.csv, id: file}}
objectives:
  - {{name: formation, column: Formation energy (eV/atom), label: Formation energy, unit: eV/atom}}
  - {{name: metallic, column: Metallic, classes: ["yes", "no"]}}
splits: {{formula: {{repeats: 2}}}}
methods:
  trees:
    engine: classical
    settings: {{model: extra_trees}}
    combinations: [compimage, graph, graph+compimage]
  mean: {{engine: dummy, settings: {{statistic: mean}}}}
graphs: {{embedding: calibrated}}
"""
TABLE_RUN = """\
# A CSV with a column of CIFs, as MP-20 has.
run_name: table
sources: [{folder}/mp20_type.csv]
objectives:
  - {{name: gap, column: band_gap, label: Band gap, unit: eV}}
  - {{name: e_form, column: formation_energy_per_atom, label: Formation energy, unit: eV/atom}}
splits: {{formula: {{}}}}
methods:
  trees: {{engine: classical, settings: {{model: extra_trees}}, combinations: [compimage]}}
  median: {{engine: dummy, settings: {{statistic: median}}}}
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments of the subcommand."""
    parser.add_argument("folder", type=Path, help="folder to write into; it must not exist")


def main(chosen: argparse.Namespace) -> int:
    """Write the inputs and their configurations, and print what they are."""
    folder: Path = chosen.folder
    if folder.exists():
        print(f"{folder} exists. Name a folder that does not, or remove it.")
        return 1
    entries = list(_entries())
    new = entries[5::EVERY_NEW]
    known = [entry for entry in entries if entry not in new][::EVERY_KNOWN]
    for name, chosen_entries in (("crystals", known), ("new", new)):
        (folder / name).mkdir(parents=True)
        for entry in chosen_entries:
            path = folder / name / f"{entry['data']['mat_id']}.cif"
            path.write_text(_cif(entry), encoding="utf-8")
    _write(folder / "crystals" / "properties.csv", [_properties(entry) for entry in known])
    _write(folder / "mp20_type.csv", [_row(entry) for entry in known])
    for name, text in (("crystals", CIF_RUN), ("table", TABLE_RUN)):
        (folder / f"{name}.yaml").write_text(text.format(folder=folder.as_posix()), encoding="utf-8")
    print(f"{folder}/crystals/: {len(known)} CIF files and properties.csv; {folder}/crystals.yaml: a run")
    print(f"{folder}/mp20_type.csv: the same crystals in one file; {folder}/table.yaml: a run")
    print(f"{folder}/new/: {len(new)} further crystals to predict")
    return 0


def _entries() -> Any:
    from polyfacet.sources.alexandria.entries import read_entries  # noqa: PLC0415 - takes a second

    return (entry for _, entry in read_entries(ENTRIES))


def _cif(entry: dict[str, Any]) -> str:
    from pymatgen.core import Structure  # noqa: PLC0415 - takes a second

    return str(Structure.from_dict(entry["structure"]).to(fmt="cif"))


def _properties(entry: dict[str, Any]) -> dict[str, Any]:
    data = entry["data"]
    return {
        "file": data["mat_id"],
        "Formation energy (eV/atom)": data["e_form"],
        "Metallic": "yes" if data["band_gap_ind"] == 0 else "no",
    }


def _row(entry: dict[str, Any]) -> dict[str, Any]:
    data = entry["data"]
    return {
        "material_id": data["mat_id"],
        "formation_energy_per_atom": data["e_form"],
        "band_gap": data["band_gap_ind"],
        "pretty_formula": data["formula"],
        "e_above_hull": data["e_above_hull"],
        "elements": json.dumps(sorted(data["elements"])),
        "cif": _cif(entry),
        "spacegroup.number": data["spg"],
    }


def _write(path: Path, rows: list[dict[str, Any]]) -> None:
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)
