"""Materials of the test part that have something in common with those that models learn from."""

from collections.abc import Mapping
from typing import Any

import pandas as pd
import pyarrow as pa

from polyfacet.evaluation.formulas import Formulas
from polyfacet.runtime.parquet import column
from polyfacet.splits.parts import PARTS, TEST
from polyfacet.training.cells import IDENTITY

AUDIT_PARTS = pa.schema(
    [
        *(field for field in IDENTITY if field.name in ("source", "split", "repeat")),
        *(column(f"n_{part}", pa.int64(), f"materials of the part {part}") for part in PARTS),
        column("twins_across", pa.int64(), "test materials with a twin in another part"),
        column("formulas_across", pa.int64(), "test materials whose formula also occurs in another part"),
        column("n_formulas_test", pa.int64(), "formulas of the test part"),
    ]
)


def audit_parts(split: pd.DataFrame, formulas: Formulas, twins: Mapping[str, str]) -> dict[str, Any]:
    """Count what crosses the parts of one repeat of a split.

    Parameters
    ----------
    split
        Table of ``SPLIT``: the part of each material.
    formulas
        Formulas of all materials of the source.
    twins
        Material to the name of its twins, for those that have any.

    Returns
    -------
    dict
        Columns of ``AUDIT_PARTS``, without those that identify the split.
    """
    is_test = split["part"] == TEST
    own = pd.Series(formulas.numbers, index=formulas.materials).reindex(split["mat_id"]).to_numpy()
    groups = split["mat_id"].map(twins)
    crosses = {
        name: is_test & values.notna() & values.isin(values[~is_test])
        for name, values in (("twins", groups), ("formulas", pd.Series(own, index=split.index)))
    }
    return {
        **{f"n_{part}": int((split["part"] == part).sum()) for part in PARTS},
        **{f"{name}_across": int(found.sum()) for name, found in crosses.items()},
        "n_formulas_test": len(set(own[is_test])),
    }
