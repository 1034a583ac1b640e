"""TabICL: untrained checkpoints are read, methods without one are skipped, and nothing is downloaded."""

import json
import pickle
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch
from synthetic_cells import PHASE, STRENGTH, synthetic_cells
from tabicl_checkpoints import write_checkpoint

from polyfacet.config.completion import complete_config
from polyfacet.facets.registry import GRAPH, TEXT
from polyfacet.reporting.page.notes import skipped_note
from polyfacet.runtime import optional_packages
from polyfacet.runtime.errors import UserError
from polyfacet.training.engines.base import Engine, EngineError, Resources
from polyfacet.training.engines.contract import check_engine
from polyfacet.training.engines.creation import create, engine_class, load
from polyfacet.training.engines.registry import ENGINES
from polyfacet.training.feasibility import check_feasible
from polyfacet.training.methods import checked_methods, planned_methods

DECLARED = ENGINES.get("tabicl")
needs_tabicl = pytest.mark.skipif(bool(DECLARED.package.fault()), reason="tabicl is not installed")
FACETS = (GRAPH,)


@pytest.fixture(scope="module")
def checkpoints(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    folder = tmp_path_factory.mktemp("checkpoints")
    return {
        "checkpoint": write_checkpoint(folder / "numbers.ckpt"),
        "class_checkpoint": write_checkpoint(folder / "classes.ckpt", of_classes=True),
        "n_estimators": 2,
    }


def founded(settings: Mapping[str, Any], folder: Path) -> Resources:
    """Return resources with the foundation of these settings."""
    folder.mkdir()
    checked, resources = DECLARED.settings(**settings), Resources(seed=1)
    engine_class("tabicl").pretrain(checked, pd.DataFrame(), FACETS, (), folder, resources)
    return Resources(seed=1, foundation=folder)


def fitted(settings: Mapping[str, Any], folder: Path, objective=STRENGTH, n: int = 40) -> Engine:
    rows = synthetic_cells(n)
    engine = create("tabicl", settings, founded(settings, folder))
    engine.fit(rows[:25], rows[25:30], FACETS, objective)
    return engine


@needs_tabicl
def test_it_keeps_the_contract_of_engines(checkpoints, tmp_path) -> None:
    check_engine("tabicl", checkpoints, synthetic_cells(40), FACETS, (STRENGTH, PHASE), tmp_path)


@needs_tabicl
def test_a_model_has_weights_and_context_without_any_pickle(checkpoints, tmp_path) -> None:
    engine = fitted(checkpoints, tmp_path / "foundation")
    engine.save(tmp_path / "model")
    names = {path.name for path in (tmp_path / "model").iterdir()}
    assert names == {"engine.json", "weights.safetensors", "context.safetensors", "tabicl.json"}
    linked = tmp_path / "model" / "weights.safetensors"
    assert linked.samefile(tmp_path / "foundation" / "numbers.safetensors")
    rows = synthetic_cells(40)
    assert load(tmp_path / "model").predict(rows).tolist() == engine.predict(rows).tolist()
    assert engine.encoder_identities()["graph"].startswith("TabICL sha256:")
    json.dumps(engine.describe())


@needs_tabicl
def test_predictions_depend_neither_on_threads_nor_on_the_unit(checkpoints, tmp_path) -> None:
    rows = synthetic_cells(40)
    predicted = fitted(checkpoints, tmp_path / "foundation").predict(rows)
    assert len(np.unique(predicted)) > 30
    threads = torch.get_num_threads()
    torch.set_num_threads(3)
    try:
        again = fitted(checkpoints, tmp_path / "again").predict(rows)
    finally:
        torch.set_num_threads(threads)
    assert again.tolist() == predicted.tolist()
    other = rows.assign(strength=1e9 + rows["strength"])
    engine = create("tabicl", checkpoints, Resources(seed=1, foundation=tmp_path / "again"))
    engine.fit(other[:25], other[25:30], FACETS, STRENGTH)
    np.testing.assert_allclose(engine.predict(rows) - 1e9, predicted, rtol=1e-3)


@needs_tabicl
def test_mean_and_median_differ(checkpoints, tmp_path) -> None:
    rows = synthetic_cells(40)
    median, mean = (
        fitted({**checkpoints, "statistic": name}, tmp_path / name).predict(rows)
        for name in ("median", "mean")
    )
    assert (median != mean).all()


@needs_tabicl
@pytest.mark.parametrize(
    ("name", "objective", "message"),
    [("checkpoint", PHASE, "no checkpoint for classes"), ("class_checkpoint", STRENGTH, "for numbers")],
)
def test_the_other_kind_of_objective_fails_the_cell(checkpoints, tmp_path, name, objective, message) -> None:
    with pytest.raises(EngineError, match=message):
        fitted({name: checkpoints[name]}, tmp_path / "foundation", objective)


@needs_tabicl
def test_exchanged_checkpoints_are_an_error(checkpoints, tmp_path) -> None:
    with pytest.raises(UserError, match="predicts classes: the setting `checkpoint`"):
        founded({"checkpoint": checkpoints["class_checkpoint"]}, tmp_path / "a")
    with pytest.raises(UserError, match="predicts numbers: the setting `class_checkpoint`"):
        founded({"class_checkpoint": checkpoints["checkpoint"]}, tmp_path / "b")


@needs_tabicl
def test_a_truncated_checkpoint_is_named(checkpoints, tmp_path) -> None:
    whole = Path(checkpoints["checkpoint"]).read_bytes()
    part = tmp_path / "part.ckpt"
    part.write_bytes(whole[: len(whole) // 2])
    with pytest.raises(UserError, match=r"part.ckpt is not a checkpoint of TabICL, or it is truncated"):
        founded({"checkpoint": str(part)}, tmp_path / "foundation")


class Evil:
    """Would create a file if it were unpickled."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self):
        return Path.touch, (self.path,)


@needs_tabicl
@pytest.mark.parametrize("content", ["text", "pickle", "other weights", "evil"])
def test_other_files_are_no_checkpoints_and_run_no_code(tmp_path, content) -> None:
    path = tmp_path / "file.ckpt"
    if content == "text":
        path.write_text("weights")
    elif content == "pickle":
        path.write_bytes(pickle.dumps({"config": {}}))
    elif content == "other weights":
        torch.save({"config": {"embed_dim": 16}, "state_dict": {"weight": torch.zeros(3)}}, path)
    else:
        torch.save({"config": Evil(tmp_path / "touched"), "state_dict": {}}, path)
    with pytest.raises(UserError, match=r"file.ckpt is not a checkpoint of TabICL"):
        founded({"checkpoint": str(path)}, tmp_path / "foundation")
    assert not (tmp_path / "touched").exists()


@needs_tabicl
def test_facets_without_numbers_are_refused(checkpoints, tmp_path) -> None:
    engine = create("tabicl", checkpoints, founded(checkpoints, tmp_path / "foundation"))
    rows = synthetic_cells(20).assign(text="Li 2 O")
    with pytest.raises(UserError, match="engine tabicl cannot use text"):
        engine.fit(rows[:15], rows[15:], (TEXT,), STRENGTH)


@needs_tabicl
def test_it_needs_its_foundation(checkpoints) -> None:
    rows = synthetic_cells(20)
    with pytest.raises(UserError, match="needs its foundation"):
        create("tabicl", checkpoints, Resources(seed=1)).fit(rows[:15], rows[15:], FACETS, STRENGTH)


def asked(settings: Mapping[str, Any] = {}, **more: Any) -> dict[str, Any]:
    """Return a complete configuration with the method ``foundation`` beside another one."""
    return complete_config(
        {
            **more,
            "methods": {
                "ridge": {"engine": "classical", "settings": {"model": "ridge"}, "combinations": ["graph"]},
                "foundation": {"engine": "tabicl", "settings": dict(settings), "combinations": ["graph"]},
                **more.get("methods", {}),
            },
        }
    )


def test_a_method_without_a_checkpoint_is_skipped_and_others_are_not() -> None:
    config = asked()
    methods, skipped = planned_methods(config)
    assert list(methods["crystals"]) == ["ridge"]
    check_feasible(config, methods)
    reason = skipped["crystals"]["foundation"]
    assert reason.startswith("no checkpoint (")
    assert "settings.checkpoint" in reason
    (said,) = skipped_note(skipped)
    assert "The method foundation was skipped on crystals: no checkpoint" in str(said)
    assert skipped_note({}) == []


@pytest.mark.parametrize(
    "more",
    [
        {"methods": {"both": {"engine": "blend", "settings": {"members": ["ridge", "foundation"]}}}},
        {"report": {"reference": "foundation"}},
    ],
)
def test_a_skipped_method_that_others_rely_on_is_an_error(more) -> None:
    with pytest.raises(UserError, match="name the method foundation, which is skipped.*: no check"):
        checked_methods(asked(**more))


def test_a_run_of_skipped_methods_alone_is_an_error() -> None:
    config = asked()
    del config["methods"]["ridge"]
    with pytest.raises(UserError, match=r"no method is left to train; skipped: foundation \(no checkpoint"):
        planned_methods(config)


def test_a_checkpoint_that_does_not_exist_is_an_error(monkeypatch) -> None:
    monkeypatch.setattr(optional_packages, "version", lambda _: DECLARED.package.version)
    config = asked({"checkpoint": "nowhere.ckpt"})
    assert planned_methods(config).skipped == {}
    with pytest.raises(UserError, match=r"foundation.settings names nowhere.ckpt, which is not a file"):
        check_feasible(config, checked_methods(config))


def test_a_missing_package_stops_the_run_while_it_is_planned(monkeypatch, tmp_path) -> None:
    monkeypatch.setattr(optional_packages, "version", lambda _: "1.0")
    (tmp_path / "a.ckpt").touch()
    config = asked({"checkpoint": str(tmp_path / "a.ckpt")})
    with pytest.raises(UserError, match=r"(?s)methods.foundation: .*tabicl 2.2.0.*pip install tabicl==2.2.0"):
        check_feasible(config, checked_methods(config))
    with pytest.raises(UserError, match=r"the engine 'tabicl': .*pip install tabicl==2.2.0|tabicl"):
        engine_class("tabicl")
