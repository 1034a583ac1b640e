"""Assemble the results of calculations into entries in Alexandria's schema.

Entries in ``entries.json.bz2`` at the present settings are kept, so that a checkout without results of
earlier runs extends the file. The bytes depend only on the results.
"""

import argparse
import csv
import io
import sys
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from collect_pending import main as collect
from crystals import numbered_crystals
from energies import Energies, symbols_of
from pymatgen.core import Structure
from pymatgen.entries.computed_entries import ComputedStructureEntry
from pymatgen.symmetry.analyzer import SpacegroupAnalyzer
from stored_results import (
    DATA_KEYS,
    Json,
    finished_results,
    is_complete,
    latest,
    parameters_of,
    read_folder,
    write_bytes,
    write_document,
)

#: Derived energies have three more digits than the six of the results: means over a few atoms end in a 5
#: too often for rounding to six digits to be the same on every machine.
DIGITS = 9
#: Sites closer than this many Angstrom are equal for the space-group finder.
SYMMETRY_TOLERANCE = 0.01
#: Below these differences, two relaxed structures of one formula and space group are the same phase.
SAME_ENERGY_EV_PER_ATOM = 0.002
SAME_VOLUME_FRACTION = 0.01
MOLECULE = "molecule"


@dataclass(frozen=True)
class Reject:
    """A crystal of the list without an entry, and the reason."""

    mat_id: str
    prototype: str
    sites: str
    reason: str


@dataclass(frozen=True)
class Phase:
    """A successful result with its structure and space group."""

    result: Json
    structure: Structure
    space_group: int

    @property
    def mat_id(self) -> str:
        """Identifier of the crystal."""
        return str(self.result["mat_id"])

    def is_same(self, other: "Phase") -> bool:
        """Whether both relaxed into one phase, as a strained prototype may; formulas are assumed equal."""
        energies = [phase.result["energy"] / len(phase.structure) for phase in (self, other)]
        volumes = [phase.structure.volume / len(phase.structure) for phase in (self, other)]
        return (
            self.space_group == other.space_group
            and abs(energies[0] - energies[1]) < SAME_ENERGY_EV_PER_ATOM
            and abs(volumes[0] / volumes[1] - 1) < SAME_VOLUME_FRACTION
        )


def phase_of(result: Json) -> Phase:
    """Build the structure of a successful result and find its space group."""
    structure = Structure(result["lattice"], result["symbols"], result["positions"])
    analyzer = SpacegroupAnalyzer(structure, symprec=SYMMETRY_TOLERANCE)
    return Phase(result, structure, analyzer.get_space_group_number())


def reject(result: Json, reason: str) -> Reject:
    """Record why a result becomes no entry."""
    return Reject(result["mat_id"], result["prototype"], " ".join(result["sites"]), reason)


def distinct(phases: Iterable[Phase]) -> tuple[list[Phase], list[Reject]]:
    """Keep the first of each phase; the later ones are rejects."""
    kept: defaultdict[str, list[Phase]] = defaultdict(list)
    rejects = []
    for phase in phases:
        same_formula = kept[phase.structure.composition.reduced_formula]
        twin = next((other for other in same_formula if phase.is_same(other)), None)
        if twin is None:
            same_formula.append(phase)
        else:
            rejects.append(reject(phase.result, f"relaxed into the phase of {twin.mat_id}"))
    return [phase for phases in kept.values() for phase in phases], rejects


def entry_of(phase: Phase, energies: Mapping[str, Any]) -> Json:
    """Build one entry in Alexandria's schema.

    Parameters
    ----------
    phase : Phase
        The calculated crystal.
    energies : mapping
        Its energies relative to the elements and the hull.

    Returns
    -------
    dict
        JSON of a ``ComputedStructureEntry``, floats rounded.
    """
    structure, result = phase.structure, phase.result
    data = {
        **{key: result[key] for key in DATA_KEYS},
        **energies,
        "prototype_id": result["prototype"],
        "formula": structure.composition.reduced_formula,
        "elements": sorted(symbols_of(structure.composition)),
        "spg": phase.space_group,
        "nsites": len(structure),
        "energy_total": result["energy"],
        "energy_corrected": result["energy"],
    }
    entry = ComputedStructureEntry(structure, result["energy"], data=data, parameters=parameters_of(result))
    # No lengths, angles or Cartesian positions: they follow from the matrix and fractional positions.
    content = {**entry.as_dict(), "structure": structure.as_dict(verbosity=0)}
    return {key: _tidy(value) for key, value in content.items()}


def _tidy(value: Any) -> Any:
    """Round floats, avoid negative zeros and omit version stamps, so that equal results give equal bytes."""
    if isinstance(value, float):
        return round(float(value), DIGITS) + 0.0
    if isinstance(value, dict):
        return {key: _tidy(part) for key, part in value.items() if key != "@version"}
    return [_tidy(part) for part in value] if isinstance(value, list | tuple) else value


def assemble(results: Sequence[Json]) -> tuple[Json, list[Reject]]:
    """Convert results to the document and the list of rejects.

    Parameters
    ----------
    results : sequence of dict
        Results and failures in the order of their identifiers.

    Returns
    -------
    tuple
        The document (``entries`` and ``molecular_references``) and the rejects, ordered by identifier.
    """
    rejects = [reject(result, result["failure"]) for result in results if "failure" in result]
    phases, twins = distinct(phase_of(result) for result in results if "failure" not in result)
    energies = Energies(
        {phase.mat_id: (phase.structure.composition, phase.result["energy"]) for phase in phases}
    )
    document: Json = {"entries": [], "molecular_references": []}
    for phase in sorted(phases, key=lambda phase: phase.mat_id):
        missing = symbols_of(phase.structure.composition) - energies.elements
        if missing:
            rejects.append(reject(phase.result, f"no elemental reference for {', '.join(sorted(missing))}"))
            continue
        place = "molecular_references" if phase.result["prototype"] == MOLECULE else "entries"
        document[place].append(entry_of(phase, energies.against_hull(phase.mat_id)))
    return document, sorted([*rejects, *twins], key=lambda row: row.mat_id)


def rejects_table(rejects: Iterable[Reject]) -> bytes:
    """Return the rejects as CSV."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(["mat_id", "prototype", "sites", "reason"])
    writer.writerows([row.mat_id, row.prototype, row.sites, row.reason] for row in rejects)
    return text.getvalue().encode()


def require_one_estimate(results: Iterable[Json]) -> None:
    """Reject results whose ``dos_ef`` come from different estimates, which are not comparable.

    Raises
    ------
    ValueError
        With the number of crystals and some of their identifiers.
    """
    successes = [result for result in results if "failure" not in result]
    earlier = [result["mat_id"] for result in successes if not is_complete(result)]
    if earlier and len(earlier) < len(successes):
        raise ValueError(
            f"{len(earlier)} of {len(successes)} crystals have an earlier estimate of dos_ef, {earlier[0]} "
            "the first: run the rule pending until none is left"
        )


def main(results: Path, embedded: Path) -> None:
    """Assemble finished results into ``entries.json.bz2`` and ``rejects.csv``.

    Parameters
    ----------
    results : Path
        Folder with the results of calculations; may be absent.
    embedded : Path
        Folder of the assembled files, existing and new; assembled results are removed from
        ``generate/pending.json.bz2``.

    Raises
    ------
    ValueError
        When the entries exceed the size limit of a file in a repository, or their ``dos_ef`` come from
        different estimates.
    """
    target, pending = embedded / "entries.json.bz2", embedded / "generate" / "pending.json.bz2"
    candidates = [*finished_results(target), *finished_results(pending), *read_folder(results)]
    present = list(latest(candidates, numbered_crystals()).values())
    require_one_estimate(present)
    document, rejects = assemble(present)
    size = write_document(target, document)
    write_bytes(embedded / "rejects.csv", rejects_table(rejects))
    collect([results], embedded)
    print(
        f"{len(document['entries'])} entries, {len(document['molecular_references'])} molecules, "
        f"{len(rejects)} rejects, {size} bytes"
    )


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--results", required=True, type=Path)
    parser.add_argument("--embedded", required=True, type=Path)
    main(**vars(parser.parse_args(sys.argv[1:])))
