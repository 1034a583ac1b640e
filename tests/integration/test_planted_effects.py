"""Verdicts on simulated materials: an effect is found, and noise is not taken for one."""

import runpy
from collections import Counter

import pytest
from project import PROJECT

N_RUNS = 20
# Runs with the right verdict, of these.
ENOUGH = 19


@pytest.fixture(scope="module")
def verdicts() -> dict[str, Counter[str]]:
    """Return how often each verdict was reached, by objective."""
    benchmark = runpy.run_path(str(PROJECT / "benchmarks" / "planted_effects.py"))
    return benchmark["count_verdicts"](range(N_RUNS))


def test_a_facet_that_carries_half_of_an_objective_is_found(verdicts):
    assert verdicts["planted"]["better"] >= ENOUGH, verdicts


def test_a_facet_of_noise_is_not_taken_for_an_improvement(verdicts):
    assert sum(verdicts["noise"].values()) == N_RUNS
    assert verdicts["noise"]["better"] <= N_RUNS - ENOUGH, verdicts
