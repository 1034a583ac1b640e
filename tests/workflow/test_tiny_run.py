"""One tiny real run: what is in the results, not only that they exist."""

import json
from dataclasses import asdict

import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pytest
from PIL import Image
from sklearn.metrics import mean_absolute_error

import train_cell
from polyfacet.materials.targets import Target

COMBINATIONS, TARGETS = ("text", "text+image+tabular"), ("e_form", "vol_atom")


@pytest.fixture(scope="module")
def results(finished):
    return finished.folder / "results" / "test"


@pytest.fixture(scope="module")
def dataset(results):
    return pd.read_parquet(results / "split-0" / "dataset").sort_values("mat_id", ignore_index=True)


def test_the_dataset_is_aligned_and_complete(results, dataset):
    sample = pd.read_parquet(results / "sample" / "sample.parquet").set_index("mat_id")
    assert list(dataset["mat_id"]) == sorted(sample.index)
    assert len(dataset) == 40
    for target in ("gap", "e_form", "e_hull", "e_total", "mag_vol", "vol_atom", "dos_ef"):
        np.testing.assert_array_equal(dataset[target], sample.loc[dataset["mat_id"], target])
        assert np.isfinite(dataset[target]).all()
    assert dataset["part"].value_counts().to_dict() == {"train": 29, "valid": 5, "test": 6}
    assert all(len(facets) == 4 for facets in dataset["facets"])
    embeddings = np.stack(dataset["embedding"])
    assert embeddings.shape == (40, 128)
    assert np.isfinite(embeddings).all()


def test_the_dataset_says_its_units(results):
    schema = pq.read_schema(results / "split-0" / "dataset" / "shard-1.parquet")
    assert schema.field("vol_atom").metadata[b"unit"] == b"A^3/atom"
    assert all(field.metadata[b"meaning"] for field in schema)


def test_pictures_are_where_the_dataset_says_and_differ(results, dataset):
    for column, size in (("image", (64, 64)), ("compimage", (84, 96))):
        contents = set()
        for path in dataset[column]:
            with Image.open(results / "split-0" / "dataset" / path) as picture:
                assert picture.size == size
                contents.add(picture.tobytes())
        assert len(contents) > 30


def test_cards_repeat_what_the_predictions_say(results, dataset):
    truth = dataset.set_index("mat_id")
    for combination in COMBINATIONS:
        for target in TARGETS:
            cell = results / "split-0" / "cells" / combination / target
            card = json.loads((cell / "card.json").read_text())
            assert card["status"] == "ok"
            rows = pd.read_parquet(cell / "predictions.parquet")
            assert sorted(rows["mat_id"]) == sorted(truth.index)
            test = rows[rows["part"] == "test"]
            assert set(test["mat_id"]) == set(truth.index[truth["part"] == "test"])
            np.testing.assert_allclose(test["y_true"], truth.loc[test["mat_id"], target])
            mae = mean_absolute_error(test["y_true"], test["y_pred"])
            assert card["metrics"]["mae"] == pytest.approx(mae)
            deviation = np.abs(test["y_true"] - test["y_true"].mean()).mean()
            assert card["metrics"]["mase"] == pytest.approx(
                mae / deviation if deviation else np.nan, nan_ok=True
            )
            assert card["contains_answer"] is (target == "vol_atom" and "image" in combination)


def test_a_cell_of_expanded_features_can_be_trained_on_the_dataset(results, tmp_path):
    train_cell.main(
        results / "split-0" / "dataset" / "_metadata",
        encoders=None,
        predictions=tmp_path / "predictions.parquet",
        model=tmp_path / "model",
        card=tmp_path / "card.json",
        combination="tabular",
        objective=asdict(Target.E_FORM.objective),
        split="split-0",
        text="composition",
        engine="classical",
        settings={"model": "ridge", "features": "expanded"},
        seed=1,
        statistics=sorted(results.glob("composition_statistics/shard-?.parquet")),
    )
    card = json.loads((tmp_path / "card.json").read_text())
    assert card["status"] == "ok", card
    assert card["metrics"]["mase"] < 1


def test_tables_repeat_what_the_cards_say(results):
    table = pd.read_csv(results / "report" / "mae.csv", index_col="facets")
    assert list(table.index) == [*COMBINATIONS, "mean", "median", "best"]
    for combination in COMBINATIONS:
        for target in TARGETS:
            card = json.loads(
                (results / "split-0" / "cells" / combination / target / "card.json").read_text()
            )
            assert float(table.loc[combination, target]) == pytest.approx(card["metrics"]["mae"])


def test_the_dummy_mean_is_the_mean_of_the_training_part(results, dataset):
    train, test = (dataset[dataset["part"] == part]["e_form"] for part in ("train", "test"))
    table = pd.read_csv(results / "report" / "mae.csv", index_col="facets")
    assert float(table.loc["mean", "e_form"]) == pytest.approx((test - train.mean()).abs().mean())


def test_report_and_figures_are_there(results):
    report = (results / "report" / "report.md").read_text()
    assert "MASE = MAE / mean absolute" in report
    assert "| images | 40 | 0 |" in report
    for name in ("mase_heatmap.png", "mae_bars.png", "contact_sheet.png", "composition_legend.png"):
        assert f"({name})" in report
        with Image.open(results / "report" / name) as picture:
            assert min(picture.size) > 200


def test_every_job_left_its_log_and_its_benchmark(finished):
    logs = {path.stem for path in (finished.folder / "logs" / "test").rglob("*.log")}
    assert {
        "sample",
        "gather_dataset",
        "shard-0",
        "shard-1",
        "e_form",
        "write_report",
    } <= logs
    benchmarks = list((finished.folder / "results" / "test" / "benchmarks").rglob("*.tsv"))
    assert len(benchmarks) >= 20


def test_no_group_of_a_split_is_in_two_parts(results, dataset):
    twins = pd.concat([pd.read_parquet(path) for path in sorted(results.glob("twins/shard-*.parquet"))])
    listed = pd.read_csv(results / "report" / "twins.csv")
    assert sorted(listed["mat_id"]) == sorted(twins["mat_id"])
    names = dict(zip(twins["mat_id"], twins["twin_group"], strict=True))
    assert list(dataset["group"]) == [names.get(mat_id, mat_id) for mat_id in dataset["mat_id"]]
    assert (dataset.groupby("group")["part"].nunique() == 1).all()
    for path in results.glob("split-0/cells/*/*/predictions.parquet"):
        rows = pd.read_parquet(path).merge(dataset[["mat_id", "group"]], on="mat_id")
        assert (rows.groupby("group")["part"].nunique() == 1).all()
