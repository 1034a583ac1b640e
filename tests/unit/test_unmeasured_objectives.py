"""Rows of a table that lack some objectives: from the file to the cards of the cells."""

import pandas as pd
import pytest
from grid_cells import PLACE

import assemble_dataset
import read_composition_table
import split_materials
import train_cells
from polyfacet.runtime.parquet import write_table
from polyfacet.sources.tables.description import objectives_of, table_source
from polyfacet.splits.parts import SPLIT
from polyfacet.training.cards import read_card

N, N_STRONG = 20, 11
DESCRIPTION = {
    "composition": {"columns": ["C"], "unit": "weight_percent", "balance": "Fe"},
    "objectives": {
        "hardness": {"column": "Hardness"},
        "strength": {"column": "Strength"},
        "toughness": {"column": "Toughness"},
        "phase": {"column": "Phase", "classes": ["soft", "hard"]},
    },
}


@pytest.fixture
def trained(tmp_path):
    """Read, split, align and train; return the folder with all outputs."""
    lines = [
        f"{0.1 + 0.01 * i:.2f},{100 + i},{300 + i if i < N_STRONG else ''},n/a,{'' if i % 4 else 'soft'}"
        for i in range(N)
    ]
    table = tmp_path / "steel.csv"
    table.write_text("\n".join(["C,Hardness,Strength,Toughness,Phase", *lines]) + "\n")
    described = {**DESCRIPTION, "file": str(table)}
    rows, split, dataset = (tmp_path / name for name in ("rows.parquet", "split.parquet", "data.parquet"))
    read_composition_table.main(
        rows,
        tmp_path / "rejected.parquet",
        tmp_path / "summary.json",
        source="steel",
        description=described,
        max_rejected_fraction=0,
    )
    split_materials.main(rows, split, method="random", train_fraction=0.7, seed=1, repeat=0)
    assemble_dataset.main(
        rows, split, [], dataset, source="steel", facets=["composition"], shard=0, n_shards=1
    )
    train(tmp_path)
    return tmp_path


def train(folder, **changes):
    """Train one cell per objective; return their cards by objective."""
    objectives = objectives_of(table_source("steel", {**DESCRIPTION, "file": "steel.csv"}))
    grid = [{"combination": "none", "objective": vars(each), "folder": each.column} for each in objectives]
    given = {
        "place": PLACE,
        "facets": [],
        "grid": grid,
        "engine": "dummy",
        "settings": {},
        "seed": 1,
        **changes,
    }
    train_cells.main(folder / "rows.parquet", folder / "split.parquet", [], folder / "cells", **given)
    return cards_in(folder)


def cards_in(folder):
    return {name: read_card(folder / "cells" / name / "card.json") for name in DESCRIPTION["objectives"]}


def test_each_cell_learns_from_the_rows_that_have_its_objective(trained):
    assert len(pd.read_parquet(trained / "rejected.parquet")) == 0
    cards = cards_in(trained)
    missing = {name: card.counts.n_missing for name, card in cards.items()}
    assert missing == {"hardness": 0, "strength": N - N_STRONG, "toughness": N, "phase": N - N // 4}
    assert [cards[name].status for name in ("hardness", "strength")] == ["ok", "ok"]
    predictions = pd.read_parquet(trained / "cells" / "strength" / "predictions.parquet")
    assert predictions["mat_id"].max() == f"steel-{N_STRONG:04d}"


def test_an_objective_without_a_value_is_a_failed_card_with_the_reason(trained):
    card = cards_in(trained)["toughness"]
    assert card.status == "failed"
    assert f"{N} of {N} materials are left out because they lack a value of toughness" in card.reason


def test_materials_without_a_part_of_the_split_are_counted_separately(trained):
    assert {card.counts.n_without_part for card in cards_in(trained).values()} == {0}
    split = pd.read_parquet(trained / "split.parquet")
    write_table(trained / "split.parquet", split[3:], SPLIT)
    counts = {name: card.counts for name, card in train(trained).items()}
    assert {each.n_without_part for each in counts.values()} == {3}
    assert (counts["hardness"].n_missing, counts["strength"].n_missing) == (0, N - N_STRONG)


def test_cards_have_digests_of_inputs_and_code(trained):
    before, again = cards_in(trained), train(trained)
    assert {name: (card.inputs, card.code) for name, card in again.items()} == {
        name: (card.inputs, card.code) for name, card in before.items()
    }
    assert len({card.inputs.objective for card in again.values()}) == len(again)
    assert {card.code for card in again.values()} == {None}
    assert {card.code for card in train(trained, code="of the rule").values()} == {"of the rule"}


def test_the_dataset_has_null_for_unmeasured_values(trained):
    dataset = pd.read_parquet(trained / "data.parquet")
    counts = dataset[list(DESCRIPTION["objectives"])].notna().sum()
    assert counts.to_dict() == {"hardness": N, "strength": N_STRONG, "toughness": 0, "phase": N // 4}
