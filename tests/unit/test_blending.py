"""Cells of blends: made of finished cells, they predict what the engine's own training would."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from grid_cells import cell_of
from synthetic_cells import PHASE, STRENGTH, synthetic_cells

from polyfacet.facets.registry import GRAPH, PROCESS, facets_of
from polyfacet.runtime.parquet import write_table
from polyfacet.training.blending import FinishedPart, blend
from polyfacet.training.cards import CARD_FILE, write_card
from polyfacet.training.cells import PREDICTIONS, train
from polyfacet.training.engines.base import Resources, ValidationUse
from polyfacet.training.engines.creation import create, load

N = 90
FACETS = facets_of("graph+process")
COMBINATIONS = ["graph", "process", "graph+process"]
RESOURCES = Resources(seed=1)
TREE = {"model": "tree", "hyperparameters": {"max_depth": 4}}
SETTINGS = {"ridge": {"model": "ridge"}, "tree": TREE}


@pytest.fixture(scope="module")
def rows() -> pd.DataFrame:
    generator = np.random.default_rng(2)
    frame = synthetic_cells(N)
    process = list(
        np.stack([frame["strength"] + generator.normal(0, 60, N), generator.normal(size=N)], axis=1)
    )
    return frame.assign(
        process=process,
        facets=[["graph", "process"]] * N,
        part=(["train"] * 4 + ["valid", "test"]) * (N // 6),
        group=[f"g{i % 40}" for i in range(N)],
    )


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the folder of the cells on these rows."""
    return tmp_path_factory.mktemp("cells")


def blend_of(*methods, **settings):
    members = [
        {"method": name, "engine": "classical", "settings": SETTINGS[name], "combinations": COMBINATIONS}
        for name in methods
    ]
    return create("blend", {"members": members, **settings}, RESOURCES)


def finished(engine, rows, objective, home: Path) -> list[FinishedPart]:
    """Train the cells that a blend needs, as a run does, unless that is done; read them."""
    parts = []
    for part in engine.parts(FACETS):
        folder = home / objective.column / part.method / part.combination
        if not folder.exists():
            cell = cell_of(part.facets, objective, "classical", method=part.method)
            member = create("classical", SETTINGS[part.method], RESOURCES)
            predictions, card = train(cell, member, rows, folder / "model")
            write_table(folder / "predictions.parquet", predictions, PREDICTIONS)
            write_card(folder / CARD_FILE, card)
        parts.append(FinishedPart.read(part, folder))
    return parts


def blended(engine, parts, rows, objective, model=None):
    groups = dict(zip(rows["mat_id"], rows["group"], strict=True))
    cell = cell_of(FACETS, objective, "blend", method="stack")
    return blend(cell, engine, parts, groups, model, code="abc")


@pytest.mark.parametrize("objective", [STRENGTH, PHASE], ids=lambda each: each.column)
@pytest.mark.parametrize("of", ["facets", "subsets"])
@pytest.mark.parametrize("weights", ["equal", "validation"])
def test_cells_predict_what_the_engine_would_if_it_trained_its_members(
    rows, home, tmp_path, objective, of, weights
) -> None:
    engine = blend_of("ridge", "tree", of=of, weights=weights)
    parts = finished(engine, rows, objective, home)
    predictions, card = blended(engine, parts, rows, objective, tmp_path / "blend")
    trained = blend_of("ridge", "tree", of=of, weights=weights)
    seen = rows.drop(columns=["part", "group", "facets"])
    trained.fit(seen[rows["part"] == "train"], seen[rows["part"] == "valid"], FACETS, objective)
    assert engine.weights == pytest.approx(trained.weights)
    not_valid = (predictions["part"] != "valid").to_numpy()
    column = "predicted_class" if objective.classes else "y_pred"
    found, expected = predictions[column].to_numpy(), trained.predict(seen)
    loaded = load((tmp_path / "blend").rename(tmp_path / "moved")).predict(seen)
    if objective.classes:
        assert (found[not_valid] == expected[not_valid]).all()
        assert (loaded == expected).all()
    else:
        np.testing.assert_allclose(found[not_valid].astype(float), expected[not_valid])
        np.testing.assert_array_equal(loaded[not_valid], found[not_valid].astype(float))
    assert (card.status, card.code, card.method, card.combination) == ("ok", "abc", "stack", "graph+process")
    assert sum(each.weight for each in card.blended) == pytest.approx(1)
    assert card.counts.n_train == 75
    assert card.counts.n_valid == (0 if (of, weights) == ("subsets", "equal") else 15)


def test_late_fusion_averages_the_best_member_of_each_facet(rows, home, tmp_path):
    engine = blend_of("ridge", "tree", of="facets", weights="equal")
    parts = finished(engine, rows, STRENGTH, home)
    predictions, _ = blended(engine, parts, rows, STRENGTH)
    test = predictions[predictions["part"] == "test"].set_index("mat_id")["y_pred"]
    best = {}
    for part in parts:
        valid = part.predictions.query("part == 'valid'")
        loss = (valid["y_pred"] - valid["y_true"]).abs().mean()
        best[part.part.combination] = min(best.get(part.part.combination, (np.inf, None)), (loss, part.part))
    chosen = [each for each in parts if each.part in [part for _, part in best.values()]]
    expected = np.mean([each.predictions.loc[test.index, "y_pred"] for each in chosen], axis=0)
    np.testing.assert_allclose(test, expected)


def test_models_are_links_to_those_of_the_members(rows, home, tmp_path):
    engine = blend_of("ridge", of="facets", weights="equal")
    parts = finished(engine, rows, STRENGTH, home)
    blended(engine, parts, rows, STRENGTH, tmp_path / "blend")
    weights = json.loads((tmp_path / "blend" / "weights.json").read_text())
    assert weights == [
        {"method": "ridge", "combination": name, "weight": 0.5} for name in ("graph", "process")
    ]
    for part in parts:
        own = tmp_path / "blend" / part.part.method / part.part.combination / "pipeline.skops"
        assert own.samefile(part.model / "pipeline.skops")


def test_predictions_for_validation_rows_do_not_depend_on_their_own_answers(rows, home, tmp_path):
    engine = blend_of("ridge", "tree")
    parts = finished(engine, rows, STRENGTH, home)
    before, _ = blended(engine, parts, rows, STRENGTH)
    group = rows.query("part == 'valid'")["group"].iloc[0]
    own = set(rows.loc[rows["group"] == group, "mat_id"])
    # In these rows, one part is exact.
    changed = [_with_answers(part, own, parts[0].predictions["y_pred"]) for part in parts]
    after, _ = blended(engine, changed, rows, STRENGTH)
    of_group = (before["mat_id"].isin(own) & (before["part"] == "valid")).to_numpy()
    np.testing.assert_array_equal(before["y_pred"][of_group], after["y_pred"][of_group])
    others = ((before["part"] == "valid") & ~of_group).to_numpy()
    assert (before["y_pred"][others] != after["y_pred"][others]).any()


def _with_answers(part, mat_ids, answers):
    predictions = part.predictions.copy()
    where = predictions.index.isin(mat_ids)
    predictions.loc[where, "y_true"] = answers[where]
    return replace(part, predictions=predictions)


def test_a_blend_of_a_failed_cell_fails_and_says_so(rows, home, tmp_path):
    engine = blend_of("ridge")
    parts = finished(engine, rows, STRENGTH, home)
    failed = parts[1].card.model_copy(update={"status": "failed", "reason": "it diverged"})
    parts[1] = replace(parts[1], card=failed)
    predictions, card = blended(engine, parts, rows, STRENGTH, tmp_path / "blend")
    assert card.status == "failed"
    assert card.reason == "1 of the 3 cells of this blend failed. ridge/process: it diverged"
    assert predictions["y_pred"].isna().all()
    assert len(predictions) == N
    assert list((tmp_path / "blend").iterdir()) == []


@pytest.mark.parametrize("of", ["facets", "subsets"])
@pytest.mark.parametrize("weights", ["equal", "validation"])
@pytest.mark.parametrize("objective", [STRENGTH, PHASE], ids=lambda each: each.column)
def test_members_are_weighted_by_validation_rows_of_one_value(rows, tmp_path, objective, of, weights) -> None:
    value = "RMG" if objective.classes else 0.0
    constant = rows.assign(**{objective.column: rows[objective.column].where(rows["part"] != "valid", value)})
    engine = blend_of("ridge", "tree", of=of, weights=weights)
    parts = finished(engine, constant, objective, tmp_path)
    predictions, card = blended(engine, parts, constant, objective)
    assert card.status == "ok"
    assert predictions["predicted_class" if objective.classes else "y_pred"].notna().all()


def test_no_validation_rows_are_only_enough_for_equal_weights(rows, tmp_path):
    without = rows.assign(part=rows["part"].replace("valid", "train"))
    for weights, status in (("equal", "ok"), ("validation", "failed")):
        engine = blend_of("ridge", of="subsets", weights=weights)
        _, card = blended(engine, finished(engine, without, STRENGTH, tmp_path), without, STRENGTH)
        assert card.status == status
    assert card.reason == "no rows are left to choose weights by"


def test_rows_are_those_that_all_parts_have(rows, home, tmp_path):
    lacking = [["graph"] if i % 9 == 4 else ["graph", "process"] for i in range(N)]
    engine = blend_of("ridge")
    parts = finished(engine, rows.assign(facets=lacking), STRENGTH, tmp_path)
    predictions, card = blended(engine, parts, rows, STRENGTH)
    assert len(predictions) == card.counts.n_train + card.counts.n_test == 80
    assert card.counts.n_missing == 10


def test_a_blend_counts_rows_that_lack_a_facet_of_a_part(rows, home):
    engine = blend_of("ridge")
    parts = finished(engine, rows, STRENGTH, home)
    of_first = parts[0].predictions
    lacks = pd.Series(None, of_first.index, dtype=object)
    lacks.iloc[:3] = "process"
    incomplete = replace(parts[0], predictions=of_first.assign(lacks=lacks))
    predictions, card = blended(engine, [incomplete, *parts[1:]], rows, STRENGTH)
    assert card.counts.n_incomplete == 3
    assert set(predictions.loc[predictions["lacks"] == "process", "mat_id"]) == set(of_first.index[:3])


def test_averaged_votes_are_no_probabilities(rows, home, tmp_path):
    for names, expected in ((["tree"], True), (["ridge"], False)):
        engine = blend_of(*names)
        parts = finished(engine, rows, PHASE, home)
        predictions, _ = blended(engine, parts, rows, PHASE, tmp_path / names[0])
        assert predictions["probabilities"].notna().all() == expected
        assert engine.has_probabilities == expected


def test_validation_rows_are_used_as_by_the_members_and_to_choose():
    equal = blend_of("ridge", weights="equal")
    assert equal.validation_use is ValidationUse.TRAINING
    assert blend_of("ridge").validation_use == ValidationUse.TRAINING | ValidationUse.CHOICE
    assert [str(part) for part in equal.parts((GRAPH, PROCESS))] == [f"ridge/{name}" for name in COMBINATIONS]
