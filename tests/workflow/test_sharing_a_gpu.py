"""Jobs that gain by this machine's GPU share it one after the other, unless told otherwise."""

import pytest
from made_up_bundle import write_made_up_bundle
from planned_runs import planned_workflow, planning_folder

from polyfacet.config.images import Drawing
from polyfacet.runtime import gpus
from polyfacet.training.bundles.description import BundledFacet


def gpus_of_run(config, resources, targets=()):
    """Return the GPUs that a run may use at a time, and the number that jobs of each rule hold."""
    with planning_folder() as folder, planned_workflow(config, folder, 4, resources, targets) as workflow:
        held = {job.rule.name: job.resources.get("gpu") for job in workflow.dag.jobs}
        return workflow.global_resources.get("gpu").value, {rule: n for rule, n in held.items() if n}


ON_GPU = {"fit_network", "embed_graphs", "render_images", "train_combination"}


@pytest.mark.parametrize(
    ("has_gpu", "stated", "allowed", "held_by"),
    [
        (True, {}, 1, ON_GPU),
        (True, {"gpu": 2}, 2, ON_GPU),
        (False, {}, None, set()),
        (False, {"gpu": 1}, 1, ON_GPU - {"render_images"}),
    ],
)
def test_jobs_share_the_gpu_of_this_machine(monkeypatch, has_gpu, stated, allowed, held_by):
    monkeypatch.setattr(gpus, "has_gpu", lambda: has_gpu)
    config = {"n_materials": 20, "combinations": ["text+image+graph"], "graphs": {"embedding": "trained"}}
    found, held = gpus_of_run(config, stated)
    assert found == allowed
    assert set(held) == held_by
    assert set(held.values()) <= {1}


def test_what_draws_on_the_processor_holds_no_gpu(monkeypatch):
    monkeypatch.setattr(gpus, "has_gpu", lambda: True)
    config = {"combinations": ["image"], "images": {"webgl": "swiftshader"}}
    assert "render_images" not in gpus_of_run(config, {})[1]


@pytest.mark.parametrize(
    ("facet", "webgl", "n_gpus"),
    [("image", "auto", 1), ("image", "egl", 1), ("image", "swiftshader", None), ("text", "auto", None)],
)
def test_shards_of_predictions_hold_the_gpu_if_they_draw_on_it(monkeypatch, tmp_path, facet, webgl, n_gpus):
    monkeypatch.setattr(gpus, "has_gpu", lambda: True)
    looked_at = [BundledFacet(name=facet, form="", columns=(facet,))]
    write_made_up_bundle(tmp_path / "bundle", looked_at, Drawing(webgl=webgl))
    config = {"predict": {"bundle": str(tmp_path / "bundle"), "sources": ["embedded/entries.json.bz2"]}}
    allowed, held = gpus_of_run(config, {}, ["predict"])
    assert allowed == 1
    assert held.get("predict_materials") == n_gpus
