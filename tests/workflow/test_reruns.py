"""Reruns are precise: a change reruns only the stage that it affects and the stages that depend on it."""

import re
from contextlib import ExitStack, contextmanager

import pytest
from planned_runs import rules_by_module

EDGE = re.compile(r"(\d+) -> (\d+)")
NODE = re.compile(r'(\d+)\[label = "(\w+)')

# First stages that a changed key reruns.
ROOTS = {
    "max_rejected_fraction=0.06": set(),
    "filters={sites_max: 50}": {"sample"},
    "images={size: 64, sphere_segments: 13}": {"render_images"},
    "graphs={training: {epochs: 4}}": {"fit_network"},
    "composition={layout: mcvn2022}": {"draw_composition_images", "draw_composition_legend"},
    "methods={automm: {settings: {max_epochs: 3}}}": {"train_combination"},
    "methods={trees: {settings: {model: forest}}}": {"train_method"},
    "splits={random: {validation_fraction: 0.2}}": {"split_materials"},
}


@pytest.fixture(scope="module")
def descendants(finished):
    """Return the rules that depend on each rule, according to Snakemake's rule graph."""
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


@pytest.mark.parametrize(("change", "roots"), ROOTS.items(), ids=ROOTS)
def test_a_changed_key_reruns_its_stage_and_later_ones(finished, descendants, change, roots):
    assert set(finished.jobs(changes=[change])) == expected(roots, descendants)


def test_an_added_objective_reruns_only_cells(finished):
    jobs = finished.jobs(changes=["objectives=[e_form,vol_atom,gap]"])
    # One job per combination trains those of its cells that are not kept.
    assert jobs["train_combination"] == 2
    # One job trains all cells of a cheap method.
    assert jobs["train_method"] == 3
    assert not {"fit_network", "assemble_dataset"} & jobs.keys()


def test_an_added_column_is_read_and_described_and_changes_no_facet_and_no_split(finished):
    jobs = finished.jobs(changes=["objectives=[e_form,vol_atom,band_gap_dir]"])
    assert jobs == {
        "read_objective": 1,
        "describe_objectives": 1,
        "train_combination": 2,
        "train_method": 3,
        "assemble_dataset": jobs["assemble_dataset"],
        "gather_dataset": 1,
        **dict.fromkeys(("collect_results", "compare_methods", "attribute_to_facets"), 1),
        **dict.fromkeys(("audit_leakage", "assess_uncertainty", "describe_errors"), 1),
        **dict.fromkeys(("tabulate_results", "write_report"), 1),
        "draw_contact_sheet": 1,
    }


def test_a_changed_setting_of_a_method_reruns_only_that_method(finished):
    jobs = finished.jobs(changes=["methods={trees: {settings: {model: forest}}}"])
    assert jobs["train_method"] == 1
    assert not {"train_cell", "train_combination"} & jobs.keys()


def test_a_new_method_trains_only_its_own_cells(finished):
    jobs = finished.jobs(changes=["methods={more: {engine: automm, combinations: [compimage]}}"])
    assert jobs["train_combination"] == 1
    assert not {"train_method", "render_images", "fit_network"} & jobs.keys()


def test_a_different_browser_build_redraws_the_pictures(finished, descendants, tmp_path, monkeypatch):
    other = tmp_path / "chromium"
    other.write_text("#!/bin/sh\necho Chromium 1.2.3\n")
    other.chmod(0o755)
    monkeypatch.setenv("POLYFACET_BROWSER", str(other))
    assert set(finished.jobs()) == expected({"render_images"}, descendants)


@contextmanager
def changed(path, change):
    """Change the text of a file temporarily."""
    text = path.read_text()
    path.write_text(change(text))
    try:
        yield
    finally:
        path.write_text(text)


def test_changed_comments_docstrings_and_messages_rerun_nothing(finished):
    """Time stamps do not matter, either."""
    code = finished.folder / "workflow"
    with ExitStack() as stack:
        for path in (code / "scripts").glob("*.py"):
            stack.enter_context(
                changed(path, lambda text: text.replace('"""\n', 'And more."""\n', 1) + "# End")
            )
        speaking = code / "polyfacet" / "runtime" / "progress.py"
        stack.enter_context(changed(speaking, lambda text: text + "\n_NEW = 1\n"))
        assert finished.jobs() == {}


def test_a_changed_text_of_the_report_reruns_only_the_report(finished):
    report = finished.folder / "workflow" / "scripts" / "write_report.py"
    with changed(report, lambda text: text.replace("Pictures of the structures", "Structures")):
        assert finished.jobs() == {"write_report": 1}


@pytest.mark.parametrize(
    "code",
    [
        "scripts/fit_network.py",
        "polyfacet/facets/graph/lattice_sums.py",
        "polyfacet/facets/text/composition.py",
    ],
)
def test_changed_code_reruns_the_rules_that_import_it(finished, descendants, code):
    users = rules_by_module()[code]
    assert users
    with changed(finished.folder / "workflow" / code, lambda text: text + "\n_CHANGED = 1\n"):
        assert set(finished.jobs()) == expected(users & descendants.keys(), descendants)


def test_changed_code_of_an_engine_reruns_only_its_own_methods(finished):
    engine = finished.folder / "workflow" / "polyfacet" / "training" / "engines" / "classical" / "engine.py"
    with changed(engine, lambda text: text + "\n_CHANGED = 1\n"):
        jobs = finished.jobs()
    assert jobs["train_method"] == 1
    assert not {"train_cell", "train_combination"} & jobs.keys()
