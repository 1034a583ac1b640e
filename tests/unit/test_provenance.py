"""What cards say of the data and the code of a cell: equal where these are equal, and only there."""

import numpy as np
import pandas as pd
import pytest
from grid_cells import cell_of

from polyfacet.facets.compimage.statistics_table import STATISTICS_COLUMN
from polyfacet.facets.registry import GRAPH, IMAGE, TEXT
from polyfacet.materials.objectives import Objective
from polyfacet.training.provenance import InputDigests

N = 4
VOLUME = Objective("volume", "Volume", "A^3")
PHASE = Objective("phase", "Phase", classes=("hard", "soft"))
CELL = cell_of((TEXT, IMAGE, GRAPH), VOLUME)


@pytest.fixture
def rows():
    """Return rows with facets of each kind, some of which are missing."""
    return pd.DataFrame(
        {
            "mat_id": [f"m{i}" for i in range(N)],
            "part": ["train", "train", "valid", "test"],
            "volume": [1.0, 2.0, np.nan, 4.0],
            "phase": ["hard", None, "soft", "soft"],
            "text": ["Fe", None, "Ni", "Cu"],
            "image": [f"/somewhere/{i}.png" for i in range(N)],
            "image_sha256": [f"{i}" * 64 for i in range(N)],
            "graph": [np.arange(3, dtype=np.float32) + i for i in range(N - 1)] + [None],
        }
    )


def digests(rows, cell=CELL):
    return InputDigests(rows).of(cell.facets, cell.objective).model_dump()


def changed(rows, name, value):
    values = rows[name].tolist()
    values[0] = value
    return rows.assign(**{name: pd.Series(values, dtype=rows[name].dtype)})


def test_equal_inputs_have_equal_digests_wherever_the_files_are(rows):
    assert digests(rows) == digests(rows.copy(deep=True).assign(image="/elsewhere/x.png"))
    assert set(digests(rows)["facets"]) == {"text", "image", "graph"}


@pytest.mark.parametrize(
    ("name", "value", "where"),
    [
        ("part", "test", "split"),
        ("volume", 1.5, "objective"),
        ("volume", np.nan, "objective"),
        ("text", "Fe ", "text"),
        ("text", None, "text"),
        ("image_sha256", "f" * 64, "image"),
        ("graph", np.array([0, 1, 2.5], dtype=np.float32), "graph"),
    ],
)
def test_a_change_of_an_input_is_seen_there_alone(rows, name, value, where):
    before, after = (
        {**found.pop("facets"), **found} for found in map(digests, (rows, changed(rows, name, value)))
    )
    assert {key for key in before if before[key] != after[key]} == {where}


def test_a_value_that_moves_to_another_material_is_a_change(rows):
    moved = rows.assign(phase=[None, "hard", "soft", "soft"])
    cell = cell_of((), PHASE)
    assert digests(rows, cell)["objective"] != digests(moved, cell)["objective"]
    assert digests(rows, cell)["facets"] == {}


def test_statistics_are_an_input_where_there_are_any(rows):
    assert digests(rows)["statistics"] is None
    with_them = rows.assign(**{STATISTICS_COLUMN: [np.full(2, float(i)) for i in range(N)]})
    assert len(digests(with_them)["statistics"]) == 64
