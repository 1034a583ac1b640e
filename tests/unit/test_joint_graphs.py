"""The joint network trains a graph network along, on the crystal graphs of rock salts."""

import numpy as np
import pandas as pd
import pytest
import torch
from joint_rows import SMALL, without
from rock_salts import rock_salt_graphs, rock_salt_properties

from polyfacet.facets.registry import GRAPH, TEXT, crystal_column
from polyfacet.materials.objectives import Objective
from polyfacet.runtime.errors import UserError
from polyfacet.training.engines.base import Resources
from polyfacet.training.engines.creation import create, load
from polyfacet.training.engines.joint.engine import Joint
from polyfacet.training.engines.joint.foundation import Foundation, train_foundation
from polyfacet.training.engines.joint.settings import JointSettings

FACETS, LENGTH = (TEXT, GRAPH), Objective("vol_atom", "Length", "A")
NETWORK = {**SMALL, "graphs": "network", "graph_width": 16, "graph_layers": 2}
EXACT = {"subsets": "none", "noise": 0, "dropout": 0, "precision": "float64"}
CRYSTAL = crystal_column(GRAPH)


@pytest.fixture(scope="module")
def rows() -> pd.DataFrame:
    """Return rows whose length only the graph tells; the vector of the facet is noise."""
    graphs = rock_salt_graphs()
    known = rock_salt_properties(graphs)
    random = np.random.default_rng(0)
    return pd.DataFrame(
        {
            "mat_id": known.index,
            "group": known["formula"].to_numpy(),
            "text": [
                f"{formula.rstrip('FClBr')} 1 {formula.lstrip('LiNaKRb')} 1" for formula in known["formula"]
            ],
            "graph": list(random.normal(size=(len(graphs), 3))),
            CRYSTAL: [graph.row() for graph in graphs],
            "vol_atom": known["vol_atom"].to_numpy(),
        }
    ).sort_values("mat_id", ignore_index=True)


def trained(rows: pd.DataFrame, **settings) -> Foundation:
    return train_foundation(
        JointSettings(**{**NETWORK, **settings}), rows, FACETS, (LENGTH,), Resources(seed=1)
    )


@pytest.fixture(scope="module")
def found(rows) -> Foundation:
    return trained(rows)


def numbers(found: Foundation, rows: pd.DataFrame, facets=FACETS) -> np.ndarray:
    return found.outputs(rows, facets).numbers[:, 0].double().numpy()


def lacking(rows: pd.DataFrame, where: np.ndarray) -> pd.DataFrame:
    """Return rows of which some have no graph."""
    return without(without(rows, "graph", where), CRYSTAL, where)


def test_the_graph_network_learns_what_the_vector_does_not_say(found, rows):
    assert [reader.form for reader in found.readers] == ["formula", "crystal"]
    by_vector = trained(rows, graphs="encoding")
    assert [reader.form for reader in by_vector.readers] == ["formula", "numbers"]
    settings = {**NETWORK, "max_epochs": 60, "batch_size": 8, "learning_rate": 3e-3, "dropout": 0}
    alone = train_foundation(JointSettings(**settings), rows, (GRAPH,), (LENGTH,), Resources(seed=1))
    losses = alone.record["parts"]["joint"]["losses"]
    assert losses[-1] < 0.3 * losses[0]


def test_the_answer_for_a_crystal_does_not_depend_on_others(found, rows):
    alone = np.concatenate([numbers(found, rows[row : row + 1]) for row in range(5)])
    np.testing.assert_allclose(alone, numbers(found, rows)[:5], rtol=0, atol=1e-5)


def test_a_missing_graph_is_a_missing_facet(found, rows):
    half = lacking(rows, np.arange(len(rows)) % 2 == 0)
    np.testing.assert_allclose(numbers(found, half)[::2], numbers(found, rows, [TEXT])[::2], atol=1e-5)
    np.testing.assert_allclose(numbers(found, half)[1::2], numbers(found, rows)[1::2], atol=1e-5)


def test_rows_without_graphs_train_and_every_weight_has_a_gradient(rows):
    few = trained(lacking(rows, np.arange(len(rows)) % 4 > 0), max_epochs=1)
    assert torch.isfinite(torch.cat([each.flatten() for each in few.network.parameters()])).all()
    assert all(weight.grad is not None for weight in few.network.parameters())


def test_losses_of_two_processes_are_those_of_one(rows):
    """Each epoch is one step, in double precision; a quarter of the rows has a graph."""
    few = lacking(rows, np.arange(len(rows)) % 4 > 0)
    settings = {**EXACT, "max_epochs": 100, "batch_size": 40}
    one, two = (trained(few, **settings, processes=processes) for processes in (1, 2))
    losses = [np.array(each.record["parts"]["joint"]["losses"]) for each in (one, two)]
    assert len(losses[0]) == 100
    assert losses[0][-1] < losses[0][0]
    np.testing.assert_allclose(losses[1], losses[0], rtol=0, atol=1e-4)


def test_rows_without_crystal_graphs_are_refused(rows):
    with pytest.raises(UserError, match="no crystal graph, which the engine joint reads"):
        trained(rows.drop(columns=CRYSTAL))


def test_a_cell_is_saved_with_its_graph_network(rows, tmp_path):
    home = tmp_path / "foundation"
    home.mkdir()
    Joint.pretrain(JointSettings(**NETWORK), rows, FACETS, (LENGTH,), home, Resources(seed=1))
    engine = create("joint", NETWORK, Resources(seed=1, foundation=home))
    engine.fit(rows[:40], rows[40:], FACETS, LENGTH)
    engine.save(tmp_path / "model")
    np.testing.assert_array_equal(load(tmp_path / "model").predict(rows), engine.predict(rows))
