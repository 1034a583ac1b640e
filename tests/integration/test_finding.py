"""`polyfacet find`: a small pretrained run is searched by each kind of query."""

import json
from pathlib import Path

import pandas as pd
import pytest
from made_up_bundle import write_made_up_bundle
from PIL import Image
from small_run import SmallRun, small_run

import pretrain_engine
import represent_materials
from polyfacet.facets.registry import COMPIMAGE, GRAPH, IMAGE, TEXT
from polyfacet.materials.crystal_objectives import E_FORM
from polyfacet.runtime.errors import UserError
from polyfacet.training.engines.registry import complete_settings
from polyfacet.training.foundations import FAILURE_FILE
from polyfacet.use.command import main
from polyfacet.use.finding.catalogue import Catalogue

FACETS = (TEXT, IMAGE, GRAPH, COMPIMAGE)
ENERGY = E_FORM.objective
SETTINGS = complete_settings(
    "joint",
    {
        "width": 16,
        "max_epochs": 1,
        "pictures": "network",
        "pretraining": {"contrast": "all_pairs", "epochs": 40, "projection": 16},
    },
)


def foundation_of(run: SmallRun) -> None:
    pretrain_engine.main(
        run.file("sample.parquet"),
        run.file("split.parquet"),
        run.tables(FACETS),
        run.file("foundation"),
        facets=[facet.name for facet in FACETS],
        engine="joint",
        settings=SETTINGS,
        repeat=0,
        seed=1,
        objectives=[ENERGY.learned],
        encodings=[run.encoded(facet) for facet in FACETS if not facet.is_numeric],
    )


def represent(run: SmallRun, foundation: Path, to: Path) -> Path:
    represent_materials.main(
        run.file("sample.parquet"),
        run.file("split.parquet"),
        run.tables(FACETS),
        foundation,
        to,
        facets=[facet.name for facet in FACETS],
        objectives={ENERGY.column: True},
        engine="joint",
        settings=SETTINGS,
        encodings=[run.encoded(facet) for facet in FACETS if not facet.is_numeric],
    )
    return to


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory, browser: Path) -> SmallRun:
    """Return a run of 40 crystals with the bundle of a pretrained cell."""
    run = small_run(tmp_path_factory.mktemp("run"), 40)
    run.draw_pictures()
    foundation_of(run)
    table = represent(run, run.file("foundation"), run.file("representations.parquet"))
    cell = run.train("joint", "joint", SETTINGS, FACETS, ENERGY, foundation=run.file("foundation"))
    run.bundle([cell], run.file("crystals/random-0/bundles"), FACETS, {"joint": table})
    return run


@pytest.fixture(scope="module")
def catalogue(run: SmallRun) -> Catalogue:
    return Catalogue.open(run.folder)


def first_of(run: SmallRun) -> tuple[str, str]:
    """Return a material of the run, and its formula."""
    material = pd.read_parquet(run.file("sample.parquet")).iloc[0]
    return material["mat_id"], material["formula"]


def test_a_structure_finds_itself_by_all_facets(run, catalogue):
    mat_id, formula = first_of(run)
    found = catalogue.like([str(run.file("structures") / f"{mat_id}.cif")], n=3).materials
    assert found["facets"].unique().tolist() == ["text+image+graph+compimage"]
    assert found[["rank", "mat_id", "formula"]].iloc[0].tolist() == [1, mat_id, formula]
    assert found["similarity"][0] > 0.9999
    assert found["similarity"].is_monotonic_decreasing
    assert found[ENERGY.column].notna().all()


def test_a_material_of_the_run_finds_what_its_structure_finds(run, catalogue):
    mat_id, _ = first_of(run)
    own = catalogue.like_material(mat_id, by="graph", among="image").materials
    cif = str(run.file("structures") / f"{mat_id}.cif")
    new = catalogue.like(cif, by="graph", among="image").materials
    assert own["mat_id"].tolist() == new["mat_id"].tolist()
    assert own["similarity"].to_numpy() == pytest.approx(new["similarity"].to_numpy(), abs=1e-5)


def test_a_formula_is_seen_without_the_facets_of_structures(run, catalogue):
    mat_id, formula = first_of(run)
    found = catalogue.like_formulas([formula, "NaCl"], among="text", n=40).materials
    assert set(found["facets"]) == {"text+compimage"}
    own = found[found["query"] == formula]
    by_text = catalogue.like_formulas([formula], by="text", among="text", n=40).materials
    assert mat_id in own["mat_id"].tolist()
    (similar,) = by_text.loc[by_text["mat_id"] == mat_id, "similarity"]
    assert similar > 0.9999


def test_a_picture_finds_its_material(run, catalogue):
    mat_id, _ = first_of(run)
    found = catalogue.like_picture(run.file("image") / f"{mat_id}.png", among="image").materials
    assert found["mat_id"][0] == mat_id
    assert found["similarity"][0] > 0.9999


def test_known_values_are_searched(run, catalogue):
    energies = pd.read_parquet(run.file("sample.parquet")).set_index("mat_id")[ENERGY.column]
    found = catalogue.near({ENERGY.column: -1.5}, n=5).materials
    expected = (energies + 1.5).abs().sort_values()[:5]
    assert found["mat_id"].tolist() == expected.index.tolist()
    assert found[ENERGY.column].tolist() == energies[found["mat_id"]].tolist()


@pytest.mark.parametrize(
    ("ask", "message"),
    [
        (lambda c: c.like_formulas(["Xx2"]), "unknown element"),
        (lambda c: c.like_formulas(["NaCl"], by="graph"), "needs a structure"),
        (lambda c: c.like_formulas(["NaCl"], by="xrd"), "not a combination of the facets"),
        (lambda c: c.like_formulas(["NaCl"], among="xrd"), "not one of the facets of this catalogue"),
        (lambda c: c.like_formulas(["NaCl"], n=0), "at least 1"),
        (lambda c: c.near({ENERGY.column: 1.0}, n=-1), "at least 1"),
        (lambda c: c.near({}), "name an objective"),
        (lambda c: c.like_material("unknown"), "no material unknown"),
        (lambda c: c.like_picture(__file__), "cannot be read: not a PNG"),
        (lambda c: c.like_picture("missing.png"), "cannot be read"),
        (lambda c: c.like_picture(__file__, by="text"), "not a facet of pictures"),
        (lambda c: c.near({"gap": 1.0}), "no objective 'gap'"),
        (lambda c: c.near({ENERGY.column: float("nan")}), "is a number"),
        (lambda c: c.near({ENERGY.column: "high"}), "is a number"),
        (lambda c: c.near({ENERGY.column: 10**400}), "is a number"),
    ],
)
def test_a_query_that_cannot_be_asked_raises_user_error(catalogue, ask, message):
    with pytest.raises(UserError, match=message):
        ask(catalogue)


def test_structures_that_cannot_be_read_are_left_out_with_a_reason(run, catalogue, tmp_path):
    (tmp_path / "bad.cif").write_text("not a CIF")
    mat_id, _ = first_of(run)
    good = run.file("structures") / f"{mat_id}.cif"
    found = catalogue.like([str(tmp_path / "bad.cif"), str(good)], by="graph", n=1)
    assert found.materials["mat_id"].tolist() == [mat_id]
    assert found.left_out["mat_id"].tolist() == ["bad"]
    assert found.left_out["reason"][0]


def test_a_search_with_nothing_readable_finds_nothing_and_says_why(catalogue, tmp_path):
    (tmp_path / "bad.cif").write_text("not a CIF")
    found = catalogue.like(str(tmp_path / "bad.cif"), by="graph")
    assert found.materials.empty
    assert found.left_out["mat_id"].tolist() == ["bad"]
    assert catalogue.like_formulas([]).materials.empty


def test_queries_are_called_as_they_were_given(run, catalogue, tmp_path):
    mat_id, _ = first_of(run)
    path = tmp_path / "kochsalz grün (1).cif"
    path.write_bytes((run.file("structures") / f"{mat_id}.cif").read_bytes())
    assert catalogue.like(str(path), by="graph+text", n=1).materials["query"].tolist() == [
        "kochsalz grün (1)"
    ]
    assert catalogue.like_formulas("Ca(OH)2", n=1).materials["query"].tolist() == ["Ca(OH)2"]


def test_a_picture_of_another_size_is_refused(catalogue, tmp_path):
    Image.new("RGB", (20, 10)).save(tmp_path / "small.png")
    with pytest.raises(UserError, match="20 x 10 pixels, but those of the run have 64 x 64"):
        catalogue.like_picture(tmp_path / "small.png")
    with pytest.raises(UserError, match=r"small\.png does not show compimage"):
        catalogue.like_picture(tmp_path / "small.png", by="compimage")


@pytest.mark.parametrize(
    "place", ["crystals", "crystals/random-0/bundles", "crystals/random-0/bundles/joint"]
)
def test_a_folder_above_bundles_is_enough(run, catalogue, place):
    assert Catalogue.open(run.file(place)).path == catalogue.path


def test_an_input_is_not_overwritten(run, tmp_path, capsys):
    given = tmp_path / "new.csv"
    given.write_text("formula\nNaCl\n")
    with pytest.raises(SystemExit):
        main(["find", str(run.folder), str(given), "--output", str(given)])
    assert "would overwrite" in "".join(capsys.readouterr())
    assert given.read_text() == "formula\nNaCl\n"


def test_the_command_prints_and_writes_what_is_found(run, tmp_path, capsys):
    output = tmp_path / "found.csv"
    mat_id, _ = first_of(run)
    arguments = ["find", str(run.folder), "--material", mat_id, "--number", "2", "--output", str(output)]
    assert main(arguments) == 0
    found = pd.read_csv(output)
    assert found["mat_id"][0] == mat_id
    assert len(found) == 2
    printed = "".join(capsys.readouterr())
    assert mat_id in printed
    assert str(output) in printed


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ([], "ask with one of"),
        (["--formula", "NaCl", "--material", "x"], "not with formula and material"),
        (["--property", "e_form"], "not NAME=VALUE"),
        (["--property", "e_form=1", "--by", "text"], "Leave them out"),
        (["--property", "e_form=1", "e_form=2"], "names e_form twice"),
        (["--formula", "NaCl", "--output", "found.txt"], "must end in"),
    ],
)
def test_wrong_arguments_are_explained(run, arguments, message, capsys):
    with pytest.raises(SystemExit):
        main(["find", str(run.folder), *arguments])
    assert message in "".join(capsys.readouterr())


def test_a_run_without_representations_says_how_to_get_them(tmp_path):
    write_made_up_bundle(tmp_path / "bundle")
    with pytest.raises(UserError, match="pretrained"):
        Catalogue.open(tmp_path)


def test_representations_do_not_depend_on_when_they_are_made(run, tmp_path):
    again = represent(run, run.file("foundation"), tmp_path / "again.parquet")
    assert again.read_bytes() == run.file("representations.parquet").read_bytes()


def test_a_failed_foundation_leaves_an_empty_table(run, tmp_path):
    (tmp_path / FAILURE_FILE).write_text(json.dumps("too few rows"))
    assert pd.read_parquet(represent(run, tmp_path, tmp_path / "none.parquet")).empty
