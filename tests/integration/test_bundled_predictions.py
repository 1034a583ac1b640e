"""Bundles of AutoGluon, of blends and of classes predict what the run has predicted."""

from pathlib import Path
from typing import Any

import pytest
from bundled_predictions import assert_same_bits, assert_within_tolerance, stored_of_model
from small_run import FACETS, SmallRun, small_run

import make_local_encoders
import read_objective
from polyfacet.facets.declaration import Facet
from polyfacet.facets.registry import COMPIMAGE, GRAPH, IMAGE, TEXT, combination_name
from polyfacet.materials.crystal_objectives import E_FORM
from polyfacet.materials.objectives import Objective
from polyfacet.use.prediction.bundle import Bundle

N = 24
ENERGY = E_FORM.objective
SITES = Objective("sites", classes=("1", "2", "3", "4", "5"))
FEW_TREES = {"model": "extra_trees", "hyperparameters": {"n_estimators": 20}}
METHODS: dict[str, tuple[str, dict[str, Any], tuple[Facet, ...], tuple[Objective, ...]]] = {
    "automm": ("automm", {"max_epochs": 1}, (TEXT, IMAGE), (ENERGY, SITES)),
    "trees": ("classical", FEW_TREES, (GRAPH,), (ENERGY, SITES)),
    # Reads the frozen encoding of its text.
    "ridge": ("classical", {"model": "ridge"}, (TEXT,), (ENERGY,)),
    # Of numbers, these are in `test_bundles.py`.
    "frequent": ("dummy", {"statistic": "mean"}, (), (SITES,)),
    "svm": ("classical", {"model": "svm"}, (GRAPH, COMPIMAGE), (SITES,)),
    "mcvn": ("mcvn", {"max_epochs": 2}, (GRAPH, COMPIMAGE), (SITES,)),
    "ensemble": (
        "ensemble",
        {
            "members": [
                {"engine": "classical", "settings": FEW_TREES},
                {"engine": "mcvn", "settings": {"max_epochs": 2}},
            ]
        },
        (GRAPH, COMPIMAGE),
        (SITES,),
    ),
}
# Late fusion of pictures and texts with graphs; both members count.
BLEND, BLENDED = "blend", (TEXT, IMAGE, GRAPH)
# Of frozen encodings with graphs.
ENCODED = "encoded"
CELLS = [
    *((method, each) for method, (*_, objectives) in METHODS.items() for each in objectives),
    (BLEND, ENERGY),
    (BLEND, SITES),
    (ENCODED, ENERGY),
]


@pytest.fixture(scope="module")
def run(browser: Path, tmp_path_factory: pytest.TempPathFactory) -> SmallRun:
    """Return a run with pictures, local encoders and an objective of classes."""
    made = small_run(tmp_path_factory.mktemp("run"), N)
    made.draw_pictures()
    image = {"architecture": "edgenext_xx_small", "size_px": 32}
    text = {"hidden_size": 32, "n_layers": 1, "n_heads": 2}
    make_local_encoders.main(made.file("encoders"), seed=0, text=text, image=image, compimage=image)
    read_objective.main(
        made.file("sample.parquet"),
        made.file("sites.parquet"),
        made.file("sites.rejected"),
        objective=SITES.column,
        source_column="nsites",
        max_rejected_fraction=0.0,
        classes=SITES.classes,
    )
    return made


@pytest.fixture(scope="module")
def bundles(run: SmallRun) -> Path:
    """Return the bundles of all cells."""
    derived = [run.file("sites.parquet")]
    cells = [
        run.train(method, engine, settings, facets, objective, encoders=run.file("encoders"), derived=derived)
        for method, (engine, settings, facets, objectives) in METHODS.items()
        for objective in objectives
    ]
    for name, members, facets, objectives in (
        (BLEND, ("automm", "trees"), BLENDED, (ENERGY, SITES)),
        (ENCODED, ("ridge", "trees"), (TEXT, GRAPH), (ENERGY,)),
    ):
        settings = {"members": list(map(_member, members)), "weights": "equal"}
        cells += run.blend(name, settings, facets, objectives)
    return run.bundle(cells, run.file("bundles"), (*FACETS, IMAGE))


def _member(name: str) -> dict[str, Any]:
    engine, settings, facets, _ = METHODS[name]
    combination = combination_name(facets)
    return {"method": name, "engine": engine, "settings": settings, "combinations": [combination]}


def folder_of(cells: Path, method: str, objective: Objective) -> Path:
    (folder,) = cells.glob(f"{method}/*/{objective.column}")
    return folder


@pytest.mark.parametrize(("method", "objective"), CELLS, ids=lambda each: getattr(each, "column", each))
def test_bundles_predict_what_the_run_has_predicted(
    run: SmallRun, bundles: Path, method: str, objective: Objective
) -> None:
    stored = stored_of_model(folder_of(run.file("cells"), method, objective))
    bundle = Bundle.open(folder_of(bundles, method, objective))
    assert_same_bits(bundle.predict_materials(run.as_new()).predictions, stored)
    # In another order, fewer at a time, read from their files.
    some = stored.index[:5]
    files = [run.file("structures") / f"{mat_id}.cif" for mat_id in some[::-1]]
    found = bundle.predict(files)
    assert found.left_out.empty
    assert_within_tolerance(found.predictions, stored, some)
