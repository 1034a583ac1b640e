"""Facets and engines whose packages are optional, from cells to predictions of a bundle."""

import json
from pathlib import Path

import pytest
from bundled_predictions import assert_same_bits, assert_within_tolerance, stored_of_model
from small_run import OF_SHARD, SmallRun, small_run
from tabicl_checkpoints import write_checkpoint

import make_facet
import pretrain_engine
from polyfacet.facets.declaration import Facet
from polyfacet.facets.registry import GRAPH, facet_named
from polyfacet.materials.crystal_objectives import E_FORM, GAP
from polyfacet.runtime import optional_packages
from polyfacet.runtime.errors import UserError
from polyfacet.training.engines.registry import ENGINES
from polyfacet.use.prediction.bundle import Bundle

CHGNET, TABICL = facet_named("graph:chgnet"), ENGINES.get("tabicl")
needs_chgnet = pytest.mark.skipif(bool(CHGNET.network.package.fault()), reason="chgnet is not installed")
needs_tabicl = pytest.mark.skipif(bool(TABICL.package.fault()), reason="tabicl is not installed")
RIDGE = {"model": "ridge"}


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> SmallRun:
    return small_run(tmp_path_factory.mktemp("run"), 40)


def predicted_as_stored(run: SmallRun, folder: Path, cell: str) -> None:
    """Compare the predictions of a bundle with those of its cell: for the same rows, and from files."""
    stored = stored_of_model(run.file("cells") / cell)
    materials = run.as_new()
    known = materials[materials["mat_id"].isin(stored.index)]
    assert_within_tolerance(Bundle.open(folder).predict_materials(known).predictions, stored)
    from_files = Bundle.open(folder).predict(run.file("structures"))
    assert from_files.left_out.empty
    assert_within_tolerance(from_files.predictions, stored)


@pytest.fixture(scope="module")
def of_chgnet(run: SmallRun) -> list[str]:
    make_facet.main(
        run.file(f"{CHGNET.name}.parquet"),
        run.file("chgnet.rejected"),
        provenance=run.file("chgnet.json"),
        facet=CHGNET.name,
        structures=run.file("structures"),
        materials=run.file("structures.parquet"),
        **OF_SHARD,
    )
    cells: list[tuple[Facet, ...]] = [(CHGNET,), (GRAPH,)]
    names = [run.train("ridge", "classical", RIDGE, facets, E_FORM.objective) for facets in cells]
    names.append(run.train("ridge", "classical", RIDGE, (CHGNET,), GAP.objective))
    run.bundle(names, run.file("of_chgnet"), (GRAPH, CHGNET))
    return names


@needs_chgnet
@pytest.mark.parametrize("number", [0, 1, 2])
def test_both_embeddings_are_made_for_new_materials(run: SmallRun, of_chgnet: list[str], number: int) -> None:
    predicted_as_stored(run, run.file("of_chgnet") / of_chgnet[number], of_chgnet[number])


@needs_chgnet
def test_cards_say_that_the_network_was_pretrained(run: SmallRun, of_chgnet: list[str]) -> None:
    cards = [json.loads((run.file("cells") / name / "card.json").read_text()) for name in of_chgnet]
    assert [list(card["encoders"]) for card in cards] == [["graph:chgnet"], [], ["graph:chgnet"]]
    assert cards[0]["encoders"]["graph:chgnet"] == CHGNET.network.identity
    # The card of the model warns where values of the objective, or what it follows from, were learned.
    warned = [
        "Test materials may have been among those"
        in " ".join((run.file("of_chgnet") / name / "README.md").read_text().split())
        for name in of_chgnet
    ]
    assert warned == [True, False, False]


@needs_chgnet
def test_a_bundle_holds_no_network_that_its_facets_do_not_use(run: SmallRun, of_chgnet: list[str]) -> None:
    fitted = [
        set(json.loads((run.file("of_chgnet") / name / "bundle.json").read_text())["fitted"])
        for name in of_chgnet[:2]
    ]
    assert fitted == [{"element_table"}, {"element_table", "network"}]


@needs_chgnet
def test_a_bundle_says_which_package_is_missing(run: SmallRun, of_chgnet: list[str], monkeypatch) -> None:
    monkeypatch.setattr(optional_packages, "version", lambda _: "0.1")
    with pytest.raises(UserError, match=r"(?s)looks at graph:chgnet: .*pip install chgnet==0.4.2"):
        Bundle.open(run.file("of_chgnet") / of_chgnet[0])
    Bundle.open(run.file("of_chgnet") / of_chgnet[1])


@needs_tabicl
def test_a_cell_of_tabicl_starts_from_its_foundation_and_can_be_bundled(run: SmallRun) -> None:
    settings = {"checkpoint": write_checkpoint(run.file("numbers.ckpt")), "n_estimators": 2}
    foundation = run.file("foundation")
    pretrain_engine.main(
        run.file("sample.parquet"),
        run.file("split.parquet"),
        run.tables((GRAPH,)),
        foundation,
        facets=["graph"],
        engine="tabicl",
        settings=settings,
        repeat=0,
        seed=1,
    )
    assert [path.name for path in foundation.iterdir()] == ["numbers.safetensors"]
    run.file("numbers.ckpt").unlink()
    cell = run.train("tabicl", "tabicl", settings, (GRAPH,), E_FORM.objective, foundation=foundation)
    card = json.loads((run.file("cells") / cell / "card.json").read_text())
    assert card["status"] == "ok"
    assert card["foundation"]
    assert card["encoders"]["graph"].startswith("TabICL sha256:")
    folder = run.bundle([cell], run.file("of_tabicl"), (GRAPH,)) / cell
    stored = stored_of_model(run.file("cells") / cell)
    known = run.as_new()
    known = known[known["mat_id"].isin(stored.index)]
    assert_same_bits(Bundle.open(folder).predict_materials(known).predictions, stored)
    predicted_as_stored(run, folder, cell)
