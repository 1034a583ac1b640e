"""A larger sample costs only its new materials, and gives the same bytes as a fresh run."""

import json
import shutil
from collections import Counter

import pytest
from workflow_copy import Workflow, copy_workflow

STAGES = {
    "crystals/structures",
    "crystals/images",
    "crystals/graphs",
    "crystals/text-composition",
    "crystals/composition_statistics",
    "crystals/random-0/embeddings",
}


def run(workflow: Workflow, n_materials: int, *arguments: str) -> None:
    config = ["--config", f"n_materials={n_materials}", "graphs={embedding: random}"]
    workflow.run("--until", "gather_dataset", *arguments, *config)


def counts(workflow: Workflow) -> dict[str, Counter]:
    """Return, per stage, for how many materials its jobs have made and kept results."""
    folder = workflow.folder / "results" / "test"
    found: dict[str, Counter] = {}
    for path in folder.rglob("shard-*.provenance.json"):
        said = json.loads(path.read_text())
        stage = path.parent.relative_to(folder).as_posix()
        found.setdefault(stage, Counter()).update({name: said[name] for name in ("made", "kept")})
    return found


@pytest.fixture(scope="module")
def grown(browser, tmp_path_factory) -> Workflow:
    """Return a workflow whose sample has grown from 20 materials in one shard to 40 in two."""
    workflow = copy_workflow(tmp_path_factory.mktemp("grown"))
    run(workflow, 20)
    assert all(stage == {"made": 20, "kept": 0} for stage in counts(workflow).values())
    run(workflow, 40)
    return workflow


def test_twenty_more_materials_cost_the_work_of_twenty(grown):
    found = counts(grown)
    for stage in STAGES:
        assert found[stage] == {"made": 20, "kept": 20}, stage
    # These depend on grey levels, which are refitted to the training part.
    assert found.keys() - STAGES == {"crystals/random-0/composition_images"}
    assert found["crystals/random-0/composition_images"].total() == 40


@pytest.mark.parametrize(
    "pattern",
    [
        "crystals/structures/*/*.cif",
        "crystals/images/*/*.png",
        "crystals/graphs/*.parquet",
        "crystals/text-composition/*.parquet",
        "crystals/composition_statistics/*.parquet",
        "crystals/random-0/composition_images/*/*.png",
        "crystals/random-0/grey_levels.json",
    ],
)
def test_a_grown_run_has_the_bytes_of_a_fresh_run(grown, finished, pattern):
    assert finished.results(pattern)
    assert grown.results(pattern) == finished.results(pattern)


def test_a_grown_dataset_equals_that_of_fresh_embeddings(grown):
    before = grown.results("crystals/random-0/dataset/*")
    shutil.rmtree(grown.folder / "results" / "test" / "kept")
    run(grown, 40, "--forcerun", "embed_graphs")
    assert counts(grown)["crystals/random-0/embeddings"] == {"made": 40, "kept": 0}
    assert grown.results("crystals/random-0/dataset/*") == before
    assert len(before) == 4  # two shards, their list, and the data card
