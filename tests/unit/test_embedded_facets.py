"""Descriptors and powder patterns of embedded crystals: of one length, and without the objectives."""

import bz2
import json

import numpy as np
import pandas as pd
import pytest
from grid_cells import cell_of
from project import PROJECT
from pymatgen.core import Structure

from polyfacet.facets.making import make_row
from polyfacet.facets.registry import facets_of
from polyfacet.materials.crystal_objectives import PREDEFINED, Calculation, derive_predefined
from polyfacet.materials.objectives import Objective
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
    check_not_shown(rows, cell_of(FACETS, objective.objective).facets_without_answer, objective.objective)


def test_an_objective_itself_would_be_refused(rows):
    shown = [np.append(x, y) for x, y in zip(rows["descriptors"], rows["e_form"], strict=True)]
    energy = next(each.objective for each in PREDEFINED if each.name == "e_form")
    with pytest.raises(EngineError, match="number 142 of the facet descriptors is e_form itself"):
        check_not_shown(rows.assign(descriptors=shown), FACETS, energy)


def test_the_volume_would_be_refused_without_its_declaration(rows):
    shown = [np.append(y, x) for x, y in zip(rows["descriptors"], rows["vol_atom"], strict=True)]
    with pytest.raises(EngineError, match="number 1 of the facet descriptors is vol_atom itself"):
        check_not_shown(rows.assign(descriptors=shown), FACETS, Objective("vol_atom"))
    volume = next(each.objective for each in PREDEFINED if each.name == "vol_atom")
    assert cell_of(FACETS, volume).facets_without_answer == ()
