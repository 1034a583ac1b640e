"""What a row says twice must agree: its formula with its structure, and a structure with itself."""

import csv
import json
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from crystal_files import Sampled, write_files
from handmade import structures
from pymatgen.core import Structure
from pymatgen.io.ase import AseAtomsAdaptor

from polyfacet.materials.reduced_formula import reduced_formula
from polyfacet.sources.cell_agreement import Cell
from polyfacet.sources.structures.formula_columns import check_formulas
from polyfacet.sources.values import InvalidEntryError

CELLS = structures()
CIFS = {name: cell.to(fmt="cif") for name, cell in CELLS.items()}
FORMULAS = {name: cell.composition.reduced_formula for name, cell in CELLS.items()}


def write_csv(path: Path, rows: list[dict]) -> Path:
    with path.open("w", newline="") as file:
        writer = csv.DictWriter(file, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)
    return path


def rows_with(column: str, values: list[str]) -> list[dict]:
    ids = zip(CIFS.items(), values, strict=True)
    return [{"material_id": name, column: value, "cif": cif} for (name, cif), value in ids]


@pytest.mark.parametrize("column", ["pretty_formula", "Formula", "reduced formula", "composition"])
@pytest.mark.parametrize(
    "spelled",
    [
        lambda cell: cell.composition.reduced_formula,
        lambda cell: cell.composition.formula,
        lambda cell: "".join(f"{element}4" for element in reversed(list(cell.composition))),
        lambda cell: "".join(f"{element}0.5" for element in cell.composition),
    ],
    ids=["reduced", "of the cell", "of another cell", "fractions"],
)
def test_formulas_in_any_spelling_agree(tmp_path, column, spelled):
    path = write_csv(tmp_path / "t.csv", rows_with(column, [spelled(cell) for cell in CELLS.values()]))
    assert Sampled(tmp_path, path).ids == list(CELLS)


@pytest.mark.parametrize("column", ["pretty_formula", "Formula", "composition"])
def test_a_shifted_column_of_structures_is_noticed(tmp_path, column):
    values = list(FORMULAS.values())
    path = write_csv(tmp_path / "t.csv", rows_with(column, [*values[1:-1], values[0], values[-1]]))
    found = Sampled(tmp_path, path)
    assert found.ids == ["test014"]
    reason = found.reasons["t.csv:test000"]
    assert reason.startswith(f"{column} is 'LiF', but the structure is NaCl: correct the row, or rename the")


def test_one_wrong_formula_is_one_reject(tmp_path):
    values = [*list(FORMULAS.values())[:-1], "Fe2O3"]
    found = Sampled(tmp_path, write_csv(tmp_path / "t.csv", rows_with("formula", values)))
    assert list(found.reasons) == ["t.csv:test014"]


@pytest.mark.parametrize(
    ("column", "values"),
    [
        # Boron, carbon, and what is not a formula.
        ("composition", ["A", "B", "C"] * 5),
        ("composition", ["rocksalt"] * 5 + ["zincblende"] * 10),
        ("formula", ["AB", "NaCl", "ABC3"] * 5),
        ("formula", ["", "nan", "n/a"] * 5),
        ("anonymous_formula", ["NaCl"] * 15),
        ("formula", [1.5] * 15),
    ],
)
def test_a_column_without_formulas_is_not_compared(tmp_path, column, values):
    found = Sampled(tmp_path, write_csv(tmp_path / "t.csv", rows_with(column, values)))
    assert found.ids == list(CELLS)


def test_missing_formulas_contradict_nothing(tmp_path):
    values = ["", "NaN", *list(FORMULAS.values())[2:]]
    path = write_csv(tmp_path / "t.csv", rows_with("formula", values))
    assert Sampled(tmp_path, path).ids == list(CELLS)


def test_formulas_beside_structure_files_are_compared(tmp_path):
    folder = write_files(tmp_path / "crystals", CELLS)
    rows = [{"id": name, "formula": formula} for name, formula in FORMULAS.items()]
    rows[3]["formula"] = "NaCl"
    write_csv(folder / "id_prop.csv", rows)
    found = Sampled(tmp_path, folder)
    assert {name: reason[:48] for name, reason in found.reasons.items()} == {
        "test003.cif:test003": "formula is 'NaCl', but the structure is KBr: cor"
    }


def test_formulas_of_frames_are_compared(tmp_path):
    path = tmp_path / "t.extxyz"
    for name, cell in list(CELLS.items())[:3]:
        atoms = AseAtomsAdaptor.get_atoms(cell)
        atoms.info = {"id": name, "formula": "NaCl"}
        atoms.write(path, format="extxyz", append=True)
    found = Sampled(tmp_path, path)
    assert found.ids == ["test000"]
    assert found.reasons["t.extxyz:test001"].startswith("formula is 'NaCl', but the structure is LiF")


def disordered(share: float) -> Structure:
    cell = CELLS["test000"].copy()
    cell[0] = {"Na": share, "K": 1 - share}
    return cell


@pytest.mark.parametrize(("stated", "agrees"), [("Na0.67K0.33Cl", True), ("Na0.5K0.5Cl", False)])
def test_formulas_of_disordered_crystals_are_compared_within_rounding(tmp_path, stated, agrees):
    rows = [
        {"id": "a", "formula": stated, "structure": json.dumps(disordered(0.667).as_dict())},
        {"id": "b", "formula": "NaCl", "structure": json.dumps(CELLS["test000"].as_dict())},
    ]
    found = Sampled(tmp_path, write_csv(tmp_path / "t.csv", rows))
    assert found.ids == ["a"] * agrees + ["b"]


def changed(change) -> dict:
    stated = CELLS["test000"].as_dict()
    change(stated)
    return stated


@pytest.mark.parametrize("kind", ["json", "parquet"])
@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (lambda s: s["lattice"].update(a=5.0), "lattice a is 5"),
        (lambda s: s["lattice"].update(gamma=90.0), "lattice gamma is 90"),
        (lambda s: s["lattice"].update(volume=1.0), "lattice volume is 1"),
        (lambda s: s["sites"][1].update(xyz=[0.1, 0.0, 0.0]), "xyz of site 1 has [0.1, 0, 0], but its abc"),
        (lambda s: s["lattice"].update(volume=None, a=None), None),
        (lambda s: s["sites"][1].update(xyz=[2.82, 2.82, 2.82]), None),
        (lambda s: s["sites"][1].pop("xyz"), None),
    ],
)
def test_a_structure_must_agree_with_itself(tmp_path, kind, change, reason):
    stated = changed(change)
    both = {"a": stated, "b": CELLS["test001"].as_dict()}
    if kind == "json":
        rows = [{"id": name, "structure": json.dumps(each)} for name, each in both.items()]
        path = write_csv(tmp_path / "t.csv", rows)
    else:
        path = tmp_path / "t.parquet"
        nested = [{key: each[key] for key in ("lattice", "sites")} for each in both.values()]
        for site in [*nested[0]["sites"], *nested[1]["sites"]]:
            site.pop("properties", None)
        pq.write_table(pa.table({"id": list(both), "structure": nested}), path)
    found = Sampled(tmp_path, path)
    assert [each["reason"].startswith(reason or "-") for each in found.rejected] == [True] * bool(reason)
    assert found.ids == (["b"] if reason else ["a", "b"])


@pytest.mark.parametrize(
    ("stated", "amounts"),
    [
        ("CaSO4.2H2O", {"Ca": 1, "S": 1, "O": 6, "H": 4}),
        ("CuSO4·5H2O", {"Cu": 1, "S": 1, "O": 9, "H": 10}),
        ("Fe33Co67", {"Fe": 1, "Co": 2}),
        ("Na O", {"Na": 2, "O": 1}),
        ("D2O", {"H": 2, "O": 1}),
    ],
)
def test_hydrates_percents_and_chemical_systems_agree(stated, amounts):
    cell = Cell(reduced_formula(amounts), amounts, {}, [], 1.0, [])
    check_formulas({"formula": stated}, ["formula"], cell)
    with pytest.raises(InvalidEntryError, match="formula is 'KBr', but the structure is"):
        check_formulas({"formula": "KBr"}, ["formula"], cell)


def test_identifiers_are_not_compared(tmp_path):
    rows = [
        {"formula": f"{formula}{n}", "cif": CIFS[name]}
        for n, (name, formula) in enumerate(FORMULAS.items(), 1)
    ]
    found = Sampled(tmp_path, {"path": str(write_csv(tmp_path / "t.csv", rows)), "id": "formula"})
    assert len(found.ids) == len(rows)


def test_labels_of_frames_are_no_formulas(tmp_path):
    path = tmp_path / "t.extxyz"
    for label, (name, cell) in zip("ABC" * 2, CELLS.items(), strict=False):
        atoms = AseAtomsAdaptor.get_atoms(cell)
        atoms.info = {"id": name, "composition": label}
        atoms.write(path, format="extxyz", append=True)
    assert len(Sampled(tmp_path, path).ids) == 6
