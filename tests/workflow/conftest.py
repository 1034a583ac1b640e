"""One pristine copy of the workflow, finished tiny runs for several tests, a count of faults."""

import fcntl
import os
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pytest
from fault_count import Faults
from workflow_copy import Workflow, copy_workflow

FAULTS = pytest.StashKey[Faults]()


@pytest.fixture(scope="session")
def pristine(tmp_path_factory: pytest.TempPathFactory) -> Workflow:
    """Return a workflow that has never run; tests make only dry runs in it."""
    return copy_workflow(tmp_path_factory.mktemp("pristine"))


@pytest.fixture(scope="session")
def finished(browser: Path, tmp_path_factory: pytest.TempPathFactory) -> Workflow:
    """Return a workflow with a finished tiny run; tests must not change its results."""
    return made_once("finished", tmp_path_factory, Workflow.run)


@pytest.fixture(scope="session")
def table_run(tmp_path_factory: pytest.TempPathFactory) -> Workflow:
    """Return a workflow with a finished run on the invented steels, with one invalid row, and its bundles.

    Tests must not change its results.
    """

    def make(workflow: Workflow) -> None:
        with (workflow.folder / "embedded" / "invented_steels.csv").open("a") as table:
            table.write("0.2,0.4,0.1,warm,228.5,soft\n")
        workflow.run("--configfile", "config/test_tables.yaml", "--", "all", "bundles")

    return made_once("table", tmp_path_factory, make)


def made_once(
    name: str, tmp_path_factory: pytest.TempPathFactory, make: Callable[[Workflow], Any]
) -> Workflow:
    """Make a finished run in a copy of the workflow.

    Processes that share the tests share the run as well: the first one makes it while the others wait.
    """
    shared = tmp_path_factory.getbasetemp()
    if "PYTEST_XDIST_WORKER" in os.environ:
        shared = shared.parent
    with (shared / f"{name}.txt").open("a+") as record:
        fcntl.flock(record, fcntl.LOCK_EX)
        record.seek(0)
        if folder := record.read():
            return Workflow(Path(folder))
        workflow = copy_workflow(tmp_path_factory.mktemp(name))
        make(workflow)
        record.write(str(workflow.folder))
        return workflow


@pytest.fixture(scope="session")
def faults(pytestconfig: pytest.Config) -> Faults:
    """Return the count of all faults that tests try."""
    return pytestconfig.stash.setdefault(FAULTS, Faults())


def pytest_sessionfinish(session: pytest.Session) -> None:
    """Send the count of a worker process to the process that reports."""
    if hasattr(session.config, "workeroutput"):
        session.config.workeroutput["faults"] = asdict(session.config.stash.get(FAULTS, Faults()))


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node: Any) -> None:
    """Add up the counts of worker processes."""
    counted = getattr(node, "workeroutput", {}).get("faults")
    if counted:
        node.config.stash.setdefault(FAULTS, Faults()).add(Faults(**counted))


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    """Print the count of faults at the end of the tests."""
    faults = config.stash.get(FAULTS, Faults())
    if faults.tried:
        survived = sum(faults.tried.values())
        terminalreporter.section(f"faults: {len(faults.tried)} tried, {survived} survived")
        for name, outcome in faults.tried.items():
            terminalreporter.line(f"{'survived' if outcome else 'FAILED':8}  {name}")
        terminalreporter.line(f"entries lost: {faults.lost} of {faults.looked_for} rows of materials")
