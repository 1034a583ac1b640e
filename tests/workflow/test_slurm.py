"""The tiny run on a SLURM cluster that loses a node: the same results, and every job in the right place."""

import subprocess
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest
from fault_count import Faults
from slurm_cluster import ACCOUNT, Cluster, missing, slurm_cluster
from slurm_runs import DEADLINE_S, OPTIONS, copy_profile, rule_of, snakemake
from workflow_copy import Workflow, copy_workflow

# A loaded machine may take several times as long as an idle one, and the limit includes the local run.
pytestmark = pytest.mark.timeout(3 * DEADLINE_S)
# One cell of the local run, with every kind of input.
CELL = ("combinations=[text+image+graph]", "targets=[e_form]")


@dataclass(frozen=True)
class Finished:
    """A finished run and the cluster on which it ran."""

    workflow: Workflow
    cluster: Cluster
    # SLURM's number of the job on the lost node, and the name of that node.
    lost_job: str
    lost_node: str


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    reason = missing()
    if reason:
        pytest.skip(reason)
    with slurm_cluster(tmp_path_factory.mktemp("cluster")) as running:
        yield running


@pytest.fixture(scope="module")
def workflow(browser: Path, tmp_path_factory: pytest.TempPathFactory) -> Workflow:
    copied = copy_workflow(tmp_path_factory.mktemp("on-slurm"))
    copy_profile(copied)
    return copied


@pytest.fixture(scope="module")
def run(cluster: Cluster, workflow: Workflow, faults: Faults) -> Finished:
    """Run the tiny configuration with one cell, and kill a node while it draws pictures."""
    log = workflow.folder / "snakemake.log"
    with (
        faults.trying("kill -9 of a node of a cluster (slurmd) while pictures are drawn on it"),
        snakemake(cluster, workflow, log, *OPTIONS, "--config", *CELL) as process,
    ):
        lost_job, lost_node = wait_for_drawing(cluster, workflow, process)
        cluster.kill(lost_node)
        process.wait(timeout=DEADLINE_S)
        assert process.returncode == 0, log.read_text()[-5000:]
    return Finished(workflow, cluster, lost_job, lost_node)


def wait_for_drawing(
    cluster: Cluster, workflow: Workflow, process: subprocess.Popen[bytes]
) -> tuple[str, str]:
    """Wait until some pictures of a shard are drawn; return the job that draws them and its node."""
    deadline = time.monotonic() + DEADLINE_S
    while time.monotonic() < deadline and process.poll() is None:
        for picture in workflow.folder.glob("results/test/crystals/images/shard-*.part/*.png"):
            shard = picture.parent.name.removeprefix("shard-").removesuffix(".part")
            for job, node, comment in running_jobs(cluster):
                if comment == f"rule_render_images_wildcards_{shard}":
                    return job, node
        time.sleep(0.2)
    raise AssertionError((workflow.folder / "snakemake.log").read_text()[-5000:])


def running_jobs(cluster: Cluster) -> list[Sequence[str]]:
    """List number, node and comment of the running jobs."""
    table = cluster.ask("squeue", "-h", "-t", "running", "-o", "%i|%N|%k")
    return [line.split("|") for line in table.splitlines()]


@pytest.mark.parametrize(
    "pattern",
    [
        "crystals/sample/*",
        "crystals/images/*/*.png",
        "crystals/graphs/*.parquet",
        "crystals/random-0/network.safetensors",
        "crystals/random-0/embeddings/*.parquet",
        "crystals/random-0/composition_images/*/*.png",
        "crystals/random-0/dataset/*",
        "crystals/random-0/cells/automm/text+image+graph/e_form/*.parquet",
        "crystals/random-0/cells/*/none/e_form/*.parquet",
        "report/composition_legend.png",
    ],
)
def test_results_are_those_of_a_local_run_byte_by_byte(run, finished, faults, pattern):
    faults.assert_same_results(run.workflow, finished, [pattern])


def test_every_job_ran_on_a_node_of_the_cluster(run):
    jobs = run.cluster.accounting("State", "NodeList", "Partition", "Account", "Comment")
    ended = [job for job in jobs if job["State"] == "COMPLETED"]
    assert {job["NodeList"] for job in ended} <= {"c1", "c2", "g1"}
    assert {job["Account"] for job in jobs} == {ACCOUNT}
    assert {rule_of(job) for job in ended} == {
        "sample",
        "preparation",
        "compositions",
        "write_structures",
        "render_images",
        "build_graphs",
        "fit_grey_levels",
        "draw_composition_images",
        "fit_network",
        "embed_graphs",
        "assemble_dataset",
        "gather_dataset",
        "train_combination",
        "methods",
        "report",
    }


def test_jobs_request_the_resources_of_their_stage(run):
    jobs = {
        rule_of(job): job for job in run.cluster.accounting("Comment", "Partition", "ReqTRES", "TimelimitRaw")
    }
    with_gpu = {rule for rule, job in jobs.items() if "gres/gpu=1" in job["ReqTRES"]}
    assert with_gpu == {"fit_network", "embed_graphs", "train_combination"}
    assert all((job["Partition"] == "gpu") == (rule in with_gpu) for rule, job in jobs.items())
    assert memory_mb(jobs["render_images"]) > memory_mb(jobs["write_structures"])
    assert all(1 <= int(job["TimelimitRaw"]) <= 120 for job in jobs.values())


def test_a_job_of_a_lost_node_is_rerun_on_another_node(run):
    jobs = run.cluster.accounting("JobID", "State", "NodeList", "Comment")
    (lost,) = [job for job in jobs if job["JobID"] == run.lost_job]
    starts = [job for job in jobs if job["Comment"] == lost["Comment"]]
    assert [(job["State"], job["NodeList"] == run.lost_node) for job in starts] == [
        ("NODE_FAIL", True),
        ("COMPLETED", False),
    ]


def test_a_failing_job_requests_more_resources_and_names_its_log(cluster, workflow, tmp_path):
    damaged = tmp_path / "entries.json.bz2"
    damaged.write_bytes((workflow.folder / "embedded" / "entries.json.bz2").read_bytes()[:-1000])
    changes = ("--config", f"sources=[{damaged}]", "run_name=damaged")
    until = ("--until", "sample", "--restart-times=1")
    with snakemake(cluster, workflow, tmp_path / "log", *OPTIONS, *until, *changes) as process:
        assert process.wait(timeout=DEADLINE_S) == 1
    output = (tmp_path / "log").read_text()
    assert "logs/damaged/crystals/sample.log" in output
    assert "truncated" in output
    jobs = cluster.accounting("State", "Comment", "ReqTRES", "TimelimitRaw")
    failed = [job for job in jobs if job["State"] == "FAILED" and job["Comment"] == "rule_sample"]
    assert len(failed) == 2
    # Both are requested in integer units, rounded up at each attempt.
    assert memory_mb(failed[1]) == pytest.approx(2 * memory_mb(failed[0]), abs=1)
    assert int(failed[1]["TimelimitRaw"]) == pytest.approx(2 * int(failed[0]["TimelimitRaw"]), abs=1)


def memory_mb(job: dict[str, str]) -> float:
    """Return the memory that a job requested."""
    (amount,) = [part.removeprefix("mem=") for part in job["ReqTRES"].split(",") if part.startswith("mem=")]
    return float(amount[:-1]) * {"M": 1, "G": 1024}[amount[-1]]
