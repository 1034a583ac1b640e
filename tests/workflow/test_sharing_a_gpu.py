"""Jobs that gain by this machine's GPU share it one after the other, unless told otherwise."""

import pytest
from planned_runs import planned_workflow, planning_folder

from polyfacet.runtime import gpus


def gpus_of_run(config, resources):
    """Return the GPUs that a run may use at a time, and the number that jobs of each rule hold."""
    with planning_folder() as folder, planned_workflow(config, folder, 4, resources) as workflow:
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
