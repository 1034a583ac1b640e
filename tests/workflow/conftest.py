"""One pristine copy of the workflow, one finished tiny run that several tests look at, a count of faults."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

import pytest
from workflow_copy import Workflow, copy_workflow

FAULTS = pytest.StashKey[dict[str, bool]]()


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


@pytest.fixture
def fault(request: pytest.FixtureRequest) -> Callable[[str], AbstractContextManager[None]]:
    """Give a context for each fault that a test tries; the fault is survived if it ends without an error."""
    tried = request.config.stash.setdefault(FAULTS, {})

    @contextmanager
    def trying(name: str) -> Iterator[None]:
        tried[name] = False
        yield
        tried[name] = True

    return trying


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    """Count the faults at the end of the tests."""
    tried = config.stash.get(FAULTS, {})
    if tried:
        terminalreporter.section(f"faults: {len(tried)} tried, {sum(tried.values())} survived")
        for name, survived in tried.items():
            terminalreporter.line(f"{'survived' if survived else 'FAILED':8}  {name}")
