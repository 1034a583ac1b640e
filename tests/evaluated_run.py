"""The evaluation of a made-up run: predictions of known quality, scored and tested by the project's code."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from made_up_results import cell_row

import attribute_to_facets
import compare_methods
from polyfacet.evaluation.formulas import Formulas
from polyfacet.evaluation.losses import VALIDATION, candidates, validation_losses
from polyfacet.evaluation.scoring import SCORED, score
from polyfacet.evaluation.tables import CELLS, SCORES, SUMMARY
from polyfacet.facets.registry import all_combinations, facets_of
from polyfacet.runtime.parquet import write_table
from polyfacet.training.cells import NO_FACET, PREDICTIONS

ELEMENTS = ("Li", "Na", "K", "Mg", "Ca", "Ti", "Fe", "Cu", "Zn", "Al", "Si", "O", "S", "Cl", "N", "U")
CRYSTAL_SYSTEMS = ("cubic", "hexagonal", "tetragonal", "monoclinic")
# Share of an objective that a facet shows.
SHOWN = {"text": 0.35, "graph": 0.45, "graph:chgnet": 0.45, "image": 0.1, "compimage": 0.3}


@dataclass
class MadeUpRun:
    """What a run consists of.

    Attributes
    ----------
    objectives
        Numbers, from the predefined objectives.
    classes
        Objectives with classes, and these.
    facets
        Facets, of which all subsets are trained.
    methods
        Method to its number of repeats.
    lacking
        Methods and objectives that they are not trained on.
    untrained
        Facets whose encoder is untrained.
    n_test, growth
        Materials in the test part of the first repeat, and how many more each further repeat has.
    """

    folder: Path
    source: str = "crystals"
    objectives: Sequence[str] = ("gap", "e_form")
    classes: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    facets: str = "text+graph"
    methods: Mapping[str, int] = field(default_factory=lambda: {"ridge": 3, "boosting": 3})
    n_repeats: int = 3
    n_materials: int = 60
    n_valid: int = 12
    n_test: int = 16
    growth: int = 0
    failed: Sequence[tuple[str, str, str]] = ()
    lacking: Sequence[tuple[str, str]] = ()
    untrained: Sequence[str] = ()

    @property
    def evaluation(self) -> Path:
        """Folder of the tables."""
        return self.folder / "evaluation"

    @property
    def files(self) -> list[Path]:
        """The tables."""
        return sorted(self.evaluation.glob("*.parquet"))

    def names(self) -> list[str]:
        """Return all objectives."""
        return [*self.objectives, *self.classes]

    def write(self) -> "MadeUpRun":
        """Write cells, predictions, losses, scores, choices, tests and contributions."""
        self.evaluation.mkdir(parents=True)
        generator = np.random.default_rng(7)
        pairs = generator.choice(len(ELEMENTS), (self.n_materials, 2))
        self.formulas = [f"{ELEMENTS[a]}{1 + i % 3}{ELEMENTS[b]}2" for i, (a, b) in enumerate(pairs)]
        self.mat_ids = [f"m{i:04d}" for i in range(self.n_materials)]
        self.values = {name: generator.gamma(2.0, 1.5, self.n_materials).round(3) for name in self.names()}
        self.values[self.names()[0]][::3] = 0.0
        cells, predictions = self._cells(generator)
        table = pd.concat(predictions, ignore_index=True)
        file = self.evaluation.joinpath
        write_table(file("cells.parquet"), cells, CELLS)
        write_table(file("predictions.parquet"), table.drop(columns="position"), PREDICTIONS)
        tested = [
            rows[rows["part"] == "test"].set_index(rows.loc[rows["part"] == "test", "position"])[SCORED]
            for rows in predictions
        ]
        groups, _ = pd.factorize(np.array(self.formulas))
        formulas = {self.source: Formulas(pd.Index(self.mat_ids), groups.astype(np.int64))}
        scores, summary = score(cells, tested, formulas, None, seed=1, n_draws=40)
        write_table(file("scores.parquet"), scores, SCORES)
        write_table(file("summary.parquet"), summary, SUMMARY)
        validation = table[table["part"] == "valid"]
        candidate = candidates(pd.DataFrame(cells, columns=CELLS.names), validation)
        write_table(file("validation.parquet"), validation_losses(candidate, validation), VALIDATION)
        inputs = [file(f"{name}.parquet") for name in ("cells", "validation", "scores")]
        compare_methods.main(*inputs, file("choices.parquet"), file("tests.parquet"))
        attribute_to_facets.main(*inputs, file("contributions.parquet"), file("interactions.parquet"))
        return self

    def _cells(self, generator: np.random.Generator) -> tuple[list[dict[str, Any]], list[pd.DataFrame]]:
        combinations = all_combinations(facets_of(self.facets)) if self.facets else []
        grid = [(method, name, n) for method, n in self.methods.items() for name in combinations]
        grid.append(("mean", NO_FACET, self.n_repeats))
        cells, predictions = [], []
        for repeat, objective, (method, combination, n) in product(range(self.n_repeats), self.names(), grid):
            if repeat >= n or (method, objective) in self.lacking:
                continue
            ok = (method, combination, objective) not in self.failed
            n_test = self.n_test + repeat * self.growth
            classes = list(self.classes.get(objective, ()))
            shown = {} if objective in self.objectives else {"label": objective.title(), "unit": ""}
            cell = cell_row(
                method if combination == NO_FACET else combination,
                "gap" if shown else objective,
                ok=ok,
                **{"source": self.source, "split": "formula", "split_method": "formula", "repeat": repeat},
                **{"method": method, "engine": method, "classes": classes, "n_repeats": n},
                **{"n_train": self.n_materials - n_test, "n_test": n_test if ok else 0},
                **{
                    "tested": f"part {repeat}",
                    "seed": repeat,
                    "wall_time_s": 0.5 + len(combination) / 10,
                    "peak_memory_mib": 210.0,
                },
                **shown,
            )
            cell["objective"] = objective
            cell["untrained"] = [name for name in self.untrained if name in combination.split("+")]
            cell["contains_answer"] = objective == "vol_atom" and "graph" in combination
            cells.append(cell)
            predictions.append(self._predict(cell, generator))
        return cells, predictions

    def _predict(self, cell: Mapping[str, Any], generator: np.random.Generator) -> pd.DataFrame:
        order = np.random.default_rng(cell["repeat"]).permutation(self.n_materials)
        n_test = cell["n_test"]
        position = order[: n_test + self.n_valid] if cell["status"] == "ok" else order[:0]
        true = self.values[cell["objective"]]
        facets = [] if cell["combination"] == NO_FACET else cell["combination"].split("+")
        unseen = float(np.prod([1 - SHOWN[name] for name in facets])) if facets else 1.0
        noise = generator.normal(0, 0.6 * unseen if facets else 0.0, len(position))
        predicted = true.mean() + (1 - unseen) * (true[position] - true.mean()) + noise
        rows = pd.DataFrame(
            {
                **{name: cell[name] for name in PREDICTIONS.names[:7]},
                "mat_id": np.array(self.mat_ids, dtype=object)[position],
                "part": ["test"] * n_test + ["valid"] * (len(position) - n_test),
                "y_true": true[position],
                "y_pred": predicted,
                "lacks": None,
                "true_class": None,
                "predicted_class": None,
                "probabilities": None,
                "position": position,
            }
        )
        if classes := cell["classes"]:
            edges = np.quantile(true, np.linspace(0, 1, len(classes) + 1)[1:-1])
            names = np.array(classes, dtype=object)
            rows["true_class"] = names[np.digitize(rows["y_true"], edges)]
            rows["predicted_class"] = names[np.digitize(rows["y_pred"], edges)]
            rows[["y_true", "y_pred"]] = np.nan
        return rows

    def audit(self) -> "MadeUpRun":
        """Add the audit, the intervals and the errors by group, made up."""
        choices = pd.read_parquet(self.evaluation / "choices.parquet")
        cells = pd.read_parquet(self.evaluation / "cells.parquet")
        cells = cells[cells["status"] == "ok"]
        numbers = cells[cells["objective"].isin(list(self.objectives))]
        place = {"source": self.source, "split": "formula"}
        facets = self.facets.split("+")
        self._save(
            "audit",
            [
                {
                    **{"source": self.source, "objective": name, "facet": facet, "follows": False},
                    **{"pretrained": "training part" if facet == "graph" else "", "note": ""},
                }
                for name in self.names()
                for facet in facets
            ],
        )
        self._save(
            "audit_parts",
            [
                {
                    **{**place, "repeat": repeat, "n_train": 32, "n_valid": 12, "n_test": 16},
                    **{"twins_across": 0, "formulas_across": 0, "n_formulas_test": 15},
                }
                for repeat in range(self.n_repeats)
            ],
        )
        self._save(
            "floors",
            [
                {
                    **{**place, "repeat": repeat, "objective": name, "n_test": 16, "n_formulas": 15},
                    **{"floor_mae": 0.02, "floor_mase": 0.01 * (1 + repeat)},
                }
                for repeat in range(self.n_repeats)
                for name in self.objectives
            ],
        )
        identity = list(cells.columns[:7])
        self._save("below_floor", [], [*identity, "mase", "floor_mase", "n_test", "n_nontrivial"])
        generator = np.random.default_rng(2)
        self._save(
            "intervals",
            numbers[identity].assign(
                n_calibration=12,
                n_test=16,
                coverage=generator.binomial(16, 0.9, len(numbers)) / 16,
                width=generator.uniform(2, 4, len(numbers)),
                width_mad=generator.uniform(1.5, 3, len(numbers)),
                reason=None,
            ),
        )
        gap = numbers[numbers["objective"] == self.names()[0]]
        self._save(
            "zeros",
            gap[identity].assign(
                **{"n_test": 16, "n_zero": 5, "auc": 0.8, "f1": 0.7, "kappa": 0.5, "threshold": 0.1},
                **{"mae_nonzero": 0.4, "reason": None},
            ),
        )
        self._errors(choices, generator)
        return self

    def _errors(self, choices: pd.DataFrame, generator: np.random.Generator) -> None:
        groups = [
            ("all", "all"),
            *(("element", name) for name in ELEMENTS),
            *(("crystal_system", name) for name in CRYSTAL_SYSTEMS),
            *(("size", name) for name in ("1-4 sites", "5-8 sites", "9-16 sites")),
        ]
        keys = ["source", "split", "method", "combination", "objective"]
        errors = (
            choices[keys].drop_duplicates().merge(pd.DataFrame(groups, columns=["kind", "group"]), "cross")
        )
        n = len(errors)
        self._save(
            "errors_by_group",
            errors.assign(
                n=generator.integers(3, 40, n),
                n_materials=generator.integers(1, 20, n),
                mae=generator.gamma(4, 0.1, n),
                mean_true=generator.normal(1, 0.3, n),
                bias=generator.normal(0, 0.1, n),
            ),
        )
        chosen = choices[choices["role"] == "any"].head(10)
        worst = [
            {
                **row[["source", "split", "repeat", "objective", "method", "combination"]].to_dict(),
                **{"mat_id": self.mat_ids[i], "formula": self.formulas[i]},
                **{"y_true": 3.0, "y_pred": 1.0 + i / 10, "error": i / 10 - 2.0},
            }
            for _, row in chosen.iterrows()
            for i in range(8)
        ]
        self._save("worst", worst, [*chosen.columns[:4], "method", "combination", "mat_id"])

    def _save(self, name: str, rows: Any, columns: Sequence[str] | None = None) -> None:
        table = (
            pd.DataFrame(rows, columns=columns) if isinstance(rows, list) and not rows else pd.DataFrame(rows)
        )
        table.to_parquet(self.evaluation / f"{name}.parquet")
