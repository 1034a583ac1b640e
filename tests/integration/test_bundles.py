"""Bundles: they can be moved, and predict what the run has predicted, with every engine."""

import json
import os
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from bundled_predictions import assert_same_bits, assert_within_tolerance, stored_of_model
from project import PROJECT
from small_run import FACETS, OF_SHARD, SmallRun, small_run

import describe_structures
import make_facet
from polyfacet.facets.registry import COMPIMAGE, GRAPH, TEXT, facet_named
from polyfacet.materials.crystal_objectives import E_FORM
from polyfacet.runtime import plugins
from polyfacet.runtime.errors import UserError
from polyfacet.training.bundles.description import NETWORK as GRAPH_NETWORK
from polyfacet.training.bundles.description import digest_of
from polyfacet.use import command
from polyfacet.use.prediction import facets
from polyfacet.use.prediction.bundle import Bundle

N = 60
CIF_TEXT = TEXT.variant("cif")
# Text form, statistics as features, several models, an ensemble with members of two engines, a baseline.
ENGINES: dict[str, tuple[str, dict[str, Any], tuple]] = {
    "mean": ("dummy", {"statistic": "mean"}, ()),
    "svm": ("classical", {"model": "svm"}, (GRAPH,)),
    "forest": ("classical", {"model": "forest", "hyperparameters": {"n_estimators": 20}}, (GRAPH, COMPIMAGE)),
    "ridge": ("classical", {"model": "ridge", "features": "expanded_pca"}, (COMPIMAGE,)),
    "sgd": ("classical", {"model": "sgd"}, (COMPIMAGE,)),
    "tree": ("classical", {"model": "tree", "features": "expanded"}, (GRAPH,)),
    "xgboost": ("classical", {"model": "xgboost", "hyperparameters": {"n_estimators": 20}}, (GRAPH,)),
    "extra_trees": (
        "classical",
        {"model": "extra_trees", "hyperparameters": {"n_estimators": 20}},
        (GRAPH,),
    ),
    "mcvn": ("mcvn", {"max_epochs": 3}, (GRAPH, COMPIMAGE)),
    "ensemble": (
        "ensemble",
        {
            "members": [
                {"engine": "classical", "settings": {"model": "ridge"}},
                {"engine": "mcvn", "settings": {"max_epochs": 2}},
            ]
        },
        (GRAPH, COMPIMAGE),
    ),
    # Frozen encodings: of a text of the formula, of a text of the structure, shared by two cells.
    "of_fractions": ("classical", {"model": "ridge"}, (TEXT, GRAPH, COMPIMAGE)),
    "of_words": ("classical", {"model": "extra_trees", "hyperparameters": {"n_estimators": 20}}, (CIF_TEXT,)),
    "of_words_and_graphs": (
        "ensemble",
        {
            "members": [
                {"engine": "classical", "settings": {"model": "ridge"}},
                {"engine": "mcvn", "settings": {"max_epochs": 2}},
            ]
        },
        (CIF_TEXT, GRAPH),
    ),
}


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> SmallRun:
    made = small_run(tmp_path_factory.mktemp("run"), N)
    describe_structures.main(
        made.file("structures"),
        made.file("structures.parquet"),
        made.file(f"{CIF_TEXT.name}.parquet"),
        made.file("cif.rejected"),
        provenance=made.file("cif.json"),
        form="cif",
        max_rejected_fraction=1.0,
    )
    return made


@pytest.fixture(scope="module")
def bundles(run: SmallRun) -> Path:
    """Return the bundles of all engines, moved to another folder."""
    cells = [run.train(name, *each, E_FORM.objective) for name, each in ENGINES.items()]
    made = run.bundle(cells, run.file("bundles"), (CIF_TEXT, *FACETS))
    return made.rename(run.file("moved"))


def folder_of(bundles: Path, method: str) -> Path:
    (folder,) = (bundles / method).glob("*/*")
    return folder


def cell_of(run: SmallRun, method: str) -> Path:
    (folder,) = run.file("cells").glob(f"{method}/*/*")
    return folder


def stored(run: SmallRun, method: str) -> pd.DataFrame:
    return pd.read_parquet(cell_of(run, method) / "predictions.parquet").set_index("mat_id")


def materials_of(run: SmallRun, method: str) -> pd.DataFrame:
    """Return all materials of a cell as new ones: rounding depends on how many are predicted together."""
    materials = run.as_new()
    return materials[materials["mat_id"].isin(stored(run, method).index)]


@pytest.mark.parametrize("method", ENGINES)
def test_the_same_rows_together_are_predicted_bit_for_bit(run: SmallRun, bundles: Path, method: str) -> None:
    found = Bundle.open(folder_of(bundles, method)).predict_materials(materials_of(run, method))
    assert_same_bits(found.predictions, stored_of_model(cell_of(run, method)))


@pytest.mark.parametrize("method", ENGINES)
def test_predictions_for_the_files_of_a_runs_materials_are_those_of_the_run(
    run: SmallRun, bundles: Path, method: str
) -> None:
    found = Bundle.open(folder_of(bundles, method)).predict(run.file("structures"))
    assert found.left_out.empty
    assert_within_tolerance(found.predictions, stored_of_model(cell_of(run, method)))


@pytest.fixture(scope="module")
def forest(bundles: Path) -> Bundle:
    return Bundle.open(folder_of(bundles, "forest"))


@pytest.fixture(scope="module")
def predicted(run: SmallRun, forest: Bundle) -> pd.DataFrame:
    return forest.predict_materials(run.as_new()).predictions


def test_the_table_has_all_columns_with_meanings_and_units(forest: Bundle, predicted: pd.DataFrame) -> None:
    assert list(predicted) == [
        *("mat_id", "stated_id", "source_file", "position", "formula"),
        *("prediction", "lower", "upper", "unit"),
        *("distance", "unlike", "nearest", "facets"),
    ]
    assert forest.schema.field("prediction").metadata == {b"meaning": b"predicted e_form", b"unit": b"eV"}
    assert set(predicted["facets"]) == {"graph+compimage"}
    assert set(predicted["unit"]) == {"eV"}


def test_the_interval_is_that_of_the_test_rows(run: SmallRun, predicted: pd.DataFrame) -> None:
    rows = stored(run, "forest")
    test = rows[rows["part"] == "test"]
    errors = np.sort(np.abs(test["y_true"] - test["y_pred"]))[::-1]
    expected = errors[int((1 - 0.9) * (len(test) + 1)) - 1]
    np.testing.assert_allclose(predicted["upper"] - predicted["prediction"], expected)
    np.testing.assert_allclose(predicted["prediction"] - predicted["lower"], expected)


def test_training_materials_are_nearest_to_themselves_and_others_are_compared(
    run: SmallRun, predicted: pd.DataFrame
) -> None:
    parts = stored(run, "forest")["part"][predicted["mat_id"]].to_numpy()
    # The forest is trained on validation rows, too.
    trained_on = predicted[parts != "test"]
    assert (trained_on["nearest"] == trained_on["mat_id"]).all()
    assert (trained_on["distance"] < 1e-6).all()
    assert not trained_on["unlike"].any()
    assert (predicted[parts == "test"]["distance"] > 0).all()


def test_predictions_do_not_depend_on_the_number_of_processes(
    run: SmallRun, bundles: Path, predicted: pd.DataFrame
) -> None:
    materials = run.as_new()
    assert len(materials) > facets.CHUNK
    found = Bundle.open(folder_of(bundles, "forest"), threads=2).predict_materials(materials)
    pd.testing.assert_frame_equal(found.predictions, predicted, check_exact=True)


def _end(*_: Any, **__: Any) -> None:
    os._exit(9)


def test_a_process_that_is_killed_is_explained(
    run: SmallRun, bundles: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(facets, "_made_of_part", _end)
    with pytest.raises(UserError, match="was killed, probably because memory ran out"):
        Bundle.open(folder_of(bundles, "forest"), threads=2).predict_materials(run.as_new())


def test_a_fitted_network_is_shared_by_its_digest(bundles: Path) -> None:
    networks = fitted_files(bundles, GRAPH_NETWORK)
    assert len({path.stat().st_ino for path in networks}) == len({path.name for path in networks}) == 1


def test_encoders_are_bundled_where_they_are_needed_and_shared(bundles: Path) -> None:
    of_words = fitted_files(bundles, "encoder_text:cif")
    assert len(of_words) == 2
    assert len({path.stat().st_ino for path in of_words}) == 1
    assert [path.parents[2].name for path in fitted_files(bundles, "encoder_text")] == [
        "text+graph+compimage"
    ]


def fitted_files(bundles: Path, name: str) -> list[Path]:
    """Return a fitted file of all bundles that have it."""
    descriptions = {path.parent: json.loads(path.read_text()) for path in bundles.rglob("bundle.json")}
    return [folder / each["fitted"][name] for folder, each in descriptions.items() if name in each["fitted"]]


def test_a_bundle_holds_no_pickles_and_no_paths(bundles: Path, run: SmallRun) -> None:
    known = {".json", ".parquet", ".safetensors", ".skops", ".md"}
    files = [path for path in bundles.rglob("*") if path.is_file()]
    assert {path.suffix for path in files} <= known
    texts = [path.read_text() for path in files if path.suffix in (".json", ".md")]
    assert not [text for text in texts if str(run.folder) in text or str(PROJECT) in text]


def test_the_model_card_says_what_matters(bundles: Path) -> None:
    card = (folder_of(bundles, "forest") / "README.md").read_text()
    for text in (
        "## Data and split",
        "| files of the source | entries.json.bz2 |",
        "## Metrics",
        "MAE (eV)",
        " to ",
        "## Limits",
        "unlike the training set",
    ):
        assert text in card


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (lambda folder: (folder / "model" / "answer.json").write_text("1e9"), "answer.json has changed"),
        (lambda folder: (folder / "calibration.parquet").unlink(), "calibration.parquet is missing"),
        (lambda folder: (folder / "bundle.json").write_text("{"), "is not a bundle"),
        (lambda folder: _edit(folder, version=99), "has version 99"),
        (lambda folder: _edit(folder, objective=None), "is damaged"),
        (
            lambda folder: _edit(
                folder,
                plugins=[{"kind": "engine", "name": "own", "plugin": "own.py", "package": None, "code": "0"}],
            ),
            "--plugins own.py",
        ),
    ],
)
def test_a_bundle_that_cannot_be_used_is_refused(bundles: Path, tmp_path: Path, damage, message: str) -> None:
    copy = Path(shutil.copytree(folder_of(bundles, "mean"), tmp_path / "copy"))
    damage(copy)
    with pytest.raises(UserError, match=message):
        Bundle.open(copy)


def _edit(folder: Path, **changes: Any) -> None:
    content = {**json.loads((folder / "bundle.json").read_text()), **changes}
    del content["digest"]
    (folder / "bundle.json").write_text(json.dumps({**content, "digest": digest_of(content)}))


def test_formulas_are_predicted_without_structures(run: SmallRun, bundles: Path, tmp_path: Path) -> None:
    table = tmp_path / "new alloys.csv"
    table.write_text("formula,comment\nFe4O6,a\nO3 Fe2,b\nXy2,c\nNpO2,d\n")
    found = Bundle.open(folder_of(bundles, "ridge")).predict({"path": str(table)})
    assert list(found.predictions["formula"]) == ["Fe2O3", "Fe2O3", "NpO2"]
    assert found.predictions["prediction"].iloc[0] == found.predictions["prediction"].iloc[1]
    (reject,) = found.left_out.to_dict("records")
    assert (reject["mat_id"], reject["position"]) == ("new_alloys-0003", 4)
    assert "Xy" in reject["reason"]
    with pytest.raises(UserError, match="needs structures"):
        Bundle.open(folder_of(bundles, "svm")).predict(table)


def test_the_command_writes_predictions_and_rejects(
    run: SmallRun, bundles: Path, tmp_path: Path, capsys: pytest.CaptureFixture
) -> None:
    for path in sorted(run.file("structures").iterdir())[:3]:
        shutil.copy(path, tmp_path)
    (tmp_path / "empty.cif").write_text("")
    output = tmp_path / "found.csv"
    arguments = [str(folder_of(bundles, "svm")), str(tmp_path), "--output", str(output), "--threads", "2"]
    assert command.main(["predict", *arguments]) == 0
    found = pd.read_csv(output)
    assert len(found) == 3
    assert found["prediction"].notna().all()
    rejected = pd.read_csv(f"{output}.rejected.csv")
    assert list(rejected["mat_id"]) == ["empty"]
    shown = capsys.readouterr().err
    assert "3 predicted" in shown
    assert "1 left out" in shown
    assert str(output) in shown


def test_the_command_takes_mappings(
    run: SmallRun, bundles: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    cifs = sorted(run.file("structures").glob("*.cif"))[:3]
    texts = [path.read_text() for path in cifs]
    pd.DataFrame({"who": ["x", "y", "z"], "cif": "", "relaxed": texts}).to_csv("c.csv", index=False)
    folder = str(folder_of(bundles, "svm"))
    given = "{path: c.csv, structure: relaxed, id: who}"
    assert command.main(["predict", folder, given, "--output", "of_rows.csv"]) == 0
    assert command.main(["predict", folder, *map(str, cifs), "--output", "of_files.csv"]) == 0
    of_rows, of_files = pd.read_csv("of_rows.csv"), pd.read_csv("of_files.csv")
    assert list(of_rows["mat_id"]) == ["x", "y", "z"]
    np.testing.assert_allclose(of_rows["prediction"], of_files["prediction"])
    # A path that only looks like a mapping, and texts that YAML would read as truth values.
    shutil.copy(cifs[0], "{a: b}.cif")
    assert command.main(["predict", folder, "{a: b}.cif", "--output", "of_name.csv"]) == 0
    named = "{path: '{a: b}.cif', format: files, properties: false}"
    assert command.main(["predict", folder, named, "--output", "of_name.csv"]) == 0
    assert len(pd.read_csv("of_name.csv")) == 1


def test_the_help_lists_every_kind_of_input(capsys: pytest.CaptureFixture) -> None:
    with pytest.raises(SystemExit):
        command.main(["predict", "--help"])
    said = capsys.readouterr().out
    kinds = ("CIF", "POSCAR", "folder", "Parquet", "matbench", "extended XYZ", "Alexandria", "`formula`")
    for kind in (*kinds, "'{path: crystals.csv, id: name, structure: cif}'"):
        assert kind in said


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (
            ["BUNDLE", "{path:", "c.csv}", "--output", "a.csv"],
            "neither a file nor a mapping. Quote",
        ),
        (["BUNDLE", "{path:c.csv}", "--output", "a.csv"], "put a space after each colon"),
        (["BUNDLE", "{id: name}", "--output", "a.csv"], "path is missing"),
        (["BUNDLE", "{path: c.csv, colour: red}", "--output", "a.csv"], "unknown key colour"),
        (["BUNDLE", "{path: gone.csv, id: name}", "--output", "a.csv"], "gone.csv does not exist"),
        (["BUNDLE", "{path: a.csv, id: name}", "--output", "a.csv"], "is one of the inputs"),
        (["gone", "new", "--output", "a.csv"], "gone is not a bundle"),
        (["BUNDLE", "gone.cif", "--output", "a.csv"], "gone.cif does not exist"),
        (["BUNDLE", "new", "--output", "a.xlsx"], "must end in .csv or .parquet"),
        (["BUNDLE", "new", "--output", "gone/a.csv"], "does not exist. Create it"),
    ],
)
def test_the_command_explains_what_is_wrong(
    bundles: Path, tmp_path: Path, monkeypatch, capsys: pytest.CaptureFixture, arguments, message: str
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "a.csv").write_text("name,formula\nx,NaCl\n")
    given = [str(folder_of(bundles, "mean")) if each == "BUNDLE" else each for each in arguments]
    with pytest.raises(SystemExit):
        command.main(["predict", *given])
    assert message in capsys.readouterr().err


PLUGINS = [
    str(PROJECT / "tests" / name)
    for name in ("extension/facet.py", "nearest_engine.py", "picture_facet.py", "note_facet.py")
]


@pytest.fixture(scope="module")
def of_plugins(run: SmallRun) -> Path:
    """Return the bundles of an engine and a facet of plug-ins, which are forgotten afterwards."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(plugins, "_of_run", {})
        plugins.use_plugins(PLUGINS)
        packing, lattice, note = (facet_named(name) for name in ("packing", "lattice", "note"))
        for facet in (packing, lattice, note):
            make_facet.main(
                run.file(f"{facet.name}.parquet"),
                run.file(f"{facet.name}.rejected"),
                provenance=run.file(f"{facet.name}.json"),
                facet=facet.name,
                structures=run.file("structures"),
                materials=run.file("structures.parquet"),
                pictures=run.file(facet.name) if facet.kind == "image" else None,
                **OF_SHARD,
            )
        cells = [
            run.train("pictured", "classical", {"model": "ridge"}, (lattice,), E_FORM.objective),
            run.train("noted", "classical", {"model": "ridge"}, (note, lattice), E_FORM.objective),
            run.train("nearest", "nearest", {}, (GRAPH,), E_FORM.objective),
            run.train("packed", "classical", {"model": "ridge"}, (packing,), E_FORM.objective),
        ]
        return run.bundle(cells, run.file("of_plugins"), (GRAPH, packing, lattice, note))


@pytest.mark.parametrize("method", ["nearest", "packed", "pictured", "noted"])
def test_plug_ins_are_named_and_have_to_be_given(
    run: SmallRun, of_plugins: Path, monkeypatch: pytest.MonkeyPatch, method: str
) -> None:
    monkeypatch.setattr(plugins, "_of_run", {})
    folder = folder_of(of_plugins, method)
    with pytest.raises(UserError, match=r"A bundle holds no code.*--plugins .*\.py"):
        Bundle.open(folder)
    found = Bundle.open(folder, plugins=PLUGINS).predict_materials(materials_of(run, method))
    assert_same_bits(found.predictions, stored_of_model(cell_of(run, method)))


def test_another_version_of_a_plug_in_is_refused(
    of_plugins: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(plugins, "_of_run", {})
    changed = tmp_path / "facet.py"
    changed.write_text(Path(PLUGINS[0]).read_text().replace("4 / 3 * np.pi", "4.2"))
    with pytest.raises(UserError, match="another version of the facet 'packing'"):
        Bundle.open(folder_of(of_plugins, "packed"), plugins=[changed])
