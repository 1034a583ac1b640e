"""Cards: a round trip through JSON, and what is refused."""

import json
from importlib.metadata import version
from pathlib import Path
from typing import Any

import pytest
from grid_cells import card_fields, card_of, cell_of
from project import PROJECT
from pydantic import ValidationError
from synthetic_cells import STRENGTH, synthetic_cells

from polyfacet.runtime import plugins
from polyfacet.runtime.errors import UserError
from polyfacet.training.cards import Card, describe_origin, measure_cost, read_card, write_card
from polyfacet.training.cells import train
from polyfacet.training.engines.base import Resources
from polyfacet.training.engines.creation import create
from polyfacet.training.engines.registry import engine_files


def test_a_card_survives_its_file(tmp_path: Path) -> None:
    path = tmp_path / "new folder" / "card.json"
    card = card_of(settings={"tolerance": float("inf")})
    write_card(path, card)
    assert read_card(path) == card
    assert list(path.parent.iterdir()) == [path]


def test_an_unknown_key_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "card.json"
    write_card(path, card_of())
    path.write_text(json.dumps({**json.loads(path.read_text()), "sede": 1}))
    with pytest.raises(UserError, match=r"(?s)card\.json cannot be read.*sede.*Delete it and run again"):
        read_card(path)


@pytest.mark.parametrize(
    "missing", ["run", "source", "split", "repeat", "method", "combination", "objective"]
)
def test_a_card_says_which_cell_it_is_of(missing: str) -> None:
    fields = card_fields()
    del fields[missing]
    with pytest.raises(ValidationError, match=missing):
        Card(**fields)


@pytest.mark.parametrize(
    "changes", [{"reason": "broken picture"}, {"status": "failed"}, {"status": "running"}]
)
def test_a_card_has_a_reason_if_its_cell_failed_and_only_then(changes: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        card_of(**changes)


def test_a_failed_card_says_why() -> None:
    assert card_of(status="failed", reason="broken picture").reason == "broken picture"


def test_cost_is_of_this_process() -> None:
    assert 10 < measure_cost(wall_time_s=1.0, threads=1).peak_memory_mib < 100_000


FROM_THE_HUB = {"autogluon-multimodal", "timm", "transformers"}


@pytest.mark.parametrize(
    ("engine", "decide", "others"),
    [
        ("automm", {*FROM_THE_HUB, "torch", "pandas"}, {"xgboost-cpu"}),
        ("classical", {"scikit-learn", "xgboost-cpu", "numpy"}, {*FROM_THE_HUB, "torch"}),
        ("mcvn", {"torch", "numpy"}, {*FROM_THE_HUB, "scikit-learn"}),
        ("ensemble", {"scikit-learn", "xgboost-cpu"}, {*FROM_THE_HUB, "torch"}),
        ("dummy", {"numpy", "pandas"}, {*FROM_THE_HUB, "torch", "scikit-learn"}),
    ],
)
def test_origin_names_the_packages_of_the_engine(engine: str, decide: set[str], others: set[str]) -> None:
    origin = describe_origin(engine_files(engine, {}))
    assert decide <= origin.versions.keys()
    assert not others & origin.versions.keys()
    assert all(found == version(name) for name, found in origin.versions.items())
    assert Path(origin.python_prefix).is_dir()


def test_the_card_of_a_cell_names_the_packages_of_its_engine(tmp_path: Path) -> None:
    rows = synthetic_cells(20).assign(part=["train"] * 12 + ["valid"] * 4 + ["test"] * 4)
    rows["facets"] = [["graph"]] * len(rows)
    engine = create("dummy", {}, Resources(seed=1))
    _, card = train(cell_of((), STRENGTH, "dummy"), engine, rows, tmp_path / "model")
    assert "numpy" in card.origin.versions
    assert not FROM_THE_HUB & card.origin.versions.keys()


def test_the_packages_of_an_engine_in_a_plug_in_are_those_that_it_imports(monkeypatch) -> None:
    monkeypatch.setattr(plugins, "_of_run", {})
    plugins.use_plugins([str(PROJECT / "tests" / "extension" / "engine.py")])
    origin = describe_origin(engine_files("closest", {}))
    assert "scikit-learn" in origin.versions
    assert not FROM_THE_HUB & origin.versions.keys()
