"""Calculations for the embedded set: what waits to be assembled, in which order, and densities of states."""

import json
import sys
from pathlib import Path

import numpy as np
import pytest
from project import PROJECT

EMBEDDED = PROJECT / "embedded"
sys.path.append(str(EMBEDDED / "generate"))

import assemble  # noqa: E402
import collect_pending  # noqa: E402
from calculation_order import FIRST_CHOSEN, in_order  # noqa: E402
from crystals import numbered_crystals  # noqa: E402
from electronic import dos_at_fermi_level  # noqa: E402
from interpolation import fermi_level, interpolated_dos, on_full_grid, refined  # noqa: E402
from settings import digest, dos_digest  # noqa: E402
from stored_results import (  # noqa: E402
    finished_results,
    is_complete,
    latest,
    read_document,
    result_of,
    scan_points,
    scan_results,
    write_document,
)

CRYSTALS = numbered_crystals()
SHIPPED = EMBEDDED / "entries.json.bz2"
PENDING = EMBEDDED / "generate" / "pending.json.bz2"
WIDTH = 0.05


def test_no_crystal_is_listed_twice():
    seen = [(spec["prototype"], *spec["sites"]) for spec in CRYSTALS.values()]
    assert len(set(seen)) == len(seen)


def test_what_waits_is_small_and_belongs_to_the_list_at_the_present_settings():
    assert PENDING.stat().st_size < 1_000_000
    results = finished_results(PENDING)
    assert list(latest(results, CRYSTALS).values()) == results
    shipped = {result["mat_id"] for result in finished_results(SHIPPED)}
    for result in results:
        spec = CRYSTALS[result["mat_id"]]
        assert (spec["prototype"], spec["sites"]) == (result["prototype"], result["sites"])
        if result["mat_id"] in shipped:
            assert is_complete(result)
    scan = scan_results(PENDING)
    assert list(scan_points(scan, CRYSTALS).values()) == scan


def test_a_new_estimate_of_a_shipped_crystal_keeps_the_rest_of_its_result():
    shipped = {result["mat_id"]: result for result in finished_results(SHIPPED)}
    for result in finished_results(PENDING):
        earlier = shipped.get(result["mat_id"])
        if earlier is not None and "failure" not in result:
            changed = {"dos_ef", "dos_digest", "cpu_s"}
            assert {key: result[key] for key in earlier if key not in changed} == {
                key: earlier[key] for key in earlier if key not in changed
            }


def tight_binding(size):
    """Levels of an s band on a simple cubic lattice with a hopping of 0.5 eV, on a gamma-centred grid."""
    cosines = np.cos(2 * np.pi * np.arange(size) / size)
    band = -(cosines[:, None, None] + cosines[None, :, None] + cosines[None, None, :])
    return band[None, ..., None]


def known_dos(electrons):
    levels = tight_binding(90).reshape(1, -1, 1)
    level = fermi_level(levels, electrons, WIDTH)
    weights = np.full(levels.shape[1], 1 / levels.shape[1])
    return dos_at_fermi_level(levels, weights, level, WIDTH), level


@pytest.mark.parametrize("electrons", [0.3, 0.9, 1.6])
def test_interpolated_bands_have_the_density_of_states_of_a_dense_grid(electrons):
    known, known_level = known_dos(electrons)
    for size in (8, 9):
        dos, level = interpolated_dos(tight_binding(size), electrons, WIDTH, [8, 8, 8])
        assert dos == pytest.approx(known, rel=0.01)
        assert level == pytest.approx(known_level, abs=0.01)


def test_levels_alone_are_mostly_noise():
    known, _ = known_dos(0.9)
    coarse = tight_binding(9).reshape(1, -1, 1)
    weights = np.full(coarse.shape[1], 1 / coarse.shape[1])
    alone = dos_at_fermi_level(coarse, weights, fermi_level(coarse, 0.9, WIDTH), WIDTH)
    assert abs(alone - known) > 0.3 * known


def test_full_and_empty_bands_change_nothing():
    band = tight_binding(8)
    between = np.concatenate([band - 30.0, band, band + 30.0], axis=-1)
    expected = interpolated_dos(band, 0.7, WIDTH, [5, 5, 5])
    assert interpolated_dos(between, 2.7, WIDTH, [5, 5, 5]) == pytest.approx(expected)


def test_two_equal_spin_channels_are_one_for_both_spins():
    band = tight_binding(8)
    expected = interpolated_dos(band, 0.7, WIDTH, [5, 5, 5])
    assert interpolated_dos(np.concatenate([band, band]), 0.7, WIDTH, [5, 5, 5]) == pytest.approx(expected)


def test_a_shifted_spin_channel_moves_electrons_to_the_other_one():
    band = tight_binding(8)
    _, level = interpolated_dos(np.concatenate([band, band + 8.0]), 0.5, WIDTH, [5, 5, 5])
    one_channel, _ = interpolated_dos(band, 1.0, WIDTH, [5, 5, 5])
    both, _ = interpolated_dos(np.concatenate([band, band + 8.0]), 0.5, WIDTH, [5, 5, 5])
    assert level == pytest.approx(0.0, abs=1e-3)
    assert both == pytest.approx(one_channel / 2, rel=1e-3)


def test_a_wide_gap_has_nothing_to_interpolate():
    band = tight_binding(4)
    with pytest.raises(ValueError, match="no band near the Fermi level"):
        interpolated_dos(np.concatenate([band - 10.0, band + 10.0], axis=-1), 2.0, WIDTH, [2, 2, 2])


def test_refined_bands_hold_the_levels_of_the_grid():
    band = tight_binding(6)[..., [0, 0]]
    finer = refined(band, [2, 3, 1]).reshape(1, 12, 18, 6, 2)
    assert finer[:, ::2, ::3] == pytest.approx(band)


def test_irreducible_levels_are_spread_over_the_grid_in_its_order():
    irreducible = np.array([[[1.0], [2.0], [3.0]]])
    full = on_full_grid(irreducible, [0, 1, 1, 2], (1, 2, 2))
    assert full[0, 0, :, :, 0].tolist() == [[1.0, 2.0], [2.0, 3.0]]


def result(mat_id, **changes):
    return {
        "mat_id": mat_id,
        "digest": digest(CRYSTALS[mat_id]),
        "dos_digest": dos_digest(),
        "cpu_s": 5.0,
        **changes,
    }


def earlier(mat_id, **changes):
    return {key: value for key, value in result(mat_id, **changes).items() if key != "dos_digest"}


def test_the_best_result_of_a_crystal_is_chosen():
    first, second = result("pfx000001", energy=1), result("pfx000001", energy=2)
    assert latest([first, second], CRYSTALS) == {"pfx000001": second}
    assert latest([first, earlier("pfx000001")], CRYSTALS) == {"pfx000001": first}
    failed = earlier("pfx000001", failure="did not converge")
    assert latest([first, failed], CRYSTALS) == {"pfx000001": first}
    assert latest([earlier("pfx000001"), failed], CRYSTALS) == {"pfx000001": failed}
    other = result("pfx000001", digest="0" * 16)
    assert latest([other, result("pfx000002")], CRYSTALS) == {"pfx000002": result("pfx000002")}


def test_new_estimates_come_first_then_chosen_crystals_then_the_rest():
    crystals = {mat_id: CRYSTALS[mat_id] for mat_id in ("pfx000001", "pfx000002", "pfx000003", "pfx000004")}
    crystals |= {FIRST_CHOSEN: CRYSTALS[FIRST_CHOSEN], "pfx000562": CRYSTALS["pfx000562"]}
    known = {
        "pfx000001": earlier("pfx000001", cpu_s=9.0),
        "pfx000002": earlier("pfx000002", cpu_s=3.0),
        "pfx000003": result("pfx000003"),
        "pfx000562": earlier("pfx000562", failure="did not converge"),
    }
    assert in_order(crystals, known) == ["pfx000002", "pfx000001", FIRST_CHOSEN, "pfx000004"]


# Enough to assemble, at a fraction of the cost of all.
SYSTEM = {"Na", "Cl", "Mg", "O", "Al"}


def with_earlier_dos_ef(entry):
    """Return an entry as if its density of states were that of an earlier estimate."""
    parameters = {name: value for name, value in entry["parameters"].items() if name != "dos_digest"}
    return {**entry, "parameters": parameters}


DOCUMENT = {
    place: [with_earlier_dos_ef(entry) for entry in entries if SYSTEM.issuperset(entry["data"]["elements"])]
    for place, entries in read_document(SHIPPED).items()
}


@pytest.fixture
def project(tmp_path):
    """An embedded folder with some shipped entries and nothing pending, and an empty folder of results."""
    embedded, results = tmp_path / "embedded", tmp_path / "results" / "crystals"
    (embedded / "generate").mkdir(parents=True)
    results.mkdir(parents=True)
    write_document(embedded / "entries.json.bz2", DOCUMENT)
    return embedded, results


def write(folder: Path, *rows):
    for row in rows:
        (folder / f"{row['mat_id']}.json").write_text(json.dumps(row))


def finished(mat_ids=None):
    """Results of the entries, all or some, as if their density of states had been found anew."""
    return [
        {**result_of(entry), "dos_ef": 0.5, "dos_digest": dos_digest()}
        for entry in [*DOCUMENT["entries"], *DOCUMENT["molecular_references"]]
        if mat_ids is None or entry["data"]["mat_id"] in mat_ids
    ]


def test_collecting_adds_what_is_finished_and_never_loses_it(project, capsys):
    embedded, results = project
    target = embedded / "generate" / "pending.json.bz2"
    write(results, result("pfx000561"), *finished({"pfx000001"}), earlier("pfx000562", failure="no"))
    collect_pending.main([results], embedded)
    assert [row["mat_id"] for row in finished_results(target)] == ["pfx000001", "pfx000561", "pfx000562"]
    assert "3 crystals pending: 1 of the entries with a new dos_ef, 1 failed" in capsys.readouterr().out
    content = target.read_bytes()
    for path in results.iterdir():
        path.unlink()
    collect_pending.main([results, results / "absent"], embedded)
    assert target.read_bytes() == content


def test_collecting_leaves_out_what_the_entries_hold_and_what_is_no_longer_listed(project):
    embedded, results = project
    held = finished_results(embedded / "entries.json.bz2")
    write(results, *[row for row in held if row["mat_id"] == "pfx000001"])
    write(results, result("pfx000561", digest="0" * 16))
    collect_pending.main([results], embedded)
    assert finished_results(embedded / "generate" / "pending.json.bz2") == []


def test_collecting_keeps_the_points_of_the_scan(project):
    embedded, results = project
    target = embedded / "generate" / "pending.json.bz2"
    scan = results.parent / "convergence"
    scan.mkdir()
    point = result("pfx000001", cutoff_ev=480.0, kpoint_density=3.0)
    (scan / "point.json").write_text(json.dumps(point))
    (scan / "old.json").write_text(json.dumps(earlier("pfx000001", cutoff_ev=480.0, kpoint_density=2.0)))
    collect_pending.main([results], embedded)
    assert scan_results(target) == [point]
    collect_pending.main([results / "absent"], embedded)
    assert scan_results(target) == [point]


def test_entries_with_two_estimates_are_not_assembled(project):
    embedded, results = project
    write(results, *finished({"pfx000001", "pfx000003"}))
    before = (embedded / "entries.json.bz2").read_bytes()
    with pytest.raises(ValueError, match="crystals have an earlier estimate of dos_ef"):
        assemble.main(results, embedded)
    assert (embedded / "entries.json.bz2").read_bytes() == before


def test_pending_results_become_entries_once_all_have_the_new_estimate(project):
    embedded, results = project
    write(results, *finished())
    collect_pending.main([results], embedded)
    assemble.main(results / "absent", embedded)
    entries = read_document(embedded / "entries.json.bz2")["entries"]
    assert [entry["data"]["mat_id"] for entry in entries] == [
        entry["data"]["mat_id"] for entry in DOCUMENT["entries"]
    ]
    assert {entry["data"]["dos_ef"] for entry in entries} == {0.5}
    assert {entry["parameters"]["dos_digest"] for entry in entries} == {dos_digest()}
    assert finished_results(embedded / "generate" / "pending.json.bz2") == []
