"""The joint network trained by two processes."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch
from joint_rows import CONSTANT, FACETS, GAP, KIND, SMALL, joint_rows, without

from polyfacet.materials.objectives import Objective
from polyfacet.networks.processes import in_parallel, own_share
from polyfacet.training.engines.base import Resources
from polyfacet.training.engines.joint.foundation import Foundation, train_foundation
from polyfacet.training.engines.joint.fusion import experts
from polyfacet.training.engines.joint.fusion.experts import Experts
from polyfacet.training.engines.joint.settings import JointSettings
from polyfacet.training.engines.joint.tokens import Tokens

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


def experts_without_noise(monkeypatch: pytest.MonkeyPatch) -> Experts:
    monkeypatch.setattr(experts.torch, "randn_like", torch.zeros_like)
    torch.manual_seed(3)
    return Experts(3, 16, 0.0, per_facet=2, n_chosen=2, balance=1.0, constant=False).double()


def tokens_of_three_facets() -> Tokens:
    present = torch.tensor([[1, 1, 1], [1, 0, 1], [0, 1, 0], [1, 1, 0], [0, 0, 1]]).bool()
    values = torch.randn(5, 3, 16, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    return Tokens(values, present.double(), torch.arange(3), present)


def gradients(model: torch.nn.Module, tokens: Tokens, n_processes: int) -> list[torch.Tensor]:
    """Return the gradients of a loss of five rows, with the penalty, which depends on all of them."""
    fused = model(tokens)
    # Gradients are averaged over the processes; each row counts the same.
    loss = fused.values.square().sum() + len(tokens.present) * fused.penalty
    (n_processes * loss / 5).backward()
    return [weight.grad for weight in model.parameters()]


def gradients_of_a_process(rank: int, store: str, found: str) -> None:
    with pytest.MonkeyPatch.context() as monkeypatch:
        torch.distributed.init_process_group(
            "gloo", store=torch.distributed.FileStore(store, 2), rank=rank, world_size=2
        )
        model = in_parallel(experts_without_noise(monkeypatch))
        first, last = own_share().within(0, 5)
        own = gradients(model, tokens_of_three_facets()[torch.arange(first, last)], 2)
        if rank == 0:
            torch.save(own, found)
        torch.distributed.barrier()
        torch.distributed.destroy_process_group()


def test_experts_are_kept_busy_by_the_rows_of_all_processes(tmp_path, monkeypatch):
    monkeypatch.setenv("GLOO_SOCKET_IFNAME", "lo")
    files = str(tmp_path / "store"), str(tmp_path / "found")
    torch.multiprocessing.spawn(gradients_of_a_process, files, nprocs=2)
    of_two = torch.load(files[1])
    of_one = gradients(experts_without_noise(monkeypatch), tokens_of_three_facets(), 1)
    torch.testing.assert_close(of_two, of_one, rtol=1e-9, atol=1e-12)


def test_two_processes_learn_classes_alone_and_film_after_the_rest():
    found = trained(joint_rows(40), {"film": "last", "processes": 2}, (KIND, CONSTANT))
    assert [each["n_epochs"] for each in found.record["parts"].values()] == [2, 1]


def test_two_processes_pretrain_the_same_twice():
    rows = without(joint_rows(60), "graph", np.arange(60) % 4 == 0)
    own = {"contrast": "calibrated", "epochs": 2, "projection": 8, "rank": 3}
    again = [trained(rows, {"processes": 2, "pretraining": own}, (GAP, KIND)) for _ in range(2)]
    assert np.isfinite(again[0].record["parts"]["contrast"]["losses"]).all()
    assert again[0].record == again[1].record
