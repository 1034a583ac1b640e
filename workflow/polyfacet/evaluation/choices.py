"""The best cell of each role, chosen on the validation rows of each repeat."""

import pandas as pd
import pyarrow as pa

from polyfacet.evaluation.common_rows import RIVALS
from polyfacet.evaluation.losses import LOSS_UNIT, VALIDATION
from polyfacet.evaluation.roles import ANY, BASELINE, MULTI, SINGLE
from polyfacet.evaluation.tables import KEYS
from polyfacet.runtime.parquet import column
from polyfacet.training.cells import IDENTITY

ROLES = (SINGLE, BASELINE, MULTI, ANY)
CHOICES = pa.schema(
    [
        *(field for field in IDENTITY if field.name in RIVALS),
        column("role", pa.string(), "single (facet), baseline, multi (several facets), or any of these"),
        *(field for field in IDENTITY if field.name in ("method", "combination")),
        VALIDATION.field("valid_loss"),
        column("test_loss", pa.float64(), "loss on the test part", LOSS_UNIT, nullable=True),
        VALIDATION.field("n_valid"),
        column("n_test", pa.int64(), "test values scored"),
        column("n_nontrivial", pa.int64(), "test values that differ from the most frequent one"),
    ]
)


def choose(validated: pd.DataFrame, tested: pd.DataFrame) -> pd.DataFrame:
    """Choose the cell with the smallest validation error for each role, objective and repeat.

    Parameters
    ----------
    validated
        Candidates, as `polyfacet.evaluation.losses.with_validation_losses` returns them.  The first of
        equally good ones is chosen.
    tested
        Result of `polyfacet.evaluation.losses.losses_on_test`.

    Returns
    -------
    pandas.DataFrame
        Rows of ``CHOICES``, and ``n_train`` of the chosen cells.
    """
    found = [
        best(validated if role == ANY else validated[validated[f"role_{role}"]], RIVALS).assign(role=role)
        for role in ROLES
    ]
    chosen = pd.concat(found).drop(columns=["n_test"]).merge(tested, on=KEYS, validate="many_to_one")
    order = {role: number for number, role in enumerate(ROLES)}
    chosen = chosen.rename(columns={"loss": "test_loss"}).sort_values(
        [*RIVALS, "role"], key=lambda values: values.map(order) if values.name == "role" else values
    )
    return chosen[[*CHOICES.names, "n_train"]].reset_index(drop=True)


def best(validated: pd.DataFrame, keys: list[str]) -> pd.DataFrame:
    """Return the row with the smallest validation error for each value of the keys."""
    return validated.loc[validated.groupby(keys, sort=False)["valid_error"].idxmin()]
