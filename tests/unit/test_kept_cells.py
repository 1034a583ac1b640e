"""Cells of a batch: trained once, however often their job starts, and again where anything is different."""

from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from grid_cells import PLACE

import train_cells
from polyfacet.facets.declaration import Facet
from polyfacet.materials.crystal_objectives import E_FORM, E_HULL, GAP
from polyfacet.materials.material import SAMPLE
from polyfacet.runtime.parquet import write_table
from polyfacet.splits.parts import SPLIT
from polyfacet.training.cards import CARD_FILE, read_card
from polyfacet.training.row_tables import RowTables

OBJECTIVES = {each.name: each.objective for each in (GAP, E_FORM, E_HULL)}
N = 12


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Return a folder with a sample and its split."""
    write_inputs(tmp_path)
    return tmp_path


def write_inputs(folder: Path, gap: float = 0.0) -> None:
    names = [f"m{number:02d}" for number in range(N)]
    rows = [{**_material(name), "gap": gap + number} for number, name in enumerate(names)]
    write_table(folder / "sample.parquet", rows, SAMPLE)
    parts = ["train"] * 6 + ["valid"] * 2 + ["test"] * 4
    split = pd.DataFrame({"mat_id": names, "group": names, "part": parts})
    write_table(folder / "split.parquet", split, SPLIT)


def _material(mat_id: str) -> dict[str, Any]:
    number = float(mat_id[1:])
    values: dict[str, Any] = {
        "mat_id": mat_id,
        "formula": f"NaCl{int(number) + 1}",
        "e_form": -number,
        "e_hull": number**2,
    }
    return {field.name: values.get(field.name, _filler(str(field.type), number)) for field in SAMPLE}


def _filler(kind: str, number: float) -> Any:
    return "text" if kind == "string" else int(number) if kind.startswith("int") else number


@pytest.fixture
def trained(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Return a list that gets the objective of each cell that is trained."""
    names: list[str] = []
    train = train_cells.train

    def counted(cell, *rest):
        names.append(cell.objective.column)
        return train(cell, *rest)

    monkeypatch.setattr(train_cells, "train", counted)
    return names


def run(folder: Path, *objectives: str, **changes: Any) -> dict[str, bytes]:
    """Run the job of a batch; return the bytes of its cells, without the times that cards tell."""
    given: dict[str, Any] = {
        "place": PLACE,
        "facets": [],
        "grid": [
            {"combination": "none", "objective": asdict(OBJECTIVES[name]), "folder": name}
            for name in objectives
        ],
        "engine": "dummy",
        "settings": {"statistic": "mean"},
        "seed": 1,
        "kept": folder / "kept",
        **changes,
    }
    train_cells.main(folder / "sample.parquet", folder / "split.parquet", [], folder / "cells", **given)
    files = sorted(path for path in (folder / "cells").rglob("*") if path.is_file())
    return {
        path.relative_to(folder).as_posix(): path.read_bytes() for path in files if path.name != "card.json"
    }


def forget_outputs(folder: Path) -> None:
    """Delete the cells, if there are any, as Snakemake does before a job."""
    if (folder / "cells").exists():
        (folder / "cells").rename(folder / f"former-{len(list(folder.iterdir()))}")


def test_one_more_objective_trains_its_own_cell_alone(folder, trained):
    before = run(folder, "gap", "e_form")
    card = (folder / "cells" / "gap" / "card.json").read_bytes()
    forget_outputs(folder)
    after = run(folder, "gap", "e_form", "e_hull")
    assert trained == ["gap", "e_form", "e_hull"]
    assert before.items() <= after.items()
    assert (folder / "cells" / "gap" / "card.json").read_bytes() == card


def test_a_batch_that_is_killed_goes_on_with_the_cell_that_it_was_at(folder, tmp_path_factory, monkeypatch):
    whole = tmp_path_factory.mktemp("whole")
    write_inputs(whole)
    expected = run(whole, *OBJECTIVES)
    train, names = train_cells.train, []

    def killed(cell, *rest):
        if cell.objective.column == "e_form" and "e_form" not in names:
            names.append("e_form")
            raise KeyboardInterrupt
        names.append(cell.objective.column)
        return train(cell, *rest)

    monkeypatch.setattr(train_cells, "train", killed)
    with pytest.raises(KeyboardInterrupt):
        run(folder, *OBJECTIVES)
    forget_outputs(folder)
    assert run(folder, *OBJECTIVES) == expected
    assert names == ["gap", "e_form", "e_form", "e_hull"]


def test_a_batch_has_the_bytes_of_single_cells(folder, tmp_path_factory):
    batch = run(folder, *OBJECTIVES)
    alone: dict[str, bytes] = {}
    single = tmp_path_factory.mktemp("single")
    write_inputs(single)
    for name in OBJECTIVES:
        alone |= run(single, name, kept=None)
    assert batch == alone


@pytest.mark.parametrize(
    "change",
    [
        {"settings": {"statistic": "median"}},
        {"seed": 2},
        {"code": "another"},
        {"keep_models": False},
        {"leaks": "allow"},
        {"text": "cif"},
        {"checkpoints": {"text": "one"}},
        {"checkpoint_files": {"text": "other weights"}},
        {"place": {**PLACE, "run": "another"}},
    ],
    ids=lambda change: next(iter(change)),
)
def test_whatever_a_cell_follows_from_trains_it_again(folder, trained, change):
    run(folder, "gap", "e_form")
    forget_outputs(folder)
    run(folder, "gap", "e_form", **change)
    assert trained == ["gap", "e_form"] * 2


def test_settings_of_one_objective_train_its_cells_alone(folder, trained):
    def grid(**settings):
        return [
            {
                "combination": "none",
                "objective": asdict(OBJECTIVES[name]),
                "folder": name,
                **({"settings": {"statistic": settings[name]}} if name in settings else {}),
            }
            for name in ("gap", "e_form")
        ]

    answers = []
    for own in ({}, {"gap": "median"}, {"gap": "median"}, {"gap": "median", "e_form": "median"}):
        run(folder, grid=grid(**own))
        card = read_card(folder / "cells" / "gap" / CARD_FILE)
        answers.append(card.settings["statistic"])
        forget_outputs(folder)
    assert trained == ["gap", "e_form", "gap", "e_form"]
    assert answers == ["mean", "median", "median", "median"]


def test_other_encoders_train_cells_again(folder, trained):
    encoders = folder / "encoders"
    encoders.mkdir()
    for weights in ("a", "a", "b"):
        (encoders / "weights").write_text(weights)
        run(folder, "gap", encoders=encoders)
    assert trained == ["gap", "gap"]


@pytest.mark.parametrize(
    "change",
    [{"shows": frozenset()}, {"may_be_flipped": True}, {"pixels_are_numbers": True}, {"kind": "text"}],
    ids=lambda change: next(iter(change)),
)
def test_another_declaration_of_a_facet_trains_cells_again(folder, trained, monkeypatch, change):
    views = Facet("views", "views", "image", needs="structure", make=len)
    # There are no pictures: rows are read without the facet.
    monkeypatch.setattr(RowTables, "of_job", lambda *tables, **_: RowTables(*tables[:3], tables={}))
    for facet in (views, views, replace(views, stage=None, **change)):
        monkeypatch.setattr(train_cells, "facet_named", lambda _, facet=facet: facet)
        run(folder, "gap", facets=["views"])
    assert trained == ["gap", "gap"]


def test_other_packages_train_cells_again(folder, trained, install):
    run(folder, "gap")
    install("pandas", "99.0")
    run(folder, "gap")
    assert trained == ["gap", "gap"]


def test_other_values_of_an_objective_train_its_cell_alone(folder, trained):
    run(folder, "gap", "e_form")
    write_inputs(folder, gap=0.5)
    run(folder, "gap", "e_form")
    assert trained == ["gap", "e_form", "gap"]


@pytest.mark.parametrize("file", ["predictions.parquet", "card.json", "model/engine.json"])
@pytest.mark.parametrize("damage", ["changed", "missing"])
def test_a_damaged_cell_is_trained_again(folder, trained, file, damage):
    expected = run(folder, "gap", "e_form")
    forget_outputs(folder)
    path = folder / "kept" / "gap" / "files" / file
    path.unlink()
    if damage == "changed":
        path.write_bytes(b"something else")
    assert run(folder, "gap", "e_form") == expected
    assert trained == ["gap", "e_form", "gap"]


@pytest.mark.parametrize("content", ["", "{", "[]", "{}", '{"made_of": 1, "files": 2}'])
def test_a_damaged_record_is_none(folder, trained, content):
    run(folder, "gap")
    (folder / "kept" / "gap" / "record.json").write_text(content)
    run(folder, "gap")
    assert trained == ["gap", "gap"]


def test_a_failed_cell_is_a_card_and_tried_again(folder, trained):
    rows = pd.read_parquet(folder / "sample.parquet").assign(gap=1.0)
    write_table(folder / "sample.parquet", rows, SAMPLE)
    for _ in range(2):
        run(folder, "gap", "e_form")
        cards = {name: read_card(folder / "cells" / name / "card.json") for name in ("gap", "e_form")}
        assert [card.status for card in cards.values()] == ["failed", "ok"]
    assert trained == ["gap", "e_form", "gap"]


def test_a_cell_that_the_run_has_no_more_is_not_kept(folder):
    run(folder, *OBJECTIVES)
    run(folder, "gap")
    assert [path.name for path in (folder / "kept").iterdir()] == ["gap"]


def test_without_a_folder_nothing_is_kept(folder, trained):
    for _ in range(2):
        run(folder, "gap", kept=None)
    assert trained == ["gap", "gap"]
    assert not (folder / "kept").exists()
