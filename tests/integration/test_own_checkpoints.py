"""Encoders of one's own: from a local folder or the hub, for the text cells of a whole grid."""

import json
import os
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hub_server import REVISION, serve_hub
from PIL import Image
from project import PROJECT
from workflow_copy import snakemake

from make_local_encoders import main as make_local_encoders
from polyfacet.facets.declaration import Facet
from polyfacet.facets.registry import FACETS, IMAGE, TEXT, all_combinations, facets_of
from polyfacet.materials import crystal_objectives
from polyfacet.runtime.errors import UserError
from polyfacet.runtime.files import sha256_of_folder
from polyfacet.training.encoders.own_checkpoints import folder_state, local_folder
from polyfacet.training.engines.automm.engine import AutoMM
from polyfacet.training.engines.automm.hyperparameters import AutoMMSettings, hyperparameters_of
from polyfacet.training.engines.base import Resources

GAP = crystal_objectives.GAP.objective
CHECKPOINT_NAME = "model.hf_text.checkpoint_name"


@pytest.fixture(scope="module")
def encoders(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Tiny local encoders; the text encoder doubles as a checkpoint of one's own."""
    folder = tmp_path_factory.mktemp("encoders") / "local"
    image = {"architecture": "edgenext_xx_small", "size_px": 32}
    make_local_encoders(
        folder,
        seed=0,
        text={"hidden_size": 16, "n_layers": 1, "n_heads": 2},
        image=image,
        compimage=image,
    )
    shutil.copytree(folder / "text", folder.parent / "matbert")
    return folder


@pytest.fixture(scope="module")
def matbert(encoders: Path) -> Path:
    return encoders.parent / "matbert"


@pytest.fixture
def frame(tmp_path: Path) -> pd.DataFrame:
    generator = np.random.default_rng(1)
    rows = []
    for i in range(20):
        paths = {name: str(tmp_path / f"{name}_{i:02d}.png") for name in ("image", "compimage")}
        for path in paths.values():
            Image.fromarray(generator.integers(0, 256, (24, 21, 3), dtype=np.uint8)).save(path)
        embedding = generator.normal(size=4)
        rows.append({"mat_id": f"m{i}", "text": f"Na {i} Cl 2", "gap": float(i), "graph": embedding, **paths})
    return pd.DataFrame(rows)


@pytest.mark.parametrize("way", ["checkpoints", "hyperparameters", "nested"])
@pytest.mark.parametrize("combination", ["text", "image", "graph", "text+image+graph"])
def test_a_text_encoder_of_ones_own_serves_a_whole_grid(
    frame: pd.DataFrame, encoders: Path, matbert: Path, tmp_path: Path, way: str, combination: str
) -> None:
    given: dict[str, Any] = {
        "checkpoints": {},
        "hyperparameters": {CHECKPOINT_NAME: str(matbert)},
        "nested": {"model": {"hf_text": {"checkpoint_name": str(matbert)}}},
    }[way]
    settings = AutoMMSettings(max_epochs=1, batch_size=8, hyperparameters=given)
    named = {"text": str(matbert)} if way == "checkpoints" else {}
    engine = AutoMM(settings, Resources(1, encoders=encoders, checkpoints=named), "automm")
    facets = facets_of(combination)
    engine.fit(frame[:12], frame[12:16], facets, GAP)
    assert engine.predict(frame).shape == (len(frame),)
    digests = engine.encoder_identities()
    if TEXT in facets:
        assert digests["text"] == f"matbert sha256:{sha256_of_folder(matbert)}"
        assert engine._hyperparameters[CHECKPOINT_NAME] == str(matbert)
    if IMAGE in facets:
        assert digests["image"] == sha256_of_folder(encoders / "image")


def test_picture_encoders_of_ones_own_serve_their_facets(
    frame: pd.DataFrame, encoders: Path, tmp_path: Path
) -> None:
    own = {
        name: shutil.copytree(encoders / name, tmp_path / f"own_{name}") for name in ("image", "compimage")
    }
    named = {name: str(folder) for name, folder in own.items()}
    settings = AutoMMSettings(max_epochs=1, batch_size=8)
    engine = AutoMM(settings, Resources(1, encoders=encoders, checkpoints=named), "automm")
    engine.fit(frame[:12], frame[12:16], facets_of("text+image+compimage"), GAP)
    assert engine.predict(frame).shape == (len(frame),)
    digests = engine.encoder_identities()
    assert digests["text"] == sha256_of_folder(encoders / "text")
    for name, folder in own.items():
        assert digests[name] == f"own_{name} sha256:{sha256_of_folder(folder)}"


def test_overrides_reach_the_cells_that_they_concern() -> None:
    given = {"model.fusion_mlp.dropout": 0.3, "optim.weight_decay": 0.1, "optim": {"patience": 7}}
    for combination in all_combinations(tuple(FACETS.all().values())):
        facets = facets_of(combination)
        told = hyperparameters_of(facets, AutoMMSettings(hyperparameters=given), None)
        assert (told["optim.weight_decay"], told["optim.patience"]) == (0.1, 7)
        # All facets that are numbers share a model.
        models = {facet if facet.kind != "vector" else "numbers" for facet in facets}
        assert ("model.fusion_mlp.dropout" in told) == (len(models) > 1)


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"model.hf_txt.checkpoint_name": "x"}, "hf_txt.*no combination.*hf_text"),
        ({"model.timm_image.checkpoint_name": "x"}, "timm_image_structure.*timm_image_composition"),
        ({"model.ft_transformer.dropout": 1}, "no combination.*numerical_mlp"),
        ({"model.hf_text.chekpoint_name": "x"}, "did you mean model.hf_text.checkpoint_name"),
        ({"optim.learning_rte": 1}, "no setting optim.learning_rte"),
        ({"model.names": ["hf_text"]}, "Remove model.names"),
        ({"optim.top_k_average_method": "worst"}, "greedy_soup, best, uniform_soup"),
        ({"nonsense": 1}, "no setting nonsense"),
        ({"optim": 3}, "optim is 3, not a section"),
    ],
)
@pytest.mark.parametrize("combination", ["text", "graph", "image+compimage"])
def test_an_override_without_effect_raises_user_error(given, message: str, combination: str) -> None:
    with pytest.raises(UserError, match=message):
        hyperparameters_of(facets_of(combination), AutoMMSettings(hyperparameters=given), None)


@pytest.mark.parametrize(
    ("facet", "missing"),
    [
        (TEXT, "config.json"),
        (TEXT, "model.safetensors"),
        (TEXT, "tokenizer.json"),
        (IMAGE, "config.json"),
        (IMAGE, "pytorch_model.bin"),
    ],
)
def test_a_folder_that_is_not_a_checkpoint_is_named(
    encoders: Path, tmp_path: Path, facet: Facet, missing: str
) -> None:
    folder = shutil.copytree(encoders / facet.name, tmp_path / "half")
    (folder / missing).unlink()
    with pytest.raises(UserError, match=f"half.*{facet.name}.*{missing}"):
        local_folder(facet, str(folder))


@pytest.mark.parametrize(
    "path", ["/nowhere/matbert", "./matbert", "~/no/matbert", "models/lab/matbert", " lab/matbert", "lab/"]
)
def test_a_path_that_is_not_there_is_no_repository(path: str) -> None:
    with pytest.raises(UserError, match="neither an existing folder nor a repository of the hub"):
        local_folder(TEXT, path)


def test_a_repository_of_the_hub_is_fetched_whatever_the_other_facets_take(
    matbert: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from fetch_hub_encoders import main as fetch_hub_encoders

    files = {path.name: path.read_bytes() for path in matbert.iterdir()}
    arguments: dict[str, Any] = {"cache": tmp_path / "hub", "combinations": ["text+image", "image"]}
    with serve_hub(monkeypatch, {"lab/matbert": files}):
        for number, way in enumerate(
            (
                {"settings": {}, "checkpoints": {"text": "lab/matbert", "image": None}},
                {"settings": {"hyperparameters": {CHECKPOINT_NAME: "lab/matbert"}}},
            )
        ):
            record = tmp_path / f"{number}.json"
            fetch_hub_encoders(record, **arguments, **way, own_only=True)
            (encoder,) = json.loads(record.read_text())["encoders"]
            assert (encoder["facet"], encoder["repository"], encoder["revision"]) == (
                "text",
                "lab/matbert",
                REVISION,
            )
    fetch_hub_encoders(
        tmp_path / "local.json", **arguments, settings={}, checkpoints={"text": str(matbert)}, own_only=True
    )
    assert json.loads((tmp_path / "local.json").read_text())["encoders"] == []


def test_a_changed_folder_is_another_state(matbert: Path, tmp_path: Path) -> None:
    folder = shutil.copytree(matbert, tmp_path / "copy")
    before = folder_state(folder)
    assert folder_state(folder) == before
    status = (folder / "config.json").stat()
    os.utime(folder / "config.json", ns=(status.st_atime_ns, status.st_mtime_ns - 10**9))
    older = folder_state(folder)
    (folder / "added.txt").write_text("x")
    added = folder_state(folder)
    os.utime(folder / "added.txt", ns=(1, 1))
    dated = folder_state(folder)
    (folder / "added.txt").write_text("y")
    os.utime(folder / "added.txt", ns=(1, 1))
    states = (before, older, added, dated, folder_state(folder))
    assert len({str(state) for state in states}) == 5


def test_a_link_that_leads_back_ends_the_walk(matbert: Path, tmp_path: Path) -> None:
    folder = shutil.copytree(matbert, tmp_path / "copy")
    before = folder_state(folder)
    (folder / "again").symlink_to(folder, target_is_directory=True)
    assert folder_state(folder) == before


def planned(config: dict[str, Any], folder: Path) -> str:
    """Plan a run on the embedded entries."""
    path = folder / "config.json"
    path.write_text(json.dumps(config))
    given = ("--configfile", str(path), "--directory", str(folder))
    return snakemake(
        ["--dry-run", "--cores", "1", "--snakefile", str(PROJECT / "Snakefile"), *given], PROJECT
    )[1]


def test_a_run_fetches_what_the_configuration_names(tmp_path: Path) -> None:
    shutil.copytree(PROJECT / "embedded", tmp_path / "embedded")
    shutil.copytree(PROJECT / "config", tmp_path / "config")
    common = {"run_name": "own", "combinations": ["text", "image"], "objectives": ["gap"]}
    hub = planned({**common, "encoders": {"checkpoints": {"text": "lab/matbert"}}}, tmp_path)
    assert "fetch_hub_encoders" in hub
    assert "make_local_encoders" in hub
    wrong = planned({**common, "encoders": {"checkpoints": {"text": "/nowhere"}}}, tmp_path)
    assert "'/nowhere' of the text encoder is neither an existing folder" in wrong
