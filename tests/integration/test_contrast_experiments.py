"""The experiments on contrastive pretraining, on made-up materials of which two facets tell the same."""

import sys
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from joint_rows import FACETS, GAP, SMALL, joint_rows
from project import PROJECT

from polyfacet.encodings.fractions import fractions_of
from polyfacet.evaluation.representations.tables import ALIGNMENT, RANDOM_PAIRS, RANK
from polyfacet.facets.registry import DESCRIPTORS, GRAPH
from polyfacet.splits.parts import TEST, TRAIN, VALID

sys.path.insert(0, str(PROJECT))

from benchmarks.contrast.grounds import GROUNDS, Ground
from benchmarks.contrast.labels import PRETRAINED, WITHOUT, compare_with_few_labels, with_labels
from benchmarks.contrast.page import write_page
from benchmarks.contrast.tables import LABELS, SPACE, TOWERS, kept_as
from benchmarks.contrast.towers import FROZEN, INPUTS, UNTRAINED, compare_towers, measure_space
from benchmarks.joint.comparing import N_TEST, N_TRAIN_PART
from benchmarks.joint.materials import Materials
from benchmarks.joint.networks import Networks
from benchmarks.joint.results import Results, quantities

SHUFFLED = "fused_anchor, shuffled partners"
SHOWN = {"text+graph": "without descriptors", "text+graph+descriptors": "all facets"}


@pytest.fixture(scope="module", autouse=True)
def short_pretraining() -> Iterator[None]:
    """Pretrain for as many epochs as these rows need."""
    with pytest.MonkeyPatch.context() as patch:
        for ways in (PRETRAINED, FROZEN):
            for name, settings in ways.items():
                patch.setitem(ways, name, {**settings, "epochs": 30, "learning_rate": 5e-3})
        yield


@pytest.fixture(scope="module")
def ground() -> Ground:
    """Return a ground whose study is not run."""
    return replace(GROUNDS["labels"], n_labels=(40,), all_models_at=40, alone=(GRAPH,), shown=SHOWN)


@pytest.fixture(scope="module")
def materials() -> Materials:
    """Return rows whose descriptors are the graph's numbers in other words."""
    rows = joint_rows(150)
    formulas = [text.replace(" ", "") for text in rows["text"]]
    graphs = np.stack(rows["graph"].to_list())
    rows = rows.assign(
        part=[TRAIN] * 100 + [VALID] * 20 + [TEST] * 30,
        text_encoding=list(fractions_of(formulas)),
        descriptors=list(graphs @ np.array([[1.0, 2, 0], [0, 1, -1], [1, 0, 1], [2, 0, 0]])),
        facets=[[facet.name for facet in FACETS]] * len(rows),
    )
    return Materials(rows, FACETS, (GAP,), 0)


@pytest.fixture(scope="module")
def networks(tmp_path_factory) -> Networks:
    """Return small networks, which are shared by the experiments."""
    return Networks({**SMALL, "learning_rate": 5e-3}, tmp_path_factory.mktemp("networks"))


@pytest.fixture(scope="module")
def space(ground, materials, networks) -> dict[tuple[str, str, str], Any]:
    """Return measures by network, facets and name."""
    rows = measure_space(ground, materials, networks)
    return {(row["model"], row["subset"], row["quantity"]): row["value"] for row in rows}


def test_pretraining_aligns_facets_that_tell_the_same_and_shuffled_partners_do_not(space):
    pair = "graph+descriptors"
    gained = {name: 1 - space[name, pair, ALIGNMENT] / space[name, pair, RANDOM_PAIRS] for name in FROZEN}
    assert gained["all_pairs"] > 0.5
    assert gained["fused_anchor"] > 0.5
    assert abs(gained[SHUFFLED]) < 0.3


def test_all_networks_are_measured_by_each_facet(space):
    for name in (UNTRAINED, WITHOUT, *FROZEN):
        assert [space[name, facet.name, RANK] > 0 for facet in FACETS] == [True] * len(FACETS)


def test_towers_are_judged_on_the_labelled_rows_alone(ground, materials, networks):
    few = with_labels(materials, ground.all_models_at)
    assert np.isfinite(few.truth(TRAIN)).sum() == ground.all_models_at
    rows = compare_towers(ground, materials, networks)
    found = {(row["model"], row["subset"]): row["value"] for row in rows}
    assert {condition for row in rows if (condition := row["condition"])} == {"40 labels"}
    # The objective is a linear function of the graph's numbers.
    assert found[INPUTS, "text+graph"] < 0.05
    assert {model for model, _ in found} == {INPUTS, UNTRAINED, WITHOUT, *FROZEN}
    assert {subset for _, subset in found} == set(SHOWN)


def test_what_is_fused_of_some_facets_does_not_depend_on_the_others(ground, materials, networks):
    few = with_labels(materials, ground.all_models_at)
    network = networks.train(few, pretraining=FROZEN["all_pairs"])
    assert network is not None
    rows = materials.part(TEST)
    other = rows.assign(descriptors=[values + 1 for values in rows["descriptors"]])
    by_graph = network.foundation.fused(rows, [GRAPH])
    assert by_graph.shape == (30, SMALL["width"])
    np.testing.assert_array_equal(by_graph, network.foundation.fused(other, [GRAPH]))
    assert not np.array_equal(network.foundation.fused(rows, [DESCRIPTORS]), by_graph)


def test_the_page_has_a_section_for_each_experiment_with_results(
    ground, materials, networks, tmp_path, monkeypatch
):
    monkeypatch.setattr("benchmarks.contrast.page.GROUNDS", {"made_up": ground})
    one_way = {"fused_anchor": PRETRAINED["fused_anchor"]}
    monkeypatch.setattr("benchmarks.contrast.labels.PRETRAINED", one_way)
    results = Results(tmp_path)
    sizes = quantities("", [(N_TRAIN_PART, 100), (N_TEST, 30)])
    experiments = {LABELS: compare_with_few_labels, TOWERS: compare_towers, SPACE: measure_space}
    for name, run in experiments.items():
        rows = run(ground, materials, networks)
        for repeat in (0, 1):
            results.add(kept_as("made_up", name), repeat, rows + sizes)
    page = write_page(results, tmp_path, 2).read_text(encoding="utf-8")
    assert "Finished: 2 of 2 repeats." in page
    assert "| ridge regression on | without descriptors (`text+graph`) |" in page
    assert f"| network | {ALIGNMENT} |" in page
    assert "nan" not in page
