"""Requests of jobs: more for more materials, threads and attempts; GPUs where they help."""

import inspect

import pytest
from project import PROJECT

from polyfacet.facets.registry import facets_of
from polyfacet.runtime.resources import COSTS, USUAL_EPOCHS, epochs_of, requests
from polyfacet.training.engines.registry import ENGINES


def asked(stage, materials, *, attempt=1, threads=1, **settings):
    resources = requests(stage, materials, **settings)
    return resources["mem_mb"](None, threads, attempt), resources["runtime"](None, attempt)


@pytest.mark.parametrize("stage", COSTS)
def test_a_request_is_fixed_and_grows_with_the_attempt(stage):
    memory, minutes = asked(stage, 0)
    assert memory >= 100
    assert minutes >= 1
    twice = asked(stage, 0, attempt=2)
    assert twice == (pytest.approx(2 * memory, abs=1), pytest.approx(2 * minutes, abs=1))


@pytest.mark.parametrize("stage", COSTS)
def test_memory_grows_less_than_the_number_of_materials(stage):
    (thousand, _), (ten_thousand, _) = asked(stage, 1_000), asked(stage, 10_000)
    assert thousand <= ten_thousand < 10 * thousand


def test_steps_add_time_but_no_memory():
    (memory, minutes), (same, longer) = asked("fit_network", 1_000), asked("fit_network", 1_000, steps=60_000)
    assert same == memory
    assert longer > 5 * minutes


@pytest.mark.parametrize(
    ("settings", "epochs"),
    [
        ({}, 1),
        ({"max_epochs": 7}, 7),
        ({"max_epochs": None}, USUAL_EPOCHS),
        ({"max_epochs": "auto"}, USUAL_EPOCHS),
        ({"max_epochs": {"first": 3}}, USUAL_EPOCHS),
        ({"max_epochs": True}, USUAL_EPOCHS),
        ({"max_epochs": -1}, USUAL_EPOCHS),
        ({"max_epochs": 7, "search": None}, 7),
        ({"max_epochs": 7, "search": {"trials": 3}}, 21),
        ({"max_epochs": 7, "search": "wide"}, 7),
    ],
)
def test_epochs_are_those_of_the_settings_if_they_are_a_number(settings, epochs):
    assert epochs_of(settings) == epochs


def test_threads_that_are_processes_add_memory():
    assert asked("render_images", 100, threads=4)[0] > asked("render_images", 100)[0]
    assert asked("build_graphs", 100, threads=4) == asked("build_graphs", 100)


def test_snakemake_can_call_the_functions():
    for function in requests("small", 10, gpus=lambda wildcards: 1).values():
        assert {"wildcards", "threads", "attempt"}.issuperset(inspect.signature(function).parameters)


@pytest.mark.parametrize(
    ("combination", "local", "hub"),
    [
        ("text", False, True),
        ("graph", False, False),
        ("image", True, True),
        ("text+graph+compimage", True, True),
    ],
)
def test_cells_with_a_slow_encoder_request_a_gpu(combination, local, hub):
    gains_by_gpu = ENGINES.get("automm").gains_by_gpu
    assert gains_by_gpu(facets_of(combination), False) is local
    assert gains_by_gpu(facets_of(combination), True) is hub


def test_every_rule_that_may_run_on_a_cluster_requests_resources():
    for path in (PROJECT / "rules").glob("*.smk"):
        for block in path.read_text().split("\nrule ")[1:]:
            # Without a script, a rule only names the files of others.
            local = "    localrule: True" in block or "    script:\n" not in block
            assert local or "    resources:\n        **requests(" in block, (path.name, block.split(":")[0])


@pytest.mark.parametrize("name", ENGINES.all())
def test_requests_use_the_declared_cost_of_an_engine(name):
    declared = ENGINES.get(name)
    assert asked(lambda wildcards: declared.cost, 1_000)[0] >= declared.cost.mb
    assert (declared.cost_from_hub is not None) == declared.encoders
