"""Bundles of the joint network with a graph network of its own predict what the run has predicted."""

import pandas as pd
from bundled_predictions import assert_within_tolerance, stored_of_model
from small_run import SmallRun, small_run

import pretrain_engine
from polyfacet.facets.registry import COMPIMAGE, GRAPH, TEXT
from polyfacet.materials.crystal_objectives import E_FORM
from polyfacet.training.engines.registry import complete_settings
from polyfacet.use.prediction.bundle import Bundle

FACETS = (TEXT, GRAPH, COMPIMAGE)
ENERGY = E_FORM.objective
SETTINGS = complete_settings(
    "joint", {"graphs": "network", "graph_width": 16, "graph_layers": 2, "width": 16, "max_epochs": 3}
)


def foundation_of(run: SmallRun) -> dict:
    """Train the network; return the options of its cells."""
    graphs = [run.file("graphs.parquet")]
    pretrain_engine.main(
        run.file("sample.parquet"),
        run.file("split.parquet"),
        run.tables(FACETS),
        run.file("foundation"),
        facets=[facet.name for facet in FACETS],
        engine="joint",
        settings=SETTINGS,
        repeat=0,
        seed=1,
        objectives=[ENERGY.learned],
        encodings=[run.encoded(TEXT)],
        graphs=graphs,
    )
    return {"foundation": run.file("foundation"), "graphs": graphs}


def test_predictions_are_those_of_the_run(tmp_path):
    run = small_run(tmp_path, 40)
    options = foundation_of(run)
    cells = {
        "joint": run.train("joint", "joint", SETTINGS, (GRAPH,), ENERGY, **options),
        "trees": run.train("trees", "joint", {**SETTINGS, "head": "ridge"}, FACETS, ENERGY, **options),
    }
    bundles = run.bundle(list(cells.values()), run.file("bundles"), FACETS)
    for name in cells.values():
        bundle = Bundle.open(bundles / name)
        assert bundle.description.needs_graphs
        found = bundle.predict_materials(run.as_new()).predictions
        stored = stored_of_model(run.file("cells") / name)
        assert_within_tolerance(found, stored)
        alone = bundle.predict_materials(run.as_new()[:1]).predictions
        pd.testing.assert_series_equal(alone["prediction"], found["prediction"][:1], rtol=1e-4, atol=1e-5)
