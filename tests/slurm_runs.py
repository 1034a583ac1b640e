"""Runs of Snakemake on the small SLURM cluster of the tests."""

import os
import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from slurm_cluster import ACCOUNT, Cluster
from workflow_copy import Workflow, environment

DEADLINE_S = 1800
# Groups of the profile; Snakemake names their jobs after the group and all its rules.
GROUPS = ("preparation", "compositions", "dummies", "report")
PARTITIONS = """
partitions:
  cpu: {max_mem_mb: 16000, max_threads: 2}
  gpu: {max_mem_mb: 16000, max_threads: 2, max_gpu: 1}
"""
# The profile, adapted to a cluster with two processors whose jobs take seconds.
OPTIONS = (
    "--workflow-profile=profiles/slurm",
    "--slurm-partition-config=profiles/test-partitions.yaml",
    "--default-resources",
    f"slurm_account={ACCOUNT}",
    "--resources",
    "gpu=1",
    "--jobs=4",
    "--set-threads",
    "render_images=1",
    "--slurm-init-seconds-before-status-checks=1",
    "--latency-wait=5",
)


def copy_profile(workflow: Workflow) -> None:
    """Write the partitions of the cluster, which `OPTIONS` name, into a copy of the workflow."""
    (workflow.folder / "profiles" / "test-partitions.yaml").write_text(PARTITIONS)


@contextmanager
def snakemake(
    cluster: Cluster, workflow: Workflow, log: Path, *arguments: str
) -> Iterator[subprocess.Popen[bytes]]:
    """Run Snakemake inside the cluster's namespaces; in the end, kill it with all its processes."""
    with log.open("wb") as stream:
        process = subprocess.Popen(
            cluster.inside(*workflow.command(*arguments), folder=workflow.folder),
            env=environment(),
            stdout=stream,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    try:
        yield process
    finally:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()


def rule_of(job: dict[str, str]) -> str:
    """Return the rule or group of an accounted job, from the comment that Snakemake attaches to it."""
    name = job["Comment"].removeprefix("rule_").split("_wildcards_")[0]
    return next((group for group in GROUPS if name.startswith(f"{group}_")), name)
