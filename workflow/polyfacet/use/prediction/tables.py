"""Tables of predictions: the new materials, what is predicted for them, and those that are left out."""

from collections.abc import Sequence

import pyarrow as pa

from polyfacet.evaluation.interval_level import LEVEL
from polyfacet.runtime.parquet import column
from polyfacet.training.bundles.description import BundleDescription

_ORIGIN = (
    column("source_file", pa.string(), "file that the material came from"),
    column("position", pa.int64(), "position in that file: line of a CSV from 1, otherwise from 0"),
)
_NUMBERS = pa.list_(pa.float64())
NEW_MATERIALS = pa.schema(
    [
        column("mat_id", pa.string(), "identifier of the material"),
        column(
            "stated_id",
            pa.string(),
            "identifier in the input, if it has other characters than mat_id may have, or is too long",
            nullable=True,
        ),
        *_ORIGIN,
        column("formula", pa.string(), "formula"),
        column("n_sites", pa.int32(), "sites in the cell", nullable=True),
        column("structure", pa.string(), "JSON of a pymatgen Structure", nullable=True),
        column("composition", _NUMBERS, "amounts of the elements, for bundles of tables", nullable=True),
        column("process", _NUMBERS, "process conditions, for bundles of tables", nullable=True),
        column("microstructure", _NUMBERS, "microstructure, for bundles of tables", nullable=True),
    ]
)
# Columns of the materials that predictions repeat.
ABOUT_MATERIALS = ("mat_id", "stated_id", "source_file", "position", "formula")
LEFT_OUT = pa.schema(
    [
        column("mat_id", pa.string(), "identifier that the material has or would have had"),
        *_ORIGIN,
        column("reason", pa.string(), "why there is no prediction"),
    ]
)


def predictions_schema(bundle: BundleDescription) -> pa.Schema:
    """Declare the table of predictions of a bundle."""
    objective, comparison = bundle.objective, bundle.comparison
    level = f"{LEVEL:.0%}"
    facets = "+".join(facet.name for facet in bundle.facets) or "none"
    meaning = f"predicted {objective.label or objective.column}"
    if objective.classes:
        answers = [
            column("prediction", pa.string(), f"{meaning}: the most probable class"),
            *(
                column(name, pa.float64(), f"probability of the class {label}", nullable=True)
                for name, label in zip(probability_columns(objective.classes), objective.classes, strict=True)
            ),
            column(
                "prediction_set",
                pa.list_(pa.string()),
                f"contains the true class with a probability of {level}; the most probable one first, empty "
                "if no class is plausible",
                nullable=True,
            ),
        ]
    else:
        limit = f"limit of the {level} prediction interval"
        answers = [
            column("prediction", pa.float64(), meaning, objective.unit),
            column("lower", pa.float64(), f"lower {limit}", objective.unit, nullable=True),
            column("upper", pa.float64(), f"upper {limit}", objective.unit, nullable=True),
            column("unit", pa.string(), "unit of the prediction and its interval"),
        ]
    return pa.schema(
        [
            *(NEW_MATERIALS.field(name) for name in ABOUT_MATERIALS),
            *answers,
            column(
                "distance",
                pa.float64(),
                "distance to the nearest training material, in standard deviations of the training set; "
                "missing if no properties of an element are known",
                nullable=True,
            ),
            column(
                "unlike",
                pa.bool_(),
                f"whether the distance exceeds {comparison.threshold:.6g}, the {comparison.quantile:.0%} "
                "quantile of the training materials' own distances, or is not known",
            ),
            column("nearest", pa.string(), "the nearest training material", nullable=True),
            column("facets", pa.string(), f"facets that the model looked at, of {facets}"),
        ]
    )


def probability_columns(classes: Sequence[str]) -> list[str]:
    """Return the columns with the probabilities of the classes, in their order."""
    return [f"probability_{name}" for name in classes]
