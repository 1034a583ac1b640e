"""Descriptors and powder patterns of embedded crystals: of one length, and without the objectives."""

import bz2
import json

import numpy as np
import pandas as pd
import pytest
from project import PROJECT
from pymatgen.core import Structure

from polyfacet.facets.making import make_row
from polyfacet.facets.registry import facets_of
from polyfacet.materials.crystal_objectives import PREDEFINED, Calculation, derive_predefined
from polyfacet.training.engines.base import EngineError
from polyfacet.training.learnable import check_not_shown

FACETS = facets_of("descriptors+xrd")
# Every fifth; enough for the check of the order, which starts at 30 distinct values.
STEP = 5


@pytest.fixture(scope="module")
def rows() -> pd.DataFrame:
    entries = json.loads(bz2.decompress((PROJECT / "embedded" / "entries.json.bz2").read_bytes()))["entries"]
    return pd.DataFrame([_row(entry) for entry in entries[::STEP]])


def _row(entry: dict) -> dict:
    structure = Structure.from_dict(entry["structure"])
    made = {facet.name: make_row(facet, "m", structure, None)["values"] for facet in FACETS}
    return made | derive_predefined(Calculation(entry["data"], len(structure), structure.volume))


def test_vectors_have_one_length(rows):
    assert len(rows) > 40
    assert set(rows["descriptors"].map(len)) == {141}
    assert set(rows["xrd"].map(len)) == {128}


@pytest.mark.parametrize("objective", PREDEFINED, ids=lambda each: each.name)
def test_no_number_is_an_objective(rows, objective):
    check_not_shown(rows, FACETS, objective.objective)


def test_the_volume_itself_would_be_refused(rows):
    shown = [np.append(x, y) for x, y in zip(rows["descriptors"], rows["vol_atom"], strict=True)]
    volume = next(each.objective for each in PREDEFINED if each.name == "vol_atom")
    with pytest.raises(EngineError, match="number 142 of the facet descriptors is vol_atom itself"):
        check_not_shown(rows.assign(descriptors=shown), FACETS, volume)
