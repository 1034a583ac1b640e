"""The script that explains predictions, with real training of a small joint network, and the report."""

from itertools import product
from pathlib import Path
from types import MappingProxyType

import numpy as np
import pandas as pd
import pytest
from joint_rows import SMALL
from made_up_results import cell_row
from PIL import Image
from report_page import ReportPage
from textbook_crystals import primitive_fcc

pytest.importorskip("captum")

import explain_predictions
import pretrain_engine
from polyfacet.evaluation.explanation.checks import SKILL, VALUES
from polyfacet.evaluation.explanation.schema import (
    ATOMS,
    ATOMS_FILE,
    CHECKS,
    CHECKS_FILE,
    CURVES,
    CURVES_FILE,
    IMPORTANCES,
    IMPORTANCES_FILE,
    MAPS_FOLDER,
)
from polyfacet.facets.compimage.image import arrange
from polyfacet.facets.compimage.properties import NAMES
from polyfacet.facets.compimage.statistics import STATISTICS
from polyfacet.facets.graph.crystal_graph import GRAPHS, build_graphs
from polyfacet.materials.stage_tables import COMPOSITION_IMAGES, EMBEDDING_SIZE, EMBEDDINGS, PICTURES
from polyfacet.reporting.page.explanations import explanations
from polyfacet.reporting.page.rendering import render
from polyfacet.runtime.errors import UserError
from polyfacet.runtime.files import sha256_of_file
from polyfacet.runtime.optional_packages import OptionalPackage
from polyfacet.runtime.parquet import read_table, write_table
from polyfacet.splits.parts import SPLIT, TEST, TRAIN
from polyfacet.training.foundations import FAILURE_FILE

METALS, NON_METALS = ("Li", "Na", "K", "Rb"), ("F", "Cl", "Br")
LENGTHS = tuple(round(length, 2) for length in np.linspace(4.4, 6.2, 8))
# Test materials that are explained.
N = 20
FACETS = ["image", "graph", "compimage"]
OBJECTIVES = [{"column": "gap"}, {"column": "kind", "classes": ("long", "short")}]
SETTINGS = {
    **SMALL,
    **{"graphs": "network", "graph_width": 8, "graph_layers": 1},
    **{"max_epochs": 60, "learning_rate": 5e-3, "batch_size": 16, "dropout": 0, "noise": 0},
}
PLACE = {
    "run": "r",
    "source": "crystals",
    "split": "random",
    "split_method": "random",
    "repeat": "0",
    "method": "joint",
}


def picture(table: Path, mat_id: str, pixels: np.ndarray, **more) -> dict:
    """Write a picture of a table of pictures, and return its row."""
    folder = table.with_suffix("")
    folder.mkdir(exist_ok=True)
    path = folder / f"{mat_id}.png"
    Image.fromarray(pixels.astype(np.uint8)).save(path)
    return {"mat_id": mat_id, "image": path.name, "sha256": sha256_of_file(path), **more}


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Write rock salts whose gap is the metal and whose kind is the length, and train on them."""
    folder = tmp_path_factory.mktemp("explained")
    names = ("sample", "split", "image", "graph", "compimage", "graphs")
    files = {name: folder / f"{name}.parquet" for name in names}
    crystals = {
        f"{metal}{other}-{length}": (METALS.index(metal), length)
        for metal, other, length in product(METALS, NON_METALS, LENGTHS)
    }
    graphs = build_graphs(
        {
            mat_id: primitive_fcc(
                length, [METALS[metal], mat_id.split("-")[0].removeprefix(METALS[metal])],
                [[0, 0, 0], [0.5, 0.5, 0.5]],
            )
            for mat_id, (metal, length) in crystals.items()
        },
        pauli="coded", neighbours=16, min_radius=0.0,
    )  # fmt: skip
    random = np.random.default_rng(0)
    images, pictures = [], []
    for mat_id, (metal, length) in crystals.items():
        grey = random.integers(40, size=(1, len(STATISTICS), len(NAMES)))
        grey[..., 0] += 60 * metal
        images.append(picture(files["compimage"], mat_id, arrange(grey, "fixed")[0]))
        drawn = np.full((64, 64), 255.0)
        drawn[16 : int(16 + 40 * (length - 4.3) / 2)] = 0
        more = {"view": "a", "n_bonds": 0, "bonding_failure": None}
        pictures.append(picture(files["image"], mat_id, drawn, **more))
    write_table(files["compimage"], images, COMPOSITION_IMAGES)
    write_table(files["image"], pictures, PICTURES)
    write_table(files["graphs"], [graph.row() for graph in graphs], GRAPHS)
    vectors = [{"mat_id": mat_id, "embedding": random.random(EMBEDDING_SIZE)} for mat_id in crystals]
    write_table(files["graph"], vectors, EMBEDDINGS)
    rows = [
        {
            "mat_id": mat_id,
            "formula": mat_id.split("-")[0],
            "gap": float(metal),
            "kind": "long" if length > 5.3 else "short",
        }
        for mat_id, (metal, length) in crystals.items()
    ]
    pd.DataFrame(rows).to_parquet(files["sample"])
    parts = [
        {"mat_id": mat_id, "group": mat_id, "part": TEST if number % 3 == 0 else TRAIN}
        for number, mat_id in enumerate(sorted(crystals))
    ]
    write_table(files["split"], parts, SPLIT)
    for name in ("foundation", "permuted"):
        files[name] = folder / name
        pretrain_engine.main(
            *(files[each] for each in ("sample", "split")),
            [files[each] for each in FACETS],
            files[name],
            facets=FACETS,
            engine="joint",
            settings=SETTINGS,
            repeat=0,
            seed=0,
            objectives=OBJECTIVES,
            graphs=[files["graphs"]],
            permuted=name == "permuted",
        )
    return files


def explained(files: dict[str, Path], to: Path, **changes) -> Path:
    files = {**files, **changes}
    explain_predictions.main(
        files["sample"],
        files["split"],
        [files[each] for each in FACETS],
        files["foundation"],
        files["permuted"],
        to,
        place=PLACE,
        facets=FACETS,
        engine="joint",
        settings=SETTINGS,
        objectives=OBJECTIVES,
        layout="fixed",
        materials=N,
        maps=2,
        seed=0,
        graphs=[files["graphs"]],
    )
    return to


@pytest.fixture(scope="module")
def folder(files, tmp_path_factory) -> Path:
    return explained(files, tmp_path_factory.mktemp("made") / "explanation")


def test_each_facet_is_explained_for_each_objective(folder):
    checks = read_table(folder / CHECKS_FILE, CHECKS)
    assert set(checks["facet"]) == set(FACETS)
    assert set(checks["objective"]) == {"gap", "kind"}
    assert set(checks["kind"]) == {"regions", "atoms", "properties"}
    assert (checks["n_materials"] == N).all()
    assert set(checks.groupby(["facet", "objective"]).size().to_dict().values()) == {4, 5}
    assert checks.loc[checks["check"] == SKILL, "passed"].all()
    curves = read_table(folder / CURVES_FILE, CURVES)
    assert len(curves) == 3 * 2 * 2 * 9


def test_what_tells_the_answer_is_important(folder):
    checks = read_table(folder / CHECKS_FILE, CHECKS)
    passed = checks[(checks["facet"] == "compimage") & (checks["objective"] == "gap")].set_index("check")
    assert passed["passed"][["completeness", "deletion"]].all()
    table = read_table(folder / IMPORTANCES_FILE, IMPORTANCES)
    own = table[(table["division"] == "property") & (table["objective"] == "gap")]
    assert own.sort_values("importance")["name"].iloc[-1] == NAMES[0]
    assert own["importance"].max() > 3 * own["importance"].nlargest(2).iloc[1]
    of_elements = table[(table["division"] == "element") & (table["objective"] == "gap")]
    assert set(of_elements["name"]) == {*METALS, *NON_METALS}
    atoms = read_table(folder / ATOMS_FILE, ATOMS)
    assert len(atoms) == N * 2 * 2
    metal = atoms[(atoms["element"] == "Rb") & (atoms["objective"] == "gap")]["contribution"]
    (mean,) = of_elements.loc[of_elements["name"] == "Rb", "contribution"]
    assert metal.mean() == pytest.approx(mean)


def test_maps_are_drawn_over_pictures(folder):
    maps = sorted(path.name for path in (folder / MAPS_FOLDER).iterdir())
    assert len(maps) == 2 * 2
    assert maps[0].startswith("image gap ")
    with Image.open(folder / MAPS_FOLDER / maps[0]) as image:
        colours = np.asarray(image.convert("RGB")).reshape(-1, 3)
    assert (colours.max(axis=1) - colours.min(axis=1)).max() > 50


def test_the_same_files_come_again(files, folder, tmp_path):
    again = explained(files, tmp_path / "again")
    for path in (each for each in folder.rglob("*") if each.is_file()):
        assert (again / path.relative_to(folder)).read_bytes() == path.read_bytes(), path.name


def test_foundations_that_could_not_be_made(files, tmp_path):
    failed = tmp_path / "failed"
    failed.mkdir()
    (failed / FAILURE_FILE).write_text("too few rows")
    nothing = explained(files, tmp_path / "nothing", foundation=failed)
    assert read_table(nothing / CHECKS_FILE, CHECKS).empty
    without = read_table(explained(files, tmp_path / "without", permuted=failed) / CHECKS_FILE, CHECKS)
    assert not without.loc[without["check"] == VALUES, "passed"].any()
    (section,) = explanations([nothing], Shown())
    assert "No foundation" in section.parts[0].text


def test_a_missing_package_is_named(files, tmp_path, monkeypatch):
    monkeypatch.setattr(explain_predictions, "CAPTUM", OptionalPackage("captum", "99"))
    with pytest.raises(UserError, match=r"(?s)explanations: .*pip install captum==99"):
        explained(files, tmp_path / "never")


class Shown:
    """Stands for the results of the run: what the section looks up."""

    cells = pd.DataFrame([cell_row("text+image+graph+compimage", method="joint")])

    def labels(self, source):
        return {"gap": "Band <gap>", "kind": "Kind"}

    def units(self, source):
        return MappingProxyType({"gap": "eV", "kind": ""})

    def with_unit(self, source, objective):
        return {"gap": "Band <gap> (eV)", "kind": "Kind"}[objective]


def page(folder: Path, to: Path, **passed: bool) -> ReportPage:
    """Render the section as if all checks of these facets had passed or failed."""
    to.mkdir()
    for path in folder.iterdir():
        (to / path.name).symlink_to(path)
    checks = read_table(folder / CHECKS_FILE, CHECKS)
    checks["passed"] = [
        passed[facet] or check != "deletion"
        for facet, check in zip(checks["facet"], checks["check"], strict=True)
    ]
    (to / CHECKS_FILE).unlink()
    write_table(to / CHECKS_FILE, checks, CHECKS)
    return ReportPage(render("explained", explanations([to], Shown())))


def test_the_report_shows_what_passes_and_says_what_does_not(folder, tmp_path):
    shown = page(folder, tmp_path / "shown", image=True, graph=True, compimage=False)
    assert not shown.unclosed
    said = shown.sections["explanations"]
    assert "composition image, Band <gap>: hiding in the order of the contributions is not clearly" in said
    assert "Not explained, as the network reads no picture or graph of them: text" in said
    assert "deletion" in shown.rows("explanations-crystals-random-joint")[0]
    names = set(shown.figures)
    begin = "explanation-crystals-random-joint"
    assert {f"{begin}-image-gap-deletion", f"{begin}-graph-kind-element"} <= names
    assert not any("compimage" in name for name in (*names, *shown.tables))
    assert f"{begin}-graph-gap-elements" in shown.tables
    assert f"{begin}-image-kind-maps" in shown.tables
    assert [name for name, _ in shown.tags].count("img") == 2 * 2


def test_nothing_is_shown_if_nothing_passes(folder, tmp_path):
    none = page(folder, tmp_path / "none", image=False, graph=False, compimage=False)
    assert list(none.tables) == ["explanations-crystals-random-joint"]
    assert not none.figures
    assert "img" not in dict(none.tags)
    assert explanations([], Shown()) == []
