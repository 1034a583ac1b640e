"""The data card of a dataset, apart from what `tests/workflow` compares with a run."""

import pandas as pd
import pyarrow as pa
import pytest
import yaml

from polyfacet.materials.objective_statistics import STATISTICS
from polyfacet.reporting.dataset_card import dataset_card

NUMBERS = {"objective": "gap", "label": "Gap", "unit": "eV", "n": 2, "missing": 0, "mean": 1.0, "mad": 1.0}
CLASSES = {
    "objective": "phase",
    "label": "Phase",
    "unit": "",
    "n": 2,
    "missing": 0,
    "classes": [("a", 1), ("b", 1)],
}


@pytest.mark.parametrize(
    ("objectives", "tasks"),
    [
        ([NUMBERS], ["tabular-regression"]),
        ([CLASSES], ["tabular-classification"]),
        ([CLASSES, NUMBERS], ["tabular-regression", "tabular-classification"]),
    ],
)
def test_the_card_names_the_tasks_of_its_objectives(objectives, tasks):
    rows = pd.DataFrame({"part": ["train", "test"], "facets": [["text"], ["text"]]})
    described = pa.Table.from_pylist([{"classes": [], **each} for each in objectives], schema=STATISTICS)
    about = {
        "run": "r",
        "source": "crystals",
        "files": ["data/a.csv", "/home/me/private/b.csv"],
        "split": "random",
        "split_method": "random",
        "repeat": 0,
        "seed": 1,
    }
    card = dataset_card(pa.schema([("mat_id", pa.string())]), rows, described.to_pandas(), about)
    assert "| data/a.csv, b.csv |" in card
    assert "private" not in card
    assert yaml.safe_load(card.split("---")[1])["task_categories"] == tasks
