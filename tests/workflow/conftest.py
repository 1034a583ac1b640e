"""One pristine copy of the workflow, one finished tiny run that several tests look at, a count of faults."""

from pathlib import Path

import pytest
from fault_count import Faults
from workflow_copy import Workflow, copy_workflow

FAULTS = pytest.StashKey[Faults]()


@pytest.fixture(scope="session")
def pristine(tmp_path_factory: pytest.TempPathFactory) -> Workflow:
    """Return a workflow that has never run; tests only make dry runs in it."""
    return copy_workflow(tmp_path_factory.mktemp("pristine"))


@pytest.fixture(scope="session")
def finished(browser: Path, tmp_path_factory: pytest.TempPathFactory) -> Workflow:
    """Return a workflow whose tiny run is finished; tests leave its results alone."""
    workflow = copy_workflow(tmp_path_factory.mktemp("finished"))
    workflow.run()
    return workflow


@pytest.fixture(scope="session")
def faults(pytestconfig: pytest.Config) -> Faults:
    """Return the count of all faults that tests try."""
    return pytestconfig.stash.setdefault(FAULTS, Faults())


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    """Count the faults at the end of the tests."""
    faults = config.stash.get(FAULTS, Faults())
    if faults.tried:
        survived = sum(faults.tried.values())
        terminalreporter.section(f"faults: {len(faults.tried)} tried, {survived} survived")
        for name, outcome in faults.tried.items():
            terminalreporter.line(f"{'survived' if outcome else 'FAILED':8}  {name}")
        terminalreporter.line(f"entries lost: {faults.lost} of {faults.looked_for} rows of materials")
