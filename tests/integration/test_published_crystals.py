"""A published table of thousands of crystals, read as a whole."""

from crystal_files import Sampled


def test_mp20_is_read(tmp_path, shared):
    found = Sampled(tmp_path, shared / "data/mp20/train.csv.gz", n_materials=50)
    assert found.summary["read"] == 7140
    assert found.summary["invalid"] == 0
    assert set(found.data[found.ids[0]]) >= {"band_gap", "formation_energy_per_atom", "e_above_hull"}
