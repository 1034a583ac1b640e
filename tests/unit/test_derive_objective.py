"""An objective that is not a column of the sample: its values, missing values and rejects."""

from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest
from handmade import entry, structures, write_entries

import derive_objective
import sample as sampling
from polyfacet.runtime import plugins
from polyfacet.runtime.errors import UserError

Derive = Callable[..., pd.DataFrame]
NACL = structures()["test000"]


@pytest.fixture
def derived(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Derive:
    """Return a function that derives ``bulk``, declared in a plug-in; the first of two entries states it."""
    monkeypatch.setattr(plugins, "_of_run", {})
    sample = tmp_path / "sample.parquet"
    sampling.main(
        [write_entries(tmp_path / "entries.json", [entry("a", NACL, bulk=24.0), entry("b", NACL)])],
        sample,
        tmp_path / "rejected_entries.parquet",
        tmp_path / "summary.json",
        n_materials="all",
        seed=0,
        filters={},
        magnetization="absolute",
        max_rejected_fraction=0.0,
    )

    def derive(function: str, limits: str = "", max_rejected_fraction: float = 1.0) -> pd.DataFrame:
        (tmp_path / "bulk.py").write_text(
            "from polyfacet.materials.crystal_objectives import CrystalObjective\n"
            f"BULK = CrystalObjective('bulk', 'Bulk modulus', 'GPa', 'bulk modulus', {function}, {limits})\n"
        )
        plugins.use_plugins([str(tmp_path / "bulk.py")])
        derive_objective.main(
            sample,
            tmp_path / "bulk.parquet",
            tmp_path / "rejected.parquet",
            objective="bulk",
            magnetization="absolute",
            max_rejected_fraction=max_rejected_fraction,
        )
        return pd.read_parquet(tmp_path / "bulk.parquet").set_index("mat_id")

    return derive


def test_values_follow_from_the_entry_and_its_cell(derived: Derive):
    table = derived("lambda of: of.data['bulk'] * of.n_atoms / of.volume")
    assert table.loc["a", "bulk"] == pytest.approx(24.0 * 2 / NACL.volume)


def test_an_unstated_value_is_missing_but_not_rejected(derived: Derive, tmp_path: Path):
    table = derived("lambda of: of.data['bulk']", max_rejected_fraction=0.0)
    assert table.loc["a", "bulk"] == 24.0
    assert pd.isna(table.loc["b", "bulk"])
    assert pd.read_parquet(tmp_path / "rejected.parquet").empty


@pytest.mark.parametrize(
    ("function", "limits", "reason"),
    [
        ("lambda of: of.data['bulk']", "highest=20.0", "bulk is 24 GPa, above 20: no material has that"),
        ("lambda of: of.data['bulk'] * float('nan')", "", "bulk is nan, not a finite number"),
        ("lambda of: of.data['bulk'] * float('inf')", "", "bulk is inf, not a finite number"),
    ],
)
def test_an_impossible_value_is_missing_and_rejected(
    derived: Derive, tmp_path: Path, function, limits, reason
):
    table = derived(function, limits)
    assert table["bulk"].isna().all()
    place = {"source_file": str(tmp_path / "entries.json"), "source_position": 0, "mat_id": "a"}
    assert pd.read_parquet(tmp_path / "rejected.parquet").to_dict("records") == [{**place, "reason": reason}]
    with pytest.raises(UserError, match="1 of 2 materials were rejected"):
        derived(function, limits, max_rejected_fraction=0.4)


def test_the_error_of_a_failing_function_names_the_entry(derived: Derive):
    with pytest.raises(UserError, match=r"entries\.json, entry 0 \(a\): .*ZeroDivisionError"):
        derived("lambda of: 1 / 0")


def test_a_machine_failure_is_raised_unchanged(derived: Derive):
    with pytest.raises(OSError, match="no space left"):
        derived("lambda of: (_ for _ in ()).throw(OSError('no space left'))")
