"""Reruns after a change in the description of a table: plans only."""

from copy import deepcopy

import pytest
from planned_runs import TABLE_RUN, planned_run

SHOWS_LABELS = {"assemble_dataset", "collect_results", "describe_objectives"}


def changed_run(change):
    """Return the run on a table with changed objectives."""
    config = deepcopy(TABLE_RUN)
    change(config["tables"]["steels"]["objectives"])
    return config


@pytest.fixture(scope="module")
def planned():
    with planned_run(TABLE_RUN) as run:
        yield run


@pytest.fixture(scope="module")
def rerun_by(planned):
    return lambda change: planned.reruns(changed_run(change))


@pytest.mark.parametrize(
    "change",
    [
        lambda objectives: objectives["hardness"].update(label="Vickers hardness"),
        lambda objectives: objectives["hardness"].update(unit="GPa"),
        lambda objectives: objectives["grade"].pop("label"),
    ],
    ids=["label", "unit", "no label"],
)
def test_a_changed_label_or_unit_reruns_only_what_shows_it(rerun_by, change):
    found = rerun_by(change)
    assert (found.changed, found.added) == (SHOWS_LABELS, set())


def test_what_an_objective_follows_from_is_not_read_of_the_table(rerun_by):
    found = rerun_by(lambda objectives: objectives["hardness"].update(follows_from=["composition"]))
    assert (found.changed, found.added) == (
        {"audit_leakage", "describe_objectives", "train_method"},
        set(),
    )


@pytest.mark.parametrize(
    "change",
    [
        lambda objectives: objectives.pop("grade"),
        lambda objectives: objectives.update(again={"column": "Hardness"}),
        lambda objectives: objectives["grade"].update(classes=["soft", "hard"]),
    ],
    ids=["removed", "added", "classes"],
)
def test_a_changed_set_of_objectives_rereads_the_table(rerun_by, change):
    assert "read_composition_table" in rerun_by(change).changed


@pytest.mark.parametrize(("column", "rereads"), [("Tempering", True), ("hardness", False)])
def test_a_split_by_another_column_of_the_file_rereads_the_table(planned, column, rereads):
    config = deepcopy(TABLE_RUN)
    config["splits"]["other"] = {"method": "column", "column": column}
    found = planned.reruns(config)
    assert ("read_composition_table" in found.changed) == rereads
    assert "split_materials" in found.added
