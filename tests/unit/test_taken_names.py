"""Reserved names match the schemas, and neither facets nor objectives can have them."""

import pytest

from polyfacet.config import taken_names
from polyfacet.config.tables import TableSource
from polyfacet.facets.aligned import facet_fields
from polyfacet.facets.compimage.statistics_table import STATISTICS_COLUMN
from polyfacet.facets.declaration import Facet
from polyfacet.facets.registry import FACETS, FULL_FACETS
from polyfacet.materials.crystal_objectives import PREDEFINED, CrystalObjective
from polyfacet.materials.material import SAMPLE
from polyfacet.sources.tables.schemas import rows_schema
from polyfacet.splits.parts import SPLIT
from polyfacet.training.cells import NO_FACET
from polyfacet.training.dataset import dataset_schema
from polyfacet.use.finding.catalogue import ASKED, SCORES

BUILT_IN = tuple(FACETS.all().values())
ROWS = rows_schema(
    TableSource.model_validate(
        {
            "file": "a.csv",
            "composition": {"formula": "f"},
            "process": ["T"],
            "objectives": {"y": {"column": "y"}},
        }
    )
)
OBJECTIVES = {each.name for each in PREDEFINED}
ADDED = {*dataset_schema(SAMPLE, FULL_FACETS).names, *dataset_schema(ROWS, ()).names}


@pytest.mark.parametrize(
    ("names", "schema"),
    [
        (taken_names.OF_CRYSTALS, {*SAMPLE.names} - OBJECTIVES),
        (taken_names.OF_TABLES, {*ROWS.names} - {"y", "composition", "process"}),
        (taken_names.OF_SPLITS, {*SPLIT.names}),
        (taken_names.OF_FACETS, {field.name for facet in BUILT_IN for field in facet_fields(facet)}),
        (
            taken_names.OF_DATASETS,
            ADDED - {*SAMPLE.names, *ROWS.names, *SPLIT.names} - taken_names.OF_FACETS,
        ),
        (taken_names.OF_STATISTICS, {STATISTICS_COLUMN}),
        (taken_names.OF_SEARCHES, {*ASKED, *SCORES} - taken_names.OF_DATASETS),
    ],
    ids=["crystals", "tables", "splits", "facets", "datasets", "statistics", "searches"],
)
def test_each_list_matches_its_schema(names, schema):
    assert names == schema


def test_the_word_for_no_facet_is_reserved():
    assert NO_FACET in taken_names.OF_RESULTS


TAKEN = sorted(taken_names.TAKEN_BY_COLUMNS)


@pytest.mark.parametrize(
    "name", [*(name for name in TAKEN if "_" not in name), "mat", "source", "n", "space"]
)
def test_a_facet_cannot_have_the_name_of_a_column(name):
    """All columns that begin with a facet's name and an underscore belong to the facet."""
    with pytest.raises(ValueError, match=f"a facet cannot be called '{name}'.*(column|word)"):
        Facet(name, "x", "vector", needs="formula", make=len)


@pytest.mark.parametrize("name", sorted(taken_names.TAKEN_BY_CRYSTALS))
def test_a_crystal_objective_cannot_have_the_name_of_a_column(name):
    with pytest.raises(ValueError, match=f"an objective cannot be called '{name}'"):
        CrystalObjective(name, "x", "", "x", lambda of: 0.0)


def test_names_of_built_in_facets_are_free():
    assert not [facet.name for facet in BUILT_IN if taken_names.column_like_facet(facet.name)]
