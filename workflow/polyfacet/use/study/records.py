"""The kept scores of a study: small tables that grow by one repeat of a split at a time."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa

from polyfacet.evaluation.losses import VALIDATION
from polyfacet.evaluation.score_names import ALL
from polyfacet.evaluation.tables import CELL, CELLS, KEYS, SCORES
from polyfacet.runtime.errors import UserError
from polyfacet.runtime.files import write_text
from polyfacet.runtime.parquet import read_table, write_table

# The losses on test rows that tests and tables are computed from, and what readers ask for beside them.
KEPT_METRICS = ("mae", "mase", "accuracy", "macro_f1")
# What they and the page need to know of a cell: documents outlive columns that a later version adds.
KEPT_FACTS = pa.schema(
    [
        CELLS.field(name)
        for name in (
            *KEYS,
            "split_method",
            "label",
            "unit",
            "classes",
            "is_baseline",
            "role_single",
            "role_baseline",
            "role_multi",
            "n_repeats",
            "status",
            "contains_answer",
            "untrained",
            "n_train",
            "n_valid",
            "n_test",
            "tested",
            "wall_time_s",
        )
    ]
)
TABLES: Mapping[str, pa.Schema] = {"cells": KEPT_FACTS, "validation": VALIDATION, "scores": SCORES}
# Of a run, with all columns.
SCORED: Mapping[str, pa.Schema] = {**TABLES, "cells": CELLS}
PLACE = ["source", "split", "repeat"]
CONFIGURATION = "configuration.json"
# Keys of a configuration that change no score.
INDECISIVE = ("shards", "shard_size", "report", "predict", "structure_page", "download", "training")

Place = tuple[str, str, int]


class Records:
    """The kept scores of a study.

    Parameters
    ----------
    folder
        Folder of the tables ``cells.parquet``, ``validation.parquet`` and ``scores.parquet``, with
        columns of a run's evaluation; without them, nothing is finished.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def finished(self) -> set[Place]:
        """Return source, split and repeat of what has been kept."""
        path = self.folder / "cells.parquet"
        if not path.exists():
            return set()
        found = read_table(path, KEPT_FACTS)[PLACE].drop_duplicates()
        return set(found.itertuples(index=False, name=None))

    def check_configuration(self, given: Mapping[str, Any]) -> None:
        """Check that the kept scores are of this configuration, as for `add`.

        Raises
        ------
        UserError
            If they are of another one.
        """
        path = self.folder / CONFIGURATION
        if self.finished() and path.exists() and json.loads(path.read_text()) != _decisive(given):
            raise UserError(
                f"{self.folder} has scores of another configuration: methods, splits, facets or materials "
                "have changed since. Remove this folder, or choose another run_name."
            )

    def add(self, scored: Path, given: Mapping[str, Any]) -> None:
        """Add the scores of one repeat; those that are known already are replaced.

        Parameters
        ----------
        scored
            Folder of its tables, as the rule ``score_repeat`` writes them.
        given
            Configuration of the run, without defaults: these may get new keys.
        """
        decisive = json.dumps(_decisive(given), indent=1, sort_keys=True)
        write_text(self.folder / CONFIGURATION, f"{decisive}\n")
        new = {name: read_table(scored / f"{name}.parquet", schema) for name, schema in SCORED.items()}
        new["cells"], new["scores"] = new["cells"][KEPT_FACTS.names], _kept(new["scores"])
        place = new["cells"][PLACE].drop_duplicates()
        # The table of cells says what is finished, so it is written last.
        for name in sorted(TABLES, key=lambda name: name == "cells"):
            own = self._with(name, new[name], place)
            write_table(self.folder / f"{name}.parquet", own, TABLES[name])

    def __getitem__(self, name: str) -> pd.DataFrame:
        """Return a table of all finished repeats; repeats are counted anew for each method."""
        table = read_table(self.folder / f"{name}.parquet", TABLES[name])
        # A study that was killed while it added a repeat has parts of it.
        place = pd.MultiIndex.from_frame(table[PLACE])
        table = table[place.isin(self.finished())].reset_index(drop=True)
        if name == "cells":
            of_method = table.groupby(["source", "split", "method"])["repeat"]
            return table.assign(n_repeats=of_method.transform("nunique"))
        if name == "validation":
            return self._of_candidates(table)
        return table

    def _with(self, name: str, new: pd.DataFrame, place: pd.DataFrame) -> pd.DataFrame:
        path = self.folder / f"{name}.parquet"
        if not path.exists():
            return new
        known = read_table(path, TABLES[name])
        is_new = pd.MultiIndex.from_frame(known[PLACE]).isin(pd.MultiIndex.from_frame(place))
        return pd.concat([known[~is_new], new], ignore_index=True)

    def _of_candidates(self, validation: pd.DataFrame) -> pd.DataFrame:
        """Select the cells that could be chosen in every repeat of their split that is finished."""
        places = self["cells"][PLACE].drop_duplicates()
        n_repeats = places.groupby(["source", "split"]).size()
        of_cell = validation.groupby(CELL)["repeat"].transform("nunique")
        split = pd.MultiIndex.from_frame(validation[["source", "split"]])
        return validation[of_cell.to_numpy() == n_repeats.reindex(split).to_numpy()]


def _decisive(given: Mapping[str, Any]) -> Any:
    """Return those values of a configuration that scores depend on, apart from the number of repeats."""
    splits = {
        name: {key: value for key, value in (split or {}).items() if key != "repeats"}
        for name, split in given.get("splits", {}).items()
    }
    own = {key: value for key, value in given.items() if key not in INDECISIVE}
    return json.loads(json.dumps({**own, "splits": splits}, default=str))


def _kept(scores: pd.DataFrame) -> pd.DataFrame:
    """Select the scores that are kept, without limits: those of single repeats interest nobody."""
    own = scores[scores["metric"].isin(KEPT_METRICS) & (scores["class"] == ALL)]
    order = [*KEYS, "metric"]
    return own.assign(low=None, high=None).astype({"low": float, "high": float}).sort_values(order)
