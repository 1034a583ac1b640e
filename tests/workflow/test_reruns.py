"""Reruns are precise: a change reruns the stage that it concerns and what follows from it, nothing else."""

import os
import re
import time

import pytest
from project import PROJECT

from polyfacet.code_digest import code_of

EDGE = re.compile(r"(\d+) -> (\d+)")
NODE = re.compile(r'(\d+)\[label = "(\w+)')

# The first stages that a changed key reruns.
ROOTS = {
    "n_materials=30": {"sample"},
    "max_rejected_fraction=0.06": {
        "sample",
        "write_structures",
        "render_images",
        "build_graphs",
        "describe_compositions",
        "compute_composition_statistics",
    },
    "filters={sites_max: 50}": {"sample"},
    "magnetization=signed": {"sample"},
    "split={train_fraction: 0.8}": {"split_materials"},
    "images={size: 65, sphere_segments: 12}": {"render_images"},
    "images={size: 64, sphere_segments: 13}": {"render_images"},
    "graphs={pauli: paper}": {"build_graphs"},
    "graphs={embedding: random}": {"fit_network"},
    "graphs={embedding: calibrated, training: {epochs: 4}}": {"fit_network"},
    "graphs={layers: 2}": {"fit_network"},
    "graphs={training: {epochs: 4}}": {"fit_network"},
    "composition={text: composition_fraction}": {"describe_compositions"},
    "composition={statistics: xenonpy}": {"compute_composition_statistics"},
    "composition={layout: mcvn2022}": {"draw_composition_images", "draw_composition_legend"},
    "engine={automm: {max_epochs: 3}}": {"train_cell"},
    "engine={validation_fraction: 0.2, automm: {max_epochs: 2}}": {"train_cell"},
}

SCRIPTS = {path.stem for path in (PROJECT / "workflow" / "scripts").glob("*.py")}
# The finished run takes nothing from the network.
ONLINE_SCRIPTS = {"download_entries", "fetch_hub_encoders"}


@pytest.fixture(scope="module")
def descendants(finished):
    """Rule to the rules that follow from it, as Snakemake draws them."""
    graph = finished.run("--rulegraph", "--forceall")
    names = dict(NODE.findall(graph))
    edges = [(names[a], names[b]) for a, b in EDGE.findall(graph)]

    def follow(rule):
        direct = {b for a, b in edges if a == rule}
        return direct.union(*map(follow, direct)) if direct else set()

    return {rule: follow(rule) - {"all"} for rule in names.values()}


def expected(roots, descendants):
    return set(roots).union(*(descendants[root] for root in roots))


def test_a_second_call_runs_nothing(finished):
    assert finished.jobs() == {}
    assert "Nothing to be done" in finished.run()


@pytest.mark.parametrize(("change", "roots"), ROOTS.items(), ids=str)
def test_a_changed_key_reruns_its_stage_and_what_follows(finished, descendants, change, roots):
    assert set(finished.jobs(changes=[change])) == expected(roots, descendants)


def test_more_targets_train_only_the_new_cells(finished):
    jobs = finished.jobs(changes=["targets=[e_form,vol_atom,gap]"])
    assert jobs["train_cell"] == 2
    assert jobs["train_dummy"] == 2
    assert "assemble_dataset" not in jobs


def test_another_browser_build_draws_the_pictures_anew(finished, descendants, tmp_path, monkeypatch):
    other = tmp_path / "chromium"
    other.write_text("#!/bin/sh\necho Chromium 1.2.3\n")
    other.chmod(0o755)
    monkeypatch.setenv("POLYFACET_BROWSER", str(other))
    assert set(finished.jobs()) == expected({"render_images"}, descendants)


@pytest.mark.parametrize("script", sorted(SCRIPTS - ONLINE_SCRIPTS))
def test_a_touched_script_reruns_its_stage_and_what_follows(finished, descendants, script):
    path = finished.folder / "workflow" / "scripts" / f"{script}.py"
    before = path.stat()
    later = time.time() + 5
    os.utime(path, (later, later))
    try:
        # A rule that this run does not need is not rerun either.
        assert set(finished.jobs()) == expected({script} & descendants.keys(), descendants)
    finally:
        os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))


@pytest.mark.parametrize(
    "module", ["structure_facet/lattice_sums.py", "figures.py", "composition/text.py", "metrics.py"]
)
def test_a_changed_module_reruns_the_rules_that_import_it(finished, descendants, module):
    path = finished.folder / "workflow" / "polyfacet" / module
    twin = PROJECT / "workflow" / "polyfacet" / module
    scripts = (PROJECT / "workflow" / "scripts").glob("*.py")
    users = {script.stem for script in scripts if twin.resolve() in code_of(script)}
    text = path.read_text()
    path.write_text(text + "\n_CHANGED = 1\n")
    try:
        assert users
        assert set(finished.jobs()) == expected(users & descendants.keys(), descendants)
    finally:
        path.write_text(text)
