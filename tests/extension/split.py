"""A split method in one file: train on small cells, test on the largest."""

from collections.abc import Mapping

import pandas as pd

from polyfacet.runtime.identifiers import stable_hash
from polyfacet.splits.grouping import by_material
from polyfacet.splits.methods import SplitMethod, SplitSettings
from polyfacet.splits.parts import TEST, TRAIN, VALID


def largest_held_out(materials: pd.DataFrame, settings: SplitSettings) -> Mapping[str, str]:
    """Test on the cells with most sites; each repeat draws its own validation rows from the others."""
    ordered = materials.sort_values(["n_sites", "mat_id"])["mat_id"].tolist()
    n_rest = round(settings.train_fraction * len(ordered))
    rest = sorted(
        ordered[:n_rest], key=lambda mat_id: stable_hash("largest", settings.seed, settings.repeat, mat_id)
    )
    n_valid = round(settings.validation_fraction * n_rest)
    parts = dict.fromkeys(rest[:n_valid], VALID) | dict.fromkeys(rest[n_valid:], TRAIN)
    return parts | dict.fromkeys(ordered[n_rest:], TEST)


LARGEST = SplitMethod(
    "largest",
    "by size of the cell",
    lambda materials, settings: by_material(materials),
    assign=largest_held_out,
    reads=("n_sites",),
)
