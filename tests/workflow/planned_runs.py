"""Plans of the workflow before and after a change: what would be rerun, without running anything."""

from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import yaml
from project import PROJECT
from snakemake.api import SnakemakeApi
from snakemake.settings.types import ConfigSettings, DAGSettings, OutputSettings, Quietness, ResourceSettings

from polyfacet.runtime.code_digest import WORKFLOW, code_of

# Folders that a run reads from its working directory.
READ_FROM_THERE = ("config", "embedded")
TABLE_RUN = yaml.safe_load((PROJECT / "config" / "test_tables.yaml").read_text(encoding="utf-8"))

JobName = tuple[str, tuple[tuple[str, str], ...]]
# Everything whose change reruns a job, by job.
Plan = Mapping[JobName, Any]


@dataclass(frozen=True)
class Reruns:
    """Effect of a change on a finished run.

    Attributes
    ----------
    changed
        Rules whose jobs are rerun because of the change itself; those that depend on them are rerun, too.
    added
        Rules with additional jobs.
    """

    changed: frozenset[str]
    added: frozenset[str]


@contextmanager
def planning_folder() -> Iterator[Path]:
    """Create a folder in which runs can be planned."""
    with TemporaryDirectory() as name:
        folder = Path(name)
        for part in READ_FROM_THERE:
            (folder / part).symlink_to(PROJECT / part)
        yield folder


@contextmanager
def planned_workflow(
    config: Mapping[str, Any],
    folder: Path,
    cores: int = 1,
    resources: Mapping[str, int] | None = None,
    targets: Collection[str] = (),
) -> Iterator[Any]:
    """Plan a run whose configuration overrides the default one; yield Snakemake's workflow with its jobs.

    Raises
    ------
    snakemake.exceptions.WorkflowError
        If the configuration is wrong, or an input is missing.
    """
    with SnakemakeApi(OutputSettings(quiet={Quietness.ALL})) as api:
        workflow_api = api.workflow(
            resource_settings=ResourceSettings(cores=cores, resources=dict(resources or {})),
            config_settings=ConfigSettings(config=dict(config)),
            snakefile=PROJECT / "Snakefile",
            workdir=folder,
        )
        workflow_api.dag(DAGSettings(targets=set(targets), forceall=True))
        # Snakemake's API prints a plan but does not return it.
        workflow = workflow_api._workflow
        workflow._prepare_dag(forceall=True, ignore_incomplete=True, lock_warn_only=True, nolock=True)
        workflow._build_dag()
        yield workflow


def plan(config: Mapping[str, Any], folder: Path) -> Plan:
    """Return everything whose change reruns a job of a run; see `planned_workflow`."""
    with planned_workflow(config, folder) as workflow:
        return {
            (job.rule.name, tuple(sorted(job.wildcards_dict.items()))): (
                sorted(job.input),
                sorted(job.output),
                job.non_derived_params,
            )
            for job in workflow.dag.jobs
            if job.rule.name != "all"
        }


def reruns(before: Plan, after: Plan) -> Reruns:
    """Compare two plans."""
    return Reruns(
        changed=frozenset(
            rule for (rule, wildcards), job in after.items() if before.get((rule, wildcards), job) != job
        ),
        added=frozenset(rule for rule, _ in after.keys() - before.keys()),
    )


@dataclass(frozen=True)
class PlannedRun:
    """A run, planned once and compared with changed ones."""

    folder: Path
    plan: Plan

    def reruns(self, changed: Mapping[str, Any]) -> Reruns:
        """Return the effect of another configuration."""
        return reruns(self.plan, plan(changed, self.folder))


@contextmanager
def planned_run(config: Mapping[str, Any]) -> Iterator[PlannedRun]:
    """Plan a run in a folder of its own."""
    with planning_folder() as folder:
        yield PlannedRun(folder, plan(config, folder))


def rules_by_module() -> dict[str, set[str]]:
    """Return, for each module of the project, the rules whose script is or imports it, even indirectly."""
    users: dict[str, set[str]] = {}
    for script in sorted((WORKFLOW / "scripts").glob("*.py")):
        for path in code_of(script):
            users.setdefault(path.relative_to(WORKFLOW).as_posix(), set()).add(script.stem)
    return users
