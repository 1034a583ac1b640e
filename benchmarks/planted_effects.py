"""Count right verdicts on simulated materials, of which it is known whether a second facet pays.

Each run simulates materials with a composition and a graph facet and two objectives: half of the variance of
`planted` follows from each facet; of `noise`, nothing follows from the graph.  Ridge regression is trained on
each facet and on both, on repeated splits by formula, and cells are chosen and compared as in any run.
Several facets should be "better" than a single one for `planted`, and anything else for `noise`.

Usage: python benchmarks/planted_effects.py --runs 200
"""

import argparse
from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from polyfacet.evaluation.choices import choose
from polyfacet.evaluation.formulas import Formulas, formulas_of
from polyfacet.evaluation.losses import candidates, losses_on_test, validation_losses, with_validation_losses
from polyfacet.evaluation.scoring import SCORED, score
from polyfacet.evaluation.tables import CELLS, cell_row
from polyfacet.evaluation.verdicts import compare_roles
from polyfacet.facets.registry import facets_of
from polyfacet.materials.objectives import Objective
from polyfacet.splits.methods import FORMULA, SplitSettings, split_materials
from polyfacet.splits.parts import TEST, VALID
from polyfacet.training.cells import Cell, Place, train
from polyfacet.training.engines.base import Resources
from polyfacet.training.engines.creation import create

N_MATERIALS, N_FORMULAS, N_FEATURES, N_REPEATS = 240, 120, 5, 10
PLANTED, NOISE = OBJECTIVES = Objective("planted", "Planted effect"), Objective("noise", "Noise")
COMBINATIONS = ("graph", "composition", "graph+composition")
# Standard deviation of what no facet shows, relative to what one facet explains.
UNEXPLAINED = 0.5


def main() -> None:
    """Print the verdicts of all runs."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--runs", type=int, default=20, help="number of simulated runs")
    parser.add_argument("--seed", type=int, default=0, help="seed of the first run")
    options = parser.parse_args()
    found = count_verdicts(range(options.seed, options.seed + options.runs))
    for objective, counts in found.items():
        print(f"{objective}: " + ", ".join(f"{verdict} in {n}" for verdict, n in counts.most_common()))


def count_verdicts(seeds: Iterable[int]) -> dict[str, Counter[str]]:
    """Count the verdicts of simulated runs, by objective."""
    found: dict[str, Counter[str]] = {objective.column: Counter() for objective in OBJECTIVES}
    for seed in seeds:
        for objective, verdict in verdicts(seed).items():
            found[objective][verdict] += 1
    return found


def verdicts(seed: int) -> dict[str, str]:
    """Return the verdict on several facets against a single one, for each objective of a simulated run."""
    materials = simulated(seed)
    formulas = formulas_of(materials, rounded=False)
    trained = list(cells_of(materials, seed))
    rows = [row for row, _ in trained]
    tested = [_by_position(predictions, formulas) for _, predictions in trained]
    scores, _ = score(rows, tested, {"crystals": formulas}, None, seed, n_draws=1)
    cells = pd.DataFrame(rows, columns=CELLS.names)
    validation = pd.concat([own[own["part"] == VALID] for _, own in trained], ignore_index=True)
    validated = with_validation_losses(cells, validation_losses(candidates(cells, validation), validation))
    tests = compare_roles(choose(validated, losses_on_test(scores)), cells)
    of_facets = tests[tests["comparison"] == "multi vs single"]
    return dict(zip(of_facets["objective"], of_facets["verdict"], strict=True))


def simulated(seed: int) -> pd.DataFrame:
    """Simulate materials: those of one formula have the same composition and different graphs."""
    rng = np.random.default_rng(seed)
    formula = rng.permutation(np.arange(N_MATERIALS) % N_FORMULAS)
    composition = rng.normal(size=(N_FORMULAS, N_FEATURES))[formula]
    graph = rng.normal(size=(N_MATERIALS, N_FEATURES))
    of_composition, of_graph = (_explained(facet, rng) for facet in (composition, graph))
    rest = UNEXPLAINED * rng.normal(size=N_MATERIALS)
    return pd.DataFrame(
        {
            "mat_id": [f"m{number}" for number in range(N_MATERIALS)],
            "formula": [f"F{number}" for number in formula],
            "composition": list(composition),
            "graph": list(graph),
            "facets": [["graph", "composition"]] * N_MATERIALS,
            PLANTED.column: of_composition + of_graph + rest,
            NOISE.column: of_composition + rest,
        }
    )


def _explained(facet: NDArray[np.float64], rng: np.random.Generator) -> NDArray[np.float64]:
    """Return values of variance 1 that follow from a facet."""
    values = facet @ rng.normal(size=N_FEATURES)
    standardized: NDArray[np.float64] = (values - values.mean()) / values.std()
    return standardized


def cells_of(materials: pd.DataFrame, seed: int) -> Iterator[tuple[dict[str, Any], pd.DataFrame]]:
    """Train the cells on repeated splits; yield the row of ``CELLS`` and the predictions of each."""
    for repeat in range(N_REPEATS):
        split, _ = split_materials(materials, FORMULA, SplitSettings(0.85, 0.15, seed, repeat))
        rows = materials.merge(split, on="mat_id")
        place = Place("simulated", "crystals", "formula", "formula", repeat, "ridge")
        for combination in COMBINATIONS:
            for objective in OBJECTIVES:
                cell = Cell(place, facets_of(combination), objective, "classical", seed)
                engine = create("classical", {"model": "ridge"}, Resources(seed))
                with TemporaryDirectory() as folder:
                    predictions, card = train(cell, engine, rows, Path(folder) / "model")
                yield cell_row(card, objective.shown, {}, N_REPEATS), predictions


def _by_position(predictions: pd.DataFrame, formulas: Formulas) -> pd.DataFrame:
    test = predictions[predictions["part"] == TEST]
    return test[SCORED].set_index(formulas.materials.get_indexer(test["mat_id"]))


if __name__ == "__main__":
    main()
