"""The embedding of CHGNet: the same for every cell of a crystal, and marked as pretrained on energies."""

from importlib.metadata import PackageNotFoundError

import numpy as np
import pandas as pd
import pytest
import torch
from evaluated_run import MadeUpRun
from pymatgen.core import Lattice, Structure
from rewritten_structures import alloy, chain, copper, layer, quartz, rewritten, rock_salt

from polyfacet.config.completion import complete_config
from polyfacet.evaluation.leakage import ELSEWHERE, audit
from polyfacet.evaluation.means import compare
from polyfacet.facets.declaration import Facet
from polyfacet.facets.making import make_rows
from polyfacet.facets.registry import GRAPH, facet_named, facets_of, files_of_makers
from polyfacet.materials.crystal_objectives import PREDEFINED
from polyfacet.materials.objectives import Objective
from polyfacet.reporting.grids import grids
from polyfacet.reporting.naming import PRETRAINED_LEGEND, pretrained_legend, pretrained_mark
from polyfacet.reporting.page.heatmaps import heatmaps
from polyfacet.reporting.page.leakage import leakage
from polyfacet.reporting.page.parts import Paragraph
from polyfacet.reporting.page.results import Results
from polyfacet.reporting.page.scores import score_tables
from polyfacet.runtime import optional_packages
from polyfacet.runtime.errors import UserError
from polyfacet.training.engines.registry import check_combinations
from polyfacet.training.feasibility import check_feasible
from polyfacet.training.methods import checked_methods

CHGNET = facet_named("graph:chgnet")
needs_chgnet = pytest.mark.skipif(bool(CHGNET.network.package.fault()), reason="chgnet is not installed")


def made(*structures: Structure) -> tuple[list[np.ndarray], list[str]]:
    """Return the embeddings of structures, and the reasons where there is none."""
    named = {f"m{number}": structure for number, structure in enumerate(structures)}
    rows, rejects = make_rows(CHGNET, named, named.__getitem__, None)
    return [np.array(row["values"]) for row in rows], [reject.reason for reject in rejects]


@needs_chgnet
@pytest.mark.parametrize("crystal", [rock_salt, copper, quartz, layer, chain])
def test_the_embedding_is_the_same_for_every_cell_of_a_crystal(crystal) -> None:
    (given, other), _ = made(crystal(), rewritten(crystal()))
    assert given.shape == (128,)
    np.testing.assert_allclose(other, given, atol=2e-4)


@needs_chgnet
def test_it_depends_neither_on_other_materials_nor_on_the_number_of_threads() -> None:
    (alone,), _ = made(quartz())
    (_, after), _ = made(copper(), quartz())
    threads = torch.get_num_threads()
    torch.set_num_threads(4)
    try:
        (threaded,), _ = made(quartz())
        assert torch.get_num_threads() == 4
    finally:
        torch.set_num_threads(threads)
    assert alone.tolist() == after.tolist() == threaded.tolist()


@needs_chgnet
def test_it_tells_crystals_apart() -> None:
    embeddings, _ = made(rock_salt(), copper(), quartz(), layer())
    apart = [np.abs(one - other).max() for one in embeddings for other in embeddings if one is not other]
    assert min(apart) > 0.1


@needs_chgnet
def test_materials_without_an_embedding_are_rejected_with_the_reason(tmp_path, monkeypatch) -> None:
    monkeypatch.chdir(tmp_path)
    argon = Structure(Lattice.cubic(30), ["Ar"], [[0, 0, 0]])
    curium = Structure(Lattice.cubic(4), ["Cm"], [[0, 0, 0]])
    rows, reasons = made(alloy(), argon, curium, copper())
    assert len(rows) == 1
    shared, isolated, unknown = reasons
    assert "not one element" in shared
    assert "isolated atom" in isolated
    assert unknown == "CHGNet does not know Cm"
    assert not list(tmp_path.iterdir())


@needs_chgnet
def test_materials_that_are_too_dense_are_rejected_before_their_graph_is_made() -> None:
    hydrogen = Structure(Lattice.cubic(0.5), ["H"], [[0, 0, 0]])
    grid = [[x / 40, y / 40, z / 40] for x in range(9) for y in range(9) for z in range(9)]
    droplet = Structure(Lattice.cubic(20), ["H"] * len(grid), grid)
    metallic = Structure(Lattice.cubic(1.1), ["H"], [[0, 0, 0]])
    rows, reasons = made(hydrogen, metallic, droplet)
    assert len(rows) == 1
    assert ["too close" in reason for reason in reasons] == [True, True]
    assert [reason.split(" pairs")[0] for reason in reasons] == [
        "the primitive cell has about 8e+05",
        "the primitive cell has about 1e+08",
    ]


def test_the_variant_is_made_by_a_function_once_per_material() -> None:
    assert CHGNET.kind == "vector"
    assert CHGNET.needs == "structure"
    assert CHGNET.shown_as(CHGNET.form) == GRAPH.shows
    assert not CHGNET.stage.of_split
    assert CHGNET.stage.folder == "facets/graph:chgnet"
    assert GRAPH.make is None
    assert GRAPH.network is None
    assert GRAPH.stage.of_split
    (file,) = files_of_makers(["graph:chgnet"])
    assert file.name == "chgnet_embedding.py"
    assert files_of_makers(["graph"]) == ()


def test_both_embeddings_stand_side_by_side_but_not_in_one_combination() -> None:
    check_combinations("classical", ["graph", "graph:chgnet", "graph:chgnet+descriptors"], [])
    with pytest.raises(ValueError, match="two forms of the facet 'graph'"):
        facets_of("graph+graph:chgnet")


def missing(_: str) -> str:
    raise PackageNotFoundError


@pytest.mark.parametrize(
    ("version", "found"),
    [(missing, "is not installed"), (lambda _: "0.3.8", "is installed in version 0.3.8")],
)
def test_a_missing_package_stops_the_run_while_it_is_planned(monkeypatch, version, found) -> None:
    monkeypatch.setattr(optional_packages, "version", version)
    ridge = {"engine": "classical", "settings": {"model": "ridge"}}
    plain, asked = (
        complete_config({"methods": {"ridge": {**ridge, "combinations": [name]}}})
        for name in ("graph", "graph:chgnet")
    )
    check_feasible(plain, checked_methods(plain))
    with pytest.raises(UserError, match=f"(?s)graph:chgnet.*{found}.*pip install chgnet==0.4.2"):
        check_feasible(asked, checked_methods(asked))


def test_the_audit_says_which_objectives_it_was_pretrained_on() -> None:
    objectives = [each.objective for each in PREDEFINED]
    table = audit("crystals", objectives, [CHGNET, GRAPH], {}, {}).set_index(["facet", "objective"])
    known = {"e_form", "e_hull", "e_total", "mag_vol"}
    said = table.loc["graph:chgnet", "pretrained"]
    assert said.to_dict() == {each.column: ELSEWHERE if each.column in known else "" for each in objectives}
    assert set(table.loc["graph", "pretrained"]) == {""}
    assert table.loc["graph:chgnet", "note"].str.contains("energies.*Materials Project").all()
    assert not table["note"].str.contains("not judged").any()


def test_objectives_that_no_network_declares_are_not_judged(tmp_path) -> None:
    own = audit("crystals", [Objective("energy_corrected", "Energy")], [CHGNET, GRAPH], {}, {})
    by_facet = own.set_index("facet")["note"].to_dict()
    assert "not judged, as it is not a predefined one" in by_facet["graph:chgnet"]
    assert "not judged" not in by_facet["graph"]
    run = MadeUpRun(tmp_path / "run", classes={"phase": ("soft", "hard")}, facets="text+graph:chgnet")
    warnings = [
        each.text for each in leakage(Results(run.write().audit().files)).parts if isinstance(each, Paragraph)
    ]
    (said,) = [each for each in warnings if "not judged" in each]
    assert said.startswith("Phase: whether graph:chgnet was pretrained on it")


@pytest.mark.parametrize(
    ("combination", "objective", "mark"),
    [
        ("graph:chgnet", "e_total", " ‡"),
        ("text+graph:chgnet", "e_hull", " ‡"),
        ("graph:chgnet", "gap", ""),
        ("graph", "e_total", ""),
        ("none", "e_total", ""),
    ],
)
def test_cells_that_know_the_objective_beforehand_are_marked(combination, objective, mark) -> None:
    assert pretrained_mark(combination, objective) == mark


def test_tables_and_report_show_the_mark(tmp_path) -> None:
    run = MadeUpRun(tmp_path / "run", objectives=("gap", "e_form"), facets="text+graph:chgnet")
    results = Results(run.write().audit().files)
    lines = {
        line.split("|")[1].strip(): line
        for grid in grids(results.cells, compare(results["scores"], None))
        for line in grid.markdown("mase").splitlines()
    }
    by_row = {name: line.count("‡") for name, line in lines.items() if "text" in name or "graph" in name}
    assert {name: n for name, n in by_row.items() if n} == {
        name: 1 for name in by_row if "graph:chgnet" in name
    }
    assert pretrained_legend(results.cells) == PRETRAINED_LEGEND in score_tables(results).lead
    assert pretrained_legend(results.cells[results.cells["objective"] == "gap"]) == ""
    shown = str(leakage(results).parts)
    assert "pretrained on the objective elsewhere (‡)" in shown
    assert any("‡" in str(figure.spec) for figure in heatmaps(results).figures)


def test_a_score_that_is_missing_has_no_mark(tmp_path) -> None:
    failed = [("ridge", "graph:chgnet", "e_form")]
    run = MadeUpRun(tmp_path / "run", objectives=("gap", "e_form"), facets="text+graph:chgnet", failed=failed)
    results = Results(run.write().files)
    (grid,) = grids(results.cells, compare(results["scores"], None))
    (line,) = [each for each in grid.markdown("mase").splitlines() if "ridge: graph:chgnet" in each]
    assert line.count("n/a") == 1
    assert "‡" not in line
    shown = str(score_tables(results).parts)
    assert "n/a" in shown
    assert "n/a ‡" not in shown


def test_a_facet_with_variants_cannot_have_one_function_for_all() -> None:
    with pytest.raises(ValueError, match="has variants and `make`"):
        Facet("both", "both", "vector", "structure", variants={"a": frozenset()}, make=len)


def test_attributes_name_the_network() -> None:
    assert pd.Series(CHGNET.attributes()["pretrained"]).to_dict() == {"chgnet": CHGNET.network.identity}
