"""Cards: a round trip through JSON, and what is refused."""

import json
import math
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from polyfacet.runtime.errors import UserError
from polyfacet.training.cards import (
    Card,
    ClassMetrics,
    ClassScores,
    Counts,
    Metrics,
    describe_origin,
    measure_cost,
    read_card,
    write_card,
)

FIELDS: dict[str, Any] = {
    "status": "ok",
    "reason": None,
    "engine": "automm",
    "settings": {"max_epochs": 3, "hyperparameters": {"optim.lr": 1e-3}},
    "facets": ["text", "image"],
    "target": "vol_atom",
    "unit": "A^3/atom",
    "classes": [],
    "split": "0",
    "seed": 42,
    "contains_answer": True,
    "counts": Counts(n_train=10, n_valid=2, n_test=3, n_missing=1),
    "tested": "0" * 64,
    "metrics": Metrics(mae=0.1, mase=0.5, rmse=0.2, r2=0.9),
    "encoders": {"text": "0" * 64},
    "cost": measure_cost(wall_time_s=1.5, threads=2),
    "origin": describe_origin(),
}


def test_a_card_survives_its_file(tmp_path: Path) -> None:
    path = tmp_path / "new folder" / "card.json"
    write_card(path, Card(**FIELDS))
    assert read_card(path) == Card(**FIELDS)
    assert list(path.parent.iterdir()) == [path]


def test_scores_of_classes_survive_the_file(tmp_path: Path) -> None:
    scores = ClassScores(precision=math.nan, recall=0.0, f1=0.0, support=2)
    metrics = ClassMetrics(accuracy=0.5, macro_f1=0.25, per_class={"BMG": scores})
    write_card(tmp_path / "card.json", Card(**{**FIELDS, "classes": ["BMG"], "metrics": metrics}))
    read = read_card(tmp_path / "card.json").metrics
    assert isinstance(read, ClassMetrics)
    assert math.isnan(read.per_class["BMG"].precision)
    assert read.macro_f1 == 0.25


def test_not_a_number_survives_the_file(tmp_path: Path) -> None:
    metrics = Metrics(mae=0.1, mase=math.nan, rmse=0.2, r2=math.nan)
    write_card(tmp_path / "card.json", Card(**{**FIELDS, "metrics": metrics}))
    read = read_card(tmp_path / "card.json").metrics
    assert isinstance(read, Metrics)
    assert math.isnan(read.mase)
    assert math.isnan(read.r2)


def test_an_unknown_key_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "card.json"
    write_card(path, Card(**FIELDS))
    path.write_text(json.dumps({**json.loads(path.read_text()), "mea": 1.0}))
    with pytest.raises(UserError, match=r"(?s)card\.json cannot be read.*mea.*Delete it and run again"):
        read_card(path)


@pytest.mark.parametrize(
    "changes",
    [
        {"metrics": None},
        {"reason": "broken picture"},
        {"status": "failed"},
        {"status": "failed", "reason": "broken picture"},
        {"status": "failed", "metrics": None},
        {"status": "running"},
    ],
)
def test_metrics_and_failure_exclude_each_other(changes: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        Card(**{**FIELDS, **changes})


def test_a_failed_card_says_why() -> None:
    card = Card(**{**FIELDS, "status": "failed", "reason": "broken picture", "metrics": None})
    assert card.reason == "broken picture"


def test_cost_is_of_this_process() -> None:
    assert 10 < measure_cost(wall_time_s=1.0, threads=1).peak_memory_mib < 100_000


def test_origin_names_the_packages_that_decide() -> None:
    origin = describe_origin()
    assert {"torch", "autogluon.multimodal"} <= set(origin.versions)
    assert Path(origin.python_prefix).is_dir()
