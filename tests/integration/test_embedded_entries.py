"""The embedded entries: what they state follows from what they hold, and they fit their generator."""

import csv
import json
import math
import sys
from collections import Counter, defaultdict
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from project import PROJECT
from pymatgen.analysis.phase_diagram import PDEntry, PhaseDiagram
from pymatgen.core import Composition, Structure

from polyfacet.runtime.identifiers import invalid_mat_id_reason
from polyfacet.runtime.markdown import table
from polyfacet.sources.alexandria.entries import read_entries
from polyfacet.sources.alexandria.material import material_from_entry

EMBEDDED = PROJECT / "embedded"
FILE = EMBEDDED / "entries.json.bz2"
sys.path.append(str(EMBEDDED / "generate"))

from assemble import assemble  # noqa: E402
from convergence_points import CUTOFF_SCAN, DENSITY_SCAN, POINTS, PRODUCTION, SCAN, Point  # noqa: E402
from crystals import numbered_crystals  # noqa: E402
from describe import markdown, n_nontrivial  # noqa: E402
from electronic import band_gaps, dos_at_fermi_level  # noqa: E402
from gather_convergence import main as gather  # noqa: E402
from report_convergence import energy_errors, production_error, read_scan, spread  # noqa: E402
from settings import SETTINGS, digest  # noqa: E402
from stored_results import read_document, result_of  # noqa: E402
from write_card import with_tables  # noqa: E402

DOCUMENT = read_document(FILE)
ENTRIES = DOCUMENT["entries"]
ALL = [*ENTRIES, *DOCUMENT["molecular_references"]]
# Stored energies are rounded to 1e-6 eV per cell.
TOLERANCE = 5e-6


def composition(entry):
    return Composition(Counter(site["species"][0]["element"] for site in entry["structure"]["sites"]))


def test_the_file_is_small_and_the_projects_own_reader_takes_it():
    assert FILE.stat().st_size < 1_000_000
    assert [entry for _, entry in read_entries(FILE)] == ENTRIES


def test_identifiers_are_the_projects_own_and_name_lines_of_the_list():
    crystals = numbered_crystals()
    mat_ids = [entry["data"]["mat_id"] for entry in ALL]
    assert len(set(mat_ids)) == len(mat_ids)
    for entry in ALL:
        mat_id = entry["data"]["mat_id"]
        assert invalid_mat_id_reason(mat_id) is None
        assert mat_id.startswith("pfx")
        spec = crystals[mat_id]
        assert (spec["prototype"], spec["sites"]) == (
            entry["data"]["prototype_id"],
            entry["parameters"]["sites"],
        )
        assert entry["parameters"]["digest"] == digest(spec)


def test_every_target_of_every_entry_is_finite_and_possible():
    for entry in ENTRIES:
        targets = material_from_entry(entry).objectives
        assert len(targets) == 7
        assert all(math.isfinite(value) for value in targets.values()), entry["data"]["mat_id"]
        assert targets["gap"] >= 0
        assert targets["e_hull"] >= 0
        assert targets["dos_ef"] >= 0


def test_every_objective_has_sixty_non_trivial_values():
    assert len(ENTRIES) >= 300
    targets = [material_from_entry(entry).objectives for entry in ENTRIES]
    for name in targets[0]:
        assert n_nontrivial(np.array([row[name] for row in targets])) >= 60, name


def test_the_grid_of_dos_ef_costs_less_than_a_tenth_of_its_spread():
    scan, finest = read_scan(EMBEDDED / "convergence.csv"), DENSITY_SCAN[-1]
    metals = [mat_id for mat_id in SCAN["crystals"] if scan[mat_id, finest].gap == 0]
    errors = [scan[mat_id, PRODUCTION].dos_ef - scan[mat_id, finest].dos_ef for mat_id in metals]
    values = [material_from_entry(entry).objectives["dos_ef"] for entry in ENTRIES]
    assert len(metals) >= 10
    assert math.sqrt(np.mean(np.square(errors))) < 0.1 * np.std(values)


def test_volume_per_atom_is_that_of_the_lattice():
    for entry in ENTRIES:
        structure = Structure.from_dict(entry["structure"])
        volume = abs(np.linalg.det(np.array(entry["structure"]["lattice"]["matrix"])))
        assert structure.volume == pytest.approx(volume)
        assert material_from_entry(entry).objectives["vol_atom"] == pytest.approx(volume / len(structure))


def test_no_two_atoms_overlap():
    for entry in ENTRIES:
        structure = Structure.from_dict(entry["structure"])
        shortest = min(neighbor.nn_distance for near in structure.get_all_neighbors(8.0) for neighbor in near)
        assert shortest > 0.9, entry["data"]["mat_id"]


def test_formation_energies_follow_from_the_elements_of_the_file():
    lowest = defaultdict(lambda: math.inf)
    for entry in ALL:
        content = composition(entry)
        if len(content) == 1:
            symbol = content.elements[0].symbol
            lowest[symbol] = min(lowest[symbol], entry["energy"] / content.num_atoms)
    for entry in ALL:
        content = composition(entry)
        elements = sum(lowest[element.symbol] * amount for element, amount in content.items())
        expected = (entry["energy"] - elements) / content.num_atoms
        assert entry["data"]["e_form"] == pytest.approx(expected, abs=TOLERANCE), entry["data"]["mat_id"]


def test_hull_distances_follow_from_the_entries_of_the_file():
    by_system = defaultdict(list)
    for entry in ENTRIES:
        by_system[frozenset(entry["data"]["elements"])].append(entry)
    for elements, members in by_system.items():
        inside = [entry for entry in ALL if elements.issuperset(entry["data"]["elements"])]
        diagram = PhaseDiagram([PDEntry(composition(entry), entry["energy"]) for entry in inside])
        for entry in members:
            above = diagram.get_e_above_hull(PDEntry(composition(entry), entry["energy"]))
            assert entry["data"]["e_above_hull"] == pytest.approx(above, abs=TOLERANCE), entry["data"][
                "mat_id"
            ]


def test_stable_entries_are_their_own_decomposition():
    for entry in ENTRIES:
        data = entry["data"]
        if data["e_above_hull"] == 0:
            assert data["decomposition"] == data["formula"]
        assert data["e_phase_separation"] <= data["e_above_hull"] + TOLERANCE


def assert_same(made: Any, expected: Any) -> None:
    """Compare two documents; what is rounded to nine digits may end in the next one on another machine."""
    if isinstance(expected, dict):
        assert made.keys() == expected.keys()
        for key in expected:
            assert_same(made[key], expected[key])
    elif isinstance(expected, list):
        assert len(made) == len(expected)
        for one, other in zip(made, expected, strict=True):
            assert_same(one, other)
    elif isinstance(expected, float):
        assert made == pytest.approx(expected, rel=0, abs=2e-9)
    else:
        assert made == expected


def test_assembling_again_gives_the_same_document():
    results = sorted(
        json.loads(json.dumps([result_of(entry) for entry in ALL])), key=lambda row: row["mat_id"]
    )
    document, rejects = assemble(results)
    assert rejects == []
    assert_same(document, DOCUMENT)


def test_assembling_records_failures_twins_and_missing_references():
    lead, sodium = ({**result_of(entry), "mat_id": "pfx000001"} for entry in ENTRIES[:2])
    twin = {**lead, "mat_id": "pfx000002"}
    failed = {**sodium, "mat_id": "pfx000003", "failure": "did not converge"}
    compound = next(entry for entry in ENTRIES if len(entry["data"]["elements"]) == 2)
    stray = {**result_of(compound), "mat_id": "pfx000004"}
    document, rejects = assemble([lead, twin, failed, stray])
    assert [entry["data"]["mat_id"] for entry in document["entries"]] == ["pfx000001"]
    reasons = {row.mat_id: row.reason for row in rejects}
    assert reasons["pfx000002"] == "relaxed into the phase of pfx000001"
    assert reasons["pfx000003"] == "did not converge"
    assert reasons["pfx000004"].startswith("no elemental reference for")


# Two k-points, three bands.
INSULATOR = np.array([[[-2.0, -1.0, 1.5], [-2.5, -0.5, 1.0]]])
METAL = np.array([[[-2.0, -1.0, 1.5], [-2.5, 0.5, 1.0]]])


def test_gaps_of_an_insulator():
    assert band_gaps(INSULATOR, 0.0) == pytest.approx((1.5, 1.5))
    shifted = INSULATOR + np.array([[[0.0, 0.3, 0.0], [0.0, 0.0, 0.2]]])
    assert band_gaps(shifted, 0.0) == pytest.approx((1.7, 1.7))
    indirect = np.array([[[-1.0, 0.8], [-0.2, 2.0]]])
    assert band_gaps(indirect, 0.0) == pytest.approx((1.0, 1.8))


def test_a_band_that_crosses_the_fermi_level_closes_both_gaps():
    assert band_gaps(METAL, 0.0) == (0.0, 0.0)
    half_metal = np.concatenate([INSULATOR, METAL])
    assert band_gaps(half_metal, 0.0) == (0.0, 0.0)


def test_gap_between_spin_channels_is_indirect():
    up = np.array([[[-1.0, 3.0]]])
    down = np.array([[[-2.0, 0.5]]])
    assert band_gaps(np.concatenate([up, down]), 0.0) == pytest.approx((1.5, 2.5))


def test_a_calculation_without_empty_bands_is_refused():
    with pytest.raises(ValueError, match="no empty band"):
        band_gaps(INSULATOR, 5.0)


def test_levels_at_the_fermi_level_give_the_height_of_the_broadening():
    level = np.zeros((1, 1, 1))
    weight = np.ones(1)
    assert dos_at_fermi_level(level, weight, 0.0, 0.05) == pytest.approx(2 / (4 * 0.05))
    both_spins = np.zeros((2, 1, 1))
    assert dos_at_fermi_level(both_spins, weight, 0.0, 0.05) == pytest.approx(2 / (4 * 0.05))


def test_a_uniform_band_has_its_density_of_states():
    # 2000 k-points spread over 10 eV: 2 states per 10 eV.
    levels = np.linspace(-5.0, 5.0, 2000).reshape(1, -1, 1)
    dos = dos_at_fermi_level(levels, np.full(2000, 1 / 2000), 0.0, 0.05)
    assert dos == pytest.approx(0.2, rel=1e-3)


def test_levels_far_away_do_not_count():
    assert dos_at_fermi_level(np.array([[[-40.0, 60.0]]]), np.ones(1), 0.0, 0.05) < 1e-15


def scan_rows():
    with (EMBEDDED / "convergence.csv").open(encoding="utf-8", newline="") as lines:
        return list(csv.DictReader(lines))


def test_the_convergence_scan_holds_its_crystals_at_all_its_points():
    points = [(mat_id, point) for mat_id in SCAN["crystals"] for point in POINTS.values()]
    assert [
        (row["mat_id"], Point(float(row["cutoff_ev"]), float(row["kpoint_density"]))) for row in scan_rows()
    ] == points
    crystals = numbered_crystals()
    for row in scan_rows():
        assert row["digest"] == digest(crystals[row["mat_id"]]), (
            f"{row['mat_id']} was scanned at other settings: run the rule convergence again"
        )


def test_the_production_settings_are_a_point_of_both_scans():
    assert Point(SETTINGS["cutoff_ev"], SETTINGS["kpoint_density_final"]) == PRODUCTION
    assert PRODUCTION in CUTOFF_SCAN[:-1]
    assert PRODUCTION in DENSITY_SCAN[:-1]
    assert list(CUTOFF_SCAN) == sorted(CUTOFF_SCAN)
    assert list(DENSITY_SCAN) == sorted(DENSITY_SCAN)


def test_the_scan_gives_the_entries_back_at_the_production_settings():
    entries = {entry["data"]["mat_id"]: entry for entry in ALL}
    here = [
        row
        for row in scan_rows()
        if (float(row["cutoff_ev"]), float(row["kpoint_density"])) == tuple(PRODUCTION)
    ]
    assert len(here) == len(SCAN["crystals"])
    for row in here:
        entry = entries[row["mat_id"]]
        sites = entry["data"]["nsites"]
        assert int(row["kpoints"]) == entry["parameters"]["kpoints"], row["mat_id"]
        assert float(row["e_total_ev_per_atom"]) == pytest.approx(entry["energy"] / sites, abs=1e-4)
        assert float(row["gap_ev"]) == pytest.approx(entry["data"]["band_gap_ind"], abs=1e-3)
        moment = abs(entry["data"]["total_mag"]) / sites
        assert float(row["moment_mu_b_per_atom"]) == pytest.approx(moment, abs=1e-2)
        dos_ef = entry["data"]["dos_ef"] / sites
        assert float(row["dos_ef_per_ev_per_atom"]) == pytest.approx(dos_ef, abs=1e-2)


def test_energy_differences_weigh_scanned_crystals_and_their_elements_to_nothing():
    for difference in SCAN["differences"]:
        assert set(difference["weights"]) <= set(SCAN["crystals"]), difference["name"]
        left = defaultdict(float)
        for mat_id, weight in difference["weights"].items():
            content = composition(next(entry for entry in ALL if entry["data"]["mat_id"] == mat_id))
            for element in content.elements:
                left[element.symbol] += weight * content.get_atomic_fraction(element)
        assert all(abs(amount) < 1e-12 for amount in left.values()), difference["name"]


def test_errors_are_deviations_from_the_last_point_in_mev():
    points = [Point(cutoff, 3.0) for cutoff in (400.0, 480.0, 600.0)]
    known = read_scan(EMBEDDED / "convergence.csv")[SCAN["crystals"][0], PRODUCTION]
    scan = {
        (mat_id, point): replace(known, energy=energy)
        for mat_id, energies in {"a": (-1.0, -1.5, -1.51), "b": (-2.0, -2.4, -2.41)}.items()
        for point, energy in zip(points, energies, strict=True)
    }
    assert energy_errors({"a": 1.0}, points, scan) == pytest.approx([510.0, 10.0])
    assert energy_errors({"a": 1.0, "b": -1.0}, points, scan) == pytest.approx([100.0, 0.0])
    assert production_error({"a": 0.5}, points, scan) == pytest.approx(5.0)
    assert spread([-3.0, 1.0, 2.0], 1, "meV/atom") == "2.0 (median) to 3.0 meV/atom (largest)"
    assert spread([-3.0], 0, "%") == "3 % (one)"


def test_a_scan_that_is_not_finished_is_not_gathered(tmp_path):
    with pytest.raises(FileNotFoundError, match=SCAN["crystals"][0]):
        gather(tmp_path, tmp_path)
    assert not (tmp_path / "convergence.csv").exists()


def test_the_tables_of_the_card_are_written_like_those_of_reports():
    """The generator runs without the package, and so has a function of its own for them."""
    for n_left in (1, 2):
        head, rows = ["a", "b", "c"], [["x", "y", "1.0"], ["", "z", "-"]]
        assert markdown(head, rows, n_left) == table(head, rows, n_left)


def test_the_tables_of_the_card_are_those_of_the_entries():
    card = (EMBEDDED / "CARD.md").read_text(encoding="utf-8")
    assert with_tables(card, EMBEDDED) == card, (
        "run: python embedded/generate/write_card.py --embedded embedded"
    )
