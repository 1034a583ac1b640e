"""Training in several processes, in parts, and in other precisions: the same losses as in one process."""

import numpy as np
import pytest
import torch
from pydantic import ValidationError
from rock_salts import rock_salt_graphs, rock_salt_properties, write_store
from torch import nn

from polyfacet.config.graphs import NetworkTraining
from polyfacet.facets.graph.embedding import make_network
from polyfacet.facets.graph.network import NetworkConfig
from polyfacet.facets.graph.training import train_on_properties
from polyfacet.networks import launcher, parquet_batches
from polyfacet.networks.batch_normalisation import BatchNorm
from polyfacet.networks.descent import Descent
from polyfacet.networks.loop import Epoch
from polyfacet.networks.precision import Precision
from polyfacet.networks.processes import own_share
from polyfacet.runtime.errors import UserError

CPU = torch.device("cpu")
NAMES = ["vol_atom", "e_form"]


@pytest.fixture(scope="module")
def graphs():
    return rock_salt_graphs()


@pytest.fixture(scope="module")
def properties(graphs):
    return rock_salt_properties(graphs)


def trained(graphs, properties, folder, device=CPU, **settings):
    """Train a small network on 40 rock salts."""
    config = NetworkTraining(validation_fraction=0.2, **settings)
    network = make_network("trained", 1, [], device, NetworkConfig(width=16, layers=2))
    store = write_store(graphs, properties, folder / "rows.examples", config, seed=1)
    outcome = train_on_properties(network, store, NAMES, config, seed=1, state=folder / "state")
    return network, outcome


def test_losses_of_two_processes_are_those_of_one_for_100_steps(graphs, properties, tmp_path):
    """Each epoch is one step of 40 materials, in double precision."""
    settings = {"epochs": 100, "patience": 100, "batch_size": 24, "precision": "float64"}
    losses, weights = [], []
    for processes in (1, 2):
        folder = tmp_path / str(processes)
        folder.mkdir()
        network, outcome = trained(graphs, properties, folder, processes=processes, **settings)
        losses.append(np.array(outcome.losses))
        weights.append(torch.cat([tensor.flatten() for tensor in network.state_dict().values()]))
        assert sorted(path.name for path in folder.iterdir()) == ["rows.examples", "rows.graphs", "state"]
    assert len(losses[0]) == len(losses[1]) == 100
    assert losses[0][-1] < 0.1 * losses[0][0]
    np.testing.assert_allclose(losses[1], losses[0], rtol=0, atol=1e-4)
    torch.testing.assert_close(weights[1], weights[0], rtol=1e-4, atol=1e-4)


def test_one_process_starts_no_others(graphs, properties, tmp_path, monkeypatch):
    monkeypatch.setattr(launcher.subprocess, "run", pytest.fail)
    trained(graphs, properties, tmp_path, epochs=1, batch_size=8)
    assert not torch.distributed.is_initialized()
    assert own_share().of == 1


def test_data_larger_than_the_window_train_the_same_whatever_the_shards(
    graphs, properties, tmp_path, monkeypatch
):
    monkeypatch.setattr(parquet_batches, "BLOCK_ROWS", 4)
    monkeypatch.setattr(parquet_batches, "WINDOW_ROWS", 12)
    states = []
    for name, order in (("forth", graphs), ("back", graphs[::-1])):
        (tmp_path / name).mkdir()
        network, outcome = trained(order, properties, tmp_path / name, epochs=30, batch_size=8)
        states.append(network.state_dict())
        assert outcome.losses[-1] < 0.5 * outcome.losses[0]
    assert all(torch.equal(tensor, states[1][name]) for name, tensor in states[0].items())


@pytest.mark.parametrize("settings", [{"batch_size": 8, "processes": 3, "accumulation": 2}, {"nodes": 40}])
def test_a_batch_must_have_materials_for_every_part(settings):
    with pytest.raises(ValidationError, match="raise it to"):
        NetworkTraining(**settings)


def test_several_nodes_need_a_slurm_job(graphs, properties, tmp_path, monkeypatch):
    monkeypatch.delenv("SLURM_JOB_ID", raising=False)
    with pytest.raises(UserError, match="not a SLURM job"):
        trained(graphs, properties, tmp_path, nodes=2)


def regression(n_parts, precision=None):
    """Return the losses of 20 steps of a small network without batch statistics on 32 rows."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        inputs = torch.randn(32, 4, dtype=torch.float64)
        model = nn.Sequential(nn.Linear(4, 8), nn.LayerNorm(8), nn.SiLU(), nn.Linear(8, 1)).double()
    if precision:
        model, inputs = model.float(), inputs.float()
    answers = inputs.prod(dim=1, keepdim=True)
    losses = []

    class Recorded(Epoch):
        def finish_step(self, loss):
            losses.append(loss)

    def loss(rows):
        return ((model(inputs[rows]).to(answers.dtype) - answers[rows]) ** 2).sum() / len(inputs)

    optimizer = torch.optim.AdamW(model.parameters())
    descent = Descent(model, optimizer, loss, 0.01, 1, precision or Precision(torch.float64))
    batches = [np.array_split(np.arange(32), n_parts)] * 20
    assert descent.run(Recorded(0), batches, 20)
    return np.array(losses)


def test_parts_of_a_batch_add_up_to_the_whole():
    np.testing.assert_allclose(regression(n_parts=3), regression(n_parts=1), rtol=1e-12)


@pytest.mark.parametrize("half", [torch.bfloat16, torch.float16])
def test_mixed_precision_follows_double_precision(half):
    mixed = regression(1, Precision.mixed(half, "cpu"))
    np.testing.assert_allclose(mixed, regression(1), rtol=0.05)


def test_scaled_losses_that_overflow_leave_out_the_step():
    precision = Precision.mixed(torch.float16, "cpu")
    weight = nn.Parameter(torch.ones(1))
    optimizer = torch.optim.SGD([weight], lr=0.1)
    descent = Descent(
        nn.ParameterList([weight]), optimizer, lambda _: (weight * 1e37).sum(), 1.0, 1, precision
    )
    before = precision.loss_scale.get_scale()
    assert descent.run(Epoch(0), [[None]], 1)
    assert weight.item() == 1
    assert precision.loss_scale.get_scale() < before


def test_half_precision_is_for_gpus():
    assert Precision.named("bfloat16", CPU).half is None
    assert Precision.named("bfloat16", torch.device("cuda")).half == torch.bfloat16


@pytest.mark.parametrize("half", [torch.bfloat16, torch.float16])
def test_network_computes_in_mixed_precision(graphs, properties, tmp_path, monkeypatch, half):
    """On the CPU, which computes slowly in half precision, but as a GPU would."""
    monkeypatch.setattr(Precision, "named", lambda *_: Precision.mixed(half, "cpu"))
    (tmp_path / "half").mkdir()
    _, mixed = trained(graphs, properties, tmp_path / "half", epochs=3, batch_size=8)
    monkeypatch.undo()
    _, single = trained(graphs, properties, tmp_path, epochs=3, batch_size=8)
    np.testing.assert_allclose(mixed.losses, single.losses, rtol=0.1)


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a GPU")
@pytest.mark.parametrize("precision", ["bfloat16", "float16"])
def test_mixed_precision_on_a_gpu(graphs, properties, tmp_path, precision):
    cuda = torch.device("cuda")
    settings = {"epochs": 10, "batch_size": 8}
    _, mixed = trained(graphs, properties, tmp_path, cuda, precision=precision, **settings)
    _, single = trained(graphs, properties, tmp_path, cuda, **settings)
    np.testing.assert_allclose(mixed.losses, single.losses, rtol=0.2)


def test_batch_statistics_of_one_process_are_those_of_pytorch():
    values = torch.randn(10, 4)
    ours, theirs = BatchNorm(4), nn.BatchNorm1d(4)
    assert torch.equal(ours(values), theirs(values))
    assert all(torch.equal(tensor, ours.state_dict()[name]) for name, tensor in theirs.state_dict().items())
