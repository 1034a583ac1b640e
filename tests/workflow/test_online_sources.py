"""What is downloaded, and when: only dry runs, which download nothing."""

import shutil
from pathlib import Path

import pytest
from workflow_copy import Workflow, copy_workflow

FOLDER = Path("data/alexandria")


@pytest.fixture
def workflow(tmp_path) -> Workflow:
    """Return a copy of the workflow that already has the file 007 of the release."""
    copied = copy_workflow(tmp_path)
    (tmp_path / FOLDER).mkdir(parents=True)
    (tmp_path / FOLDER / "alexandria_007.json.bz2").touch()
    return copied


def test_a_named_file_is_downloaded_unless_it_exists(workflow):
    names = [f"{FOLDER}/alexandria_{number}.json.bz2" for number in ("006", "007")]
    assert workflow.jobs(changes=[f"sources=[{', '.join(names)}]"])["download_entries"] == 1
    assert "download_entries" not in workflow.jobs(changes=[f"sources=[{names[1]}]"])
    assert "download_entries" not in workflow.jobs("--forceall", changes=[f"sources=[{names[1]}]"])


def test_the_study_fetches_one_file_and_the_encoders(workflow):
    jobs = workflow.jobs("--configfile", "config/costa2024.yaml")
    assert jobs["download_entries"] == 1
    assert jobs["fetch_hub_encoders"] == 1


def test_all_files_of_the_release_that_are_missing_are_fetched(workflow):
    assert workflow.jobs(changes=[f"sources=[{FOLDER}]"])["download_entries"] == 49


def test_an_unpublished_file_is_reported_as_missing(workflow):
    change = f"sources=[{FOLDER}/alexandria_999.json.bz2]"
    output = workflow.run("--dry-run", "--config", change, check=False)
    assert "Missing input files for rule sample" in output


def test_local_data_and_encoders_need_no_downloads(workflow):
    source = workflow.folder / "mine.json"
    shutil.copy(workflow.folder / FOLDER / "alexandria_007.json.bz2", source)
    jobs = workflow.jobs(changes=[f"sources=[{source}]"])
    assert jobs["make_local_encoders"] == 1
    assert not {"download_entries", "fetch_hub_encoders"} & set(jobs)


def test_a_wrong_address_stops_before_any_job(workflow):
    output = workflow.run("--dry-run", "--config", "download={files: [../x.json]}", check=False)
    assert "does not name an entry file" in output
    assert "Traceback" not in output
