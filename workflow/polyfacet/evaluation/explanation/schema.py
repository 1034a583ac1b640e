"""Columns of the tables of explanations."""

import pyarrow as pa

from polyfacet.runtime.parquet import column
from polyfacet.training.cells import IDENTITY

CHECKS_FILE, IMPORTANCES_FILE = "checks.parquet", "importances.parquet"
CURVES_FILE, ATOMS_FILE = "deletion.parquet", "atoms.parquet"
MAPS_FOLDER = "maps"

_PLACE = [field for field in IDENTITY if field.name in ("source", "split", "repeat", "method")]
_EXPLAINED = [
    *_PLACE,
    column("facet", pa.string(), "facet whose units are explained"),
    column("objective", pa.string(), "objective that is predicted"),
]
_LIMITS = [
    column("low", pa.float64(), "lower limit of its 95 % interval (bootstrap of formulas)", nullable=True),
    column("high", pa.float64(), "upper limit", nullable=True),
]

CHECKS = pa.schema(
    [
        *_EXPLAINED,
        column("kind", pa.string(), "what the units are: properties, regions or atoms"),
        column("check", pa.string(), "skill, completeness, deletion, random weights or permuted values"),
        column("value", pa.float64(), "what is measured", nullable=True),
        *_LIMITS,
        column("limit", pa.float64(), "what it must exceed, or stay below"),
        column(
            "magnitude",
            pa.float64(),
            "of controls: mean absolute contribution, over that of the explained network",
            nullable=True,
        ),
        column("passed", pa.bool_(), "whether it passes"),
        column("n_materials", pa.int64(), "test materials"),
    ]
)
IMPORTANCES = pa.schema(
    [
        *_EXPLAINED,
        column("division", pa.string(), "property, statistic or element"),
        column("name", pa.string(), "the property, the statistic or the element"),
        column("importance", pa.float64(), "mean absolute contribution, in the unit of the objective"),
        *_LIMITS,
        column("contribution", pa.float64(), "mean contribution: above 0 if it raises predictions"),
        column("n_materials", pa.int64(), "test materials that have it"),
    ]
)
CURVES = pa.schema(
    [
        *_EXPLAINED,
        column("order", pa.string(), "explained: the units that raise a prediction most first; or random"),
        column("hidden", pa.float64(), "share of the units that is hidden"),
        column("fall", pa.float64(), "mean fall of the predictions, in the unit of the objective"),
        *_LIMITS,
    ]
)
ATOMS = pa.schema(
    [
        *_EXPLAINED,
        column("mat_id", pa.string(), "material"),
        column("atom", pa.int64(), "number of the atom in the crystal graph, from 0"),
        column("element", pa.string(), "its element"),
        column("contribution", pa.float64(), "its contribution, in the unit of the objective"),
    ]
)
