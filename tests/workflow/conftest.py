"""One pristine copy of the workflow, and one finished tiny run that several tests look at."""

import shutil

import pytest
from workflow_copy import Workflow, copy_workflow


@pytest.fixture(scope="session")
def pristine(tmp_path_factory: pytest.TempPathFactory) -> Workflow:
    """Return a workflow that has never run; tests only make dry runs in it."""
    return copy_workflow(tmp_path_factory.mktemp("pristine"))


@pytest.fixture(scope="session")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Workflow:
    """Return a workflow whose tiny run is finished; tests leave its results alone."""
    if not any(shutil.which(name) for name in ("chromium", "chromium-browser", "google-chrome")):
        pytest.skip("needs a Chromium browser, which is not installed (make setup installs one)")
    workflow = copy_workflow(tmp_path_factory.mktemp("finished"))
    workflow.run()
    return workflow
