"""The embedded entries: what they state follows from what they hold, and they fit their generator."""

import json
import math
import sys
from collections import Counter, defaultdict

import numpy as np
import pytest
from project import PROJECT
from pymatgen.analysis.phase_diagram import PDEntry, PhaseDiagram
from pymatgen.core import Composition, Structure

from polyfacet.entries import read_entries
from polyfacet.identifiers import invalid_mat_id_reason
from polyfacet.materials import material_from_entry

EMBEDDED = PROJECT / "embedded"
FILE = EMBEDDED / "entries.json.bz2"
sys.path.append(str(EMBEDDED / "generate"))

from assemble import assemble  # noqa: E402
from crystals import numbered_crystals  # noqa: E402
from electronic import band_gaps, dos_at_fermi_level  # noqa: E402
from settings import digest  # noqa: E402
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
        targets = material_from_entry(entry).targets
        assert len(targets) == 7
        assert all(math.isfinite(value) for value in targets.values()), entry["data"]["mat_id"]
        assert targets["gap"] >= 0
        assert targets["e_hull"] >= 0
        assert targets["dos_ef"] >= 0


def test_no_target_is_constant():
    targets = [material_from_entry(entry).targets for entry in ENTRIES]
    for name in targets[0]:
        assert len({round(row[name], 3) for row in targets}) > 1, name


def test_volume_per_atom_is_that_of_the_lattice():
    for entry in ENTRIES:
        structure = Structure.from_dict(entry["structure"])
        volume = abs(np.linalg.det(np.array(entry["structure"]["lattice"]["matrix"])))
        assert structure.volume == pytest.approx(volume)
        assert material_from_entry(entry).targets["vol_atom"] == pytest.approx(volume / len(structure))


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


def test_assembling_again_gives_the_same_document():
    results = sorted(
        json.loads(json.dumps([result_of(entry) for entry in ALL])), key=lambda row: row["mat_id"]
    )
    document, rejects = assemble(results)
    assert rejects == []
    assert document == DOCUMENT


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


def test_the_tables_of_the_card_are_those_of_the_entries():
    card = (EMBEDDED / "CARD.md").read_text(encoding="utf-8")
    assert with_tables(card, EMBEDDED) == card, (
        "run: python embedded/generate/write_card.py --embedded embedded"
    )
