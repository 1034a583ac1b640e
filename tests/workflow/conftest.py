"""One pristine copy of the workflow, and one finished tiny run that several tests look at."""

from pathlib import Path

import pytest
from workflow_copy import Workflow, copy_workflow


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
