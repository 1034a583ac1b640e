"""Reruns after a change of the objectives of crystals: plans only."""

import pytest
from planned_runs import Reruns, plan, planned_run, planning_folder, reruns

GAP = {"name": "direct", "column": "band_gap_dir", "label": "Direct gap", "unit": "eV"}
RUN = {
    "objectives": ["e_form", GAP],
    "methods": {
        "trees": {"engine": "classical", "combinations": ["graph"]},
        "automm": {"engine": "automm", "combinations": ["text"]},
    },
}
SHOWS_LABELS = {"assemble_dataset", "collect_results", "describe_objectives"}
TRAINS = {"train_method", "train_combination"}


@pytest.fixture(scope="module")
def planned():
    with planned_run(RUN) as run:
        yield run


@pytest.fixture(scope="module")
def rerun_by(planned):
    """Return a function that compares the run with one whose second objective has been changed."""
    return lambda **change: planned.reruns({**RUN, "objectives": ["e_form", {**GAP, **change}]})


@pytest.mark.parametrize("change", [{"label": "Gap"}, {"unit": "meV"}, {"label": None}], ids=str)
def test_a_changed_label_or_unit_reruns_only_what_shows_it(rerun_by, change):
    found = rerun_by(**change)
    assert (found.changed, found.added) == (SHOWS_LABELS, set())


def test_another_column_is_read_again(rerun_by):
    found = rerun_by(column="band_gap_ind")
    assert (found.changed, found.added) == ({"read_objective"}, set())


def test_what_an_objective_follows_from_decides_which_cells_are_marked(rerun_by):
    found = rerun_by(follows_from=["lattice"])
    assert (found.changed, found.added) == ({"audit_leakage", "describe_objectives"} | TRAINS, set())


def test_the_column_of_an_objective_replaces_a_predefined_one():
    """The network of the embedding still learns the predefined one, whose zero alone has a meaning."""
    before = {**RUN, "objectives": ["e_form", "gap"]}
    after = {**RUN, "objectives": ["e_form", {"name": "gap", "column": "band_gap_dir"}]}
    with planning_folder() as folder:
        found = reruns(plan(before, folder), plan(after, folder))
    assert found.added == {"read_objective"}
    assert found.changed == SHOWS_LABELS | TRAINS | {"assess_uncertainty", "write_report"}


def test_the_network_of_the_embedding_learns_what_it_is_told(planned):
    learning = {**RUN, "graphs": {"training": {"objectives": ["direct"]}}}
    more = {**learning, "objectives": [*RUN["objectives"], "gap"]}
    after, with_more = (plan(run, planned.folder) for run in (learning, more))
    assert reruns(planned.plan, after) == Reruns(frozenset({"fit_network"}), frozenset())
    assert "fit_network" not in reruns(after, with_more).changed


def test_no_training_depends_on_the_statistics_of_the_objectives(planned):
    """Snakemake would not look for other reasons to train below a job that is rerun."""
    described = "results/default/crystals/sample/objectives.parquet"
    asking = {rule for (rule, _), (inputs, *_) in planned.plan.items() if described in inputs}
    assert asking == {"write_report", "gather_dataset"}
