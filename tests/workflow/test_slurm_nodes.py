"""The network of the graph embedding is trained on two nodes of a SLURM cluster."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from slurm_cluster import Cluster, missing, slurm_cluster
from slurm_runs import DEADLINE_S, OPTIONS, copy_profile, rule_of, snakemake
from workflow_copy import Workflow, copy_workflow

pytestmark = pytest.mark.timeout(2 * DEADLINE_S)
GRAPHS = (
    "graphs={{width: 16, layers: 1, device: cpu, training: {{epochs: 5, batch_size: 16, nodes: {nodes}}}}}"
)


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    reason = missing()
    if reason:
        pytest.skip(reason)
    with slurm_cluster(tmp_path_factory.mktemp("cluster")) as running:
        yield running


@pytest.fixture(scope="module")
def workflow(tmp_path_factory: pytest.TempPathFactory) -> Workflow:
    copied = copy_workflow(tmp_path_factory.mktemp("on-two-nodes"))
    copy_profile(copied)
    return copied


def losses(cluster: Cluster, workflow: Workflow, log: Path, nodes: int) -> list[float]:
    """Train the network on a number of nodes; return the loss of each epoch."""
    settings = ("--until", "fit_network", "--config", "run_name=nodes", GRAPHS.format(nodes=nodes))
    with snakemake(cluster, workflow, log, *OPTIONS, *settings) as process:
        assert process.wait(timeout=DEADLINE_S) == 0, log.read_text()[-5000:]
    record = workflow.folder / "results" / "nodes" / "crystals" / "random-0" / "network.json"
    found: list[float] = json.loads(record.read_text())["training"]["losses"]
    return found


def test_losses_on_two_nodes_are_those_on_one(cluster, workflow, tmp_path):
    on_two = losses(cluster, workflow, tmp_path / "two", nodes=2)
    on_one = losses(cluster, workflow, tmp_path / "one", nodes=1)
    assert len(on_two) == 5
    assert on_two == pytest.approx(on_one, abs=1e-4)
    jobs = cluster.accounting("NodeList", "State", "Comment")
    trained = [job for job in jobs if rule_of(job) == "fit_network"]
    assert [job["State"] for job in trained] == ["COMPLETED", "COMPLETED"]
    assert trained[0]["NodeList"] == "c[1-2]"
    assert trained[1]["NodeList"] in {"c1", "c2"}
