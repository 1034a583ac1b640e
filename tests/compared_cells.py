"""Made-up cells with given losses, for tests of choices, verdicts and contributions."""

from collections.abc import Mapping, Sequence

import pandas as pd

from polyfacet.evaluation.roles import roles_of
from polyfacet.evaluation.tables import KEYS
from polyfacet.training.cells import NO_FACET

# Method and combination to the loss on validation and test rows in each repeat.
Losses = Mapping[tuple[str, str], Sequence[tuple[float, float]]]
N_TRAIN, N_VALID, N_TEST = 160, 20, 40


def cells_with(losses: Losses, objective: str = "gap") -> pd.DataFrame:
    """Return one row per cell: its keys, facts, and ``valid_error``, ``valid_loss``, ``loss``."""
    rows = [
        {
            "run": "test",
            "source": "crystals",
            "split": "formula",
            "repeat": repeat,
            "method": method,
            "combination": combination,
            "objective": objective,
            "classes": [],
            "status": "ok",
            "cut_off": None,
            "untrained": [],
            "n_train": N_TRAIN,
            "n_test": N_TEST,
            "n_nontrivial": N_TEST - 1,
            "n_valid": N_VALID,
            "tested": f"test part {repeat}",
            **roles_of(combination, "dummy" if combination == NO_FACET else "classical", {}),
            "valid_error": 10 * valid,
            "valid_loss": valid,
            "loss": test,
        }
        for (method, combination), own in losses.items()
        for repeat, (valid, test) in enumerate(own)
    ]
    return pd.DataFrame(rows)


def validated(cells: pd.DataFrame) -> pd.DataFrame:
    """Return these cells as `polyfacet.evaluation.losses.with_validation_losses` does."""
    return cells.drop(columns=["loss", "n_nontrivial"])


def on_test(cells: pd.DataFrame) -> pd.DataFrame:
    """Return their losses as `polyfacet.evaluation.losses.losses_on_test` does."""
    return cells[[*KEYS, "loss", "n_test", "n_nontrivial"]]
