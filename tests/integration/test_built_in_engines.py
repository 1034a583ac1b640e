"""The built-in engines keep the contract of engines."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from quick_settings import QUICK
from synthetic_cells import PHASE, STRENGTH, synthetic_cells

from polyfacet.facets.registry import GRAPH, TEXT
from polyfacet.training.engines.contract import check_engine
from polyfacet.training.engines.registry import ENGINES

LOOKED_AT = (GRAPH,)


FORMULAS = ("Li 2 O", "Na Cl", "Fe 3 O 4", "Mg O", "Al 2 O 3", "Cu S")


@pytest.fixture(scope="module")
def rows() -> pd.DataFrame:
    return synthetic_cells(60).assign(text=FORMULAS * 10)


@pytest.mark.parametrize("name", [name for name in ENGINES.all() if name not in ("automm", "tabicl")])
def test_built_in_engines_keep_the_contract(name: str, rows: pd.DataFrame, tmp_path: Path) -> None:
    """AutoGluon needs other settings, and TabICL a checkpoint: see their own tests."""
    usual = LOOKED_AT if ENGINES.get(name).looks_at(GRAPH) else (TEXT,)
    facets = () if ENGINES.get(name).is_baseline else usual
    check_engine(name, QUICK.get(name, {}), rows, facets, (STRENGTH, PHASE), tmp_path)


def test_rows_of_a_dataset_have_columns_of_small_integers(rows: pd.DataFrame, tmp_path: Path) -> None:
    """As space groups and numbers of sites are in that of crystals."""
    of_crystals = rows.assign(
        space_group=np.arange(len(rows), dtype=np.int16), n_sites=np.arange(len(rows), dtype=np.int32)
    )
    check_engine("classical", QUICK["classical"], of_crystals, LOOKED_AT, (STRENGTH,), tmp_path)
