"""Cards: a round trip through JSON, and what is refused."""

import json
from pathlib import Path
from typing import Any

import pytest
from grid_cells import card_fields, card_of
from pydantic import ValidationError

from polyfacet.runtime.errors import UserError
from polyfacet.training.cards import Card, describe_origin, measure_cost, read_card, write_card


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


def test_origin_names_the_packages_that_decide() -> None:
    origin = describe_origin()
    assert {"torch", "autogluon.multimodal"} <= set(origin.versions)
    assert Path(origin.python_prefix).is_dir()
