"""Lattices of entries: periodic along all vectors, or a reject that says what to do."""

import pytest
from handmade import entry, rock_salt
from structure_stages import sampled_and_written

SALT = rock_salt("Na", "Cl", 5.64)
WHOLE = {"listed": [True, True, True], "numbers": [1, 1, 1], "none": None}
OTHERS = {
    "layer": ([True, True, False], r"lattice.pbc is [true, true, false], but"),
    "chain": ([False, False, True], r"lattice.pbc is [false, false, true], but"),
    "molecule": ([False, False, False], r"lattice.pbc is [false, false, false], but"),
    "one-flag": (True, "lattice.pbc is True, not a list of three booleans"),
    "two-flags": ([True, True], "lattice.pbc is list, not a list of three booleans"),
    "words": (["yes", "yes", "no"], "lattice.pbc is list, not a list of three booleans"),
    "nested": ([[True], True, True], "lattice.pbc is list, not a list of three booleans"),
}
LATTICES = {
    "zero-vector": ([[4, 0, 0], [0, 4, 0], [0, 0, 0]], "cell volume is 0"),
    "all-zero": ([[0, 0, 0]] * 3, "cell volume is 0"),
    "in-a-plane": ([[4, 0, 0], [0, 4, 0], [4, 4, 0]], "cell volume is 0"),
    "nearly-in-a-plane": ([[4, 0, 0], [0, 4, 0], [4, 4, 1e-4]], "cell volume is 0.0016"),
}


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_unusable_lattices_are_rejected_with_a_reason(tmp_path):
    items = []
    for name, pbc in {**WHOLE, **{name: pbc for name, (pbc, _) in OTHERS.items()}}.items():
        items.append(entry(name, SALT))
        items[-1]["structure"]["lattice"]["pbc"] = pbc
    items.append(entry("missing", SALT))
    del items[-1]["structure"]["lattice"]["pbc"]
    for name, (matrix, _) in LATTICES.items():
        items.append(entry(name, SALT))
        items[-1]["structure"]["lattice"]["matrix"] = matrix
    sampled, written = sampled_and_written(tmp_path, items)
    assert set(sampled.rows) == set(written.rows) == {*WHOLE, "missing"}
    for name, (_, reason) in {**OTHERS, **LATTICES}.items():
        assert reason in sampled.reasons[name], name
