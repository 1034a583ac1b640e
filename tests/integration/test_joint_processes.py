"""The joint network trained by two processes."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch
from joint_rows import CONSTANT, FACETS, GAP, KIND, SMALL, joint_rows, without

from polyfacet.materials.objectives import Objective
from polyfacet.training.engines.base import Resources
from polyfacet.training.engines.joint.foundation import Foundation, train_foundation
from polyfacet.training.engines.joint.settings import JointSettings

OBJECTIVES = (GAP, KIND, CONSTANT)
EXACT = {"subsets": "none", "noise": 0, "dropout": 0, "precision": "float64"}


def trained(
    rows: pd.DataFrame, settings: dict[str, Any], objectives: Sequence[Objective] = OBJECTIVES
) -> Foundation:
    return train_foundation(
        JointSettings(**{**SMALL, **settings}), rows, FACETS, objectives, Resources(seed=1)
    )


@pytest.mark.parametrize("fusion", ["mean", "transformer"])
def test_losses_of_two_processes_are_those_of_one_for_100_steps(fusion):
    """Each epoch has four steps of 9 rows, in double precision; no row of one process may have a text."""
    rows = without(joint_rows(40), "text", np.arange(40) % 4 > 0)
    own = {**EXACT, "fusion": fusion, "max_epochs": 25, "learning_rate": 5e-3, "batch_size": 9}
    one, two = (trained(rows, {**own, "processes": processes}) for processes in (1, 2))
    of_one, of_two = (np.array(each.record["parts"]["joint"]["losses"]) for each in (one, two))
    assert len(of_one) == len(of_two) == 25
    assert of_one[-1] < 0.5 * of_one[0]
    np.testing.assert_allclose(of_two, of_one, rtol=0, atol=1e-4)
    for name, weight in one.network.named_parameters():
        torch.testing.assert_close(two.network.get_parameter(name), weight, rtol=1e-4, atol=1e-4)


def test_two_processes_learn_classes_alone_and_film_after_the_rest():
    found = trained(joint_rows(40), {"film": "last", "processes": 2}, (KIND, CONSTANT))
    assert [each["n_epochs"] for each in found.record["parts"].values()] == [2, 1]


def test_two_processes_pretrain_the_same_twice():
    rows = without(joint_rows(60), "graph", np.arange(60) % 4 == 0)
    own = {"contrast": "calibrated", "epochs": 2, "projection": 8, "rank": 3}
    again = [trained(rows, {"processes": 2, "pretraining": own}, (GAP, KIND)) for _ in range(2)]
    assert np.isfinite(again[0].record["parts"]["contrast"]["losses"]).all()
    assert again[0].record == again[1].record
