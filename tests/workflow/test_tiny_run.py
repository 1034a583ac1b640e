"""One tiny real run: the content of the results, not only their existence."""

import json
from dataclasses import asdict

import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pytest
from PIL import Image
from report_page import ReportPage
from sklearn.metrics import mean_absolute_error

import train_cells
from polyfacet.materials.crystal_objectives import E_FORM
from polyfacet.runtime.files import sha256_of_folder

COMBINATIONS, OBJECTIVES = ("text", "text+image+graph"), ("e_form", "vol_atom")


@pytest.fixture(scope="module")
def results(finished):
    return finished.folder / "results" / "test"


@pytest.fixture(scope="module")
def crystals(results):
    return results / "crystals"


@pytest.fixture(scope="module")
def split(crystals):
    return crystals / "random-0"


@pytest.fixture(scope="module")
def dataset(split):
    return pd.read_parquet(split / "dataset").sort_values("mat_id", ignore_index=True)


def test_the_dataset_is_aligned_and_complete(crystals, dataset):
    sample = pd.read_parquet(crystals / "sample" / "sample.parquet").set_index("mat_id")
    assert list(dataset["mat_id"]) == sorted(sample.index)
    assert len(dataset) == 40
    for target in ("gap", "e_form", "e_hull", "e_total", "mag_vol", "vol_atom", "dos_ef"):
        np.testing.assert_array_equal(dataset[target], sample.loc[dataset["mat_id"], target])
        assert np.isfinite(dataset[target]).all()
    assert dataset["part"].value_counts().to_dict() == {"train": 29, "valid": 5, "test": 6}
    assert all(len(facets) == 4 for facets in dataset["facets"])
    embeddings = np.stack(dataset["graph"])
    assert embeddings.shape == (40, 128)
    assert np.isfinite(embeddings).all()


def test_the_dataset_has_units(split):
    schema = pq.read_schema(split / "dataset" / "shard-1.parquet")
    assert schema.field("vol_atom").metadata[b"unit"] == b"A^3/atom"
    assert all(field.metadata[b"meaning"] for field in schema)


def test_pictures_of_the_dataset_exist_and_differ(split, dataset):
    for column, size in (("image", (64, 64)), ("compimage", (84, 96))):
        contents = set()
        for path in dataset[column]:
            with Image.open(split / "dataset" / path) as picture:
                assert picture.size == size
                contents.add(picture.tobytes())
        assert len(contents) > 30


def test_predictions_match_the_dataset_and_cards_identify_their_cell(split, dataset):
    truth = dataset.set_index("mat_id")
    for combination in COMBINATIONS:
        for objective in OBJECTIVES:
            cell = split / "cells" / "automm" / combination / objective
            card = json.loads((cell / "card.json").read_text())
            assert card["status"] == "ok"
            place = {"run": "test", "source": "crystals", "split": "random", "repeat": 0, "method": "automm"}
            place |= {"combination": combination, "objective": objective}
            assert place.items() <= card.items()
            assert card["contains_answer"] is (objective == "vol_atom" and "image" in combination)
            rows = pd.read_parquet(cell / "predictions.parquet").set_index("mat_id")
            assert sorted(rows.index) == sorted(truth.index)
            assert rows["part"].equals(truth.loc[rows.index, "part"].rename("part"))
            np.testing.assert_allclose(rows["y_true"], truth.loc[rows.index, objective])
            assert np.isfinite(rows["y_pred"]).all()


def test_scores_follow_from_the_predictions(results):
    scores = pd.read_parquet(results / "evaluation" / "scores.parquet")
    predictions = pd.read_parquet(results / "evaluation" / "predictions.parquet")
    keys = ["method", "combination", "objective"]
    value = scores.set_index([*keys, "metric"])["value"]
    for cell, rows in predictions[predictions["part"] == "test"].groupby(keys):
        mae = mean_absolute_error(rows["y_true"], rows["y_pred"])
        assert value[(*cell, "mae")] == pytest.approx(mae)
        deviation = np.abs(rows["y_true"] - rows["y_true"].mean()).mean()
        expected = mae / deviation if deviation else np.nan
        assert value[(*cell, "mase")] == pytest.approx(expected, nan_ok=True)


def test_no_facet_is_fitted_on_validation_rows(split, dataset):
    """Grey levels depend only on the training part, and so does the network."""
    n_train = int((dataset["part"] == "train").sum())
    levels = json.loads((split / "grey_levels.json").read_text())
    assert levels["n_fitted"] == n_train
    training = json.loads((split / "network.json").read_text())["training"]
    assert training["n_train"] + training["n_valid"] == n_train


def test_a_cell_of_expanded_features_can_be_trained_by_hand(crystals, split, tmp_path):
    train_cells.main(
        crystals / "sample" / "sample.parquet",
        split / "split.parquet",
        sorted(split.glob("embeddings/shard-?.parquet")),
        tmp_path / "cells",
        place={
            "run": "test",
            "source": "crystals",
            "split": "random",
            "split_method": "random",
            "repeat": 0,
            "method": "ridge",
        },
        facets=["graph"],
        grid=[{"combination": "graph", "objective": asdict(E_FORM.objective), "folder": "."}],
        engine="classical",
        settings={"model": "ridge", "features": "expanded"},
        seed=1,
        statistics=sorted(crystals.glob("composition_statistics/shard-?.parquet")),
    )
    card = json.loads((tmp_path / "cells" / "card.json").read_text())
    assert card["status"] == "ok", card


def test_tables_match_the_scores(results):
    table = pd.read_csv(results / "report" / "mae.csv", keep_default_na=False).set_index(
        ["method", "combination"]
    )
    trees = [("trees", "graph"), ("trees", "graph+compimage")]
    baselines = [("mean", "none"), ("median", "none")]
    assert list(table.index) == [*(("automm", name) for name in COMBINATIONS), *trees, *baselines]
    scores = pd.read_parquet(results / "evaluation" / "scores.parquet").query("metric == 'mae'")
    for row in scores.itertuples():
        assert float(table.loc[(row.method, row.combination), row.objective]) == pytest.approx(row.value)


def test_the_baseline_mean_is_the_mean_of_the_training_part(results, dataset):
    is_test = dataset["part"] == "test"
    train, test = dataset.loc[~is_test, "e_form"], dataset.loc[is_test, "e_form"]
    table = pd.read_csv(results / "report" / "mae.csv").set_index("method")
    assert float(table.loc["mean", "e_form"]) == pytest.approx((test - train.mean()).abs().mean())


def test_report_and_figures_exist(results):
    page = ReportPage.of(results / "report" / "report.html")
    assert "crystals | images | 40 | 0" in page.rows("work")
    assert page.figures
    figures = [results / "report" / "figures" / f"{name}.png" for name in page.figures]
    sheets = [results / "report" / name for name in ("contact_sheet.png", "composition_legend.png")]
    for path in (*figures, *sheets):
        with Image.open(path) as picture:
            assert min(picture.size) > 200
    for name in ("contact-sheet", "composition-legend"):
        assert f'id="{name}"' in page.html


def test_every_job_has_a_log_and_a_benchmark(finished):
    logs = {path.stem for path in (finished.folder / "logs" / "test").rglob("*.log")}
    assert {
        "sample",
        "gather_dataset",
        "shard-0",
        "shard-1",
        "trees",
        "text+image+graph",
        "write_report",
    } <= logs
    benchmarks = list((finished.folder / "results" / "test" / "benchmarks").rglob("*.tsv"))
    assert len(benchmarks) >= 20


def test_no_group_of_a_split_is_in_two_parts(results, crystals, split, dataset):
    twins = pd.concat([pd.read_parquet(path) for path in sorted(crystals.glob("twins/shard-*.parquet"))])
    listed = pd.read_csv(results / "report" / "twins.csv")
    assert sorted(listed["mat_id"]) == sorted(twins["mat_id"])
    names = dict(zip(twins["mat_id"], twins["twin_group"], strict=True))
    assert list(dataset["group"]) == [names.get(mat_id, mat_id) for mat_id in dataset["mat_id"]]
    assert (dataset.groupby("group")["part"].nunique() == 1).all()
    for path in split.glob("cells/*/*/*/predictions.parquet"):
        rows = pd.read_parquet(path).merge(dataset[["mat_id", "group"]], on="mat_id")
        assert (rows.groupby("group")["part"].nunique() == 1).all()


def test_cards_record_the_initial_weights_of_their_encoders(finished):
    results = finished.folder / "results" / "test"
    cells = results / "crystals" / "random-0" / "cells"
    expected = {name: sha256_of_folder(results / "encoders" / name) for name in ("text", "image")}
    for combination, encoders in (
        ("automm/text", {"text": expected["text"]}),
        ("automm/text+image+graph", expected),
        ("trees/graph", {}),
    ):
        card = json.loads((cells / combination / "e_form" / "card.json").read_text())
        assert card["encoders"] == encoders
