"""Fixtures shared by several unit tests."""

import os
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import pytest

from polyfacet.materials import crystal_objectives
from polyfacet.materials.material import SAMPLE
from polyfacet.runtime.parquet import write_table


@pytest.fixture(scope="session", autouse=True)
def no_wait_for_the_disk() -> Iterator[None]:
    """Let files stay in memory: what unit tests write need not survive a power loss."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(os, "fsync", lambda descriptor: None)
        yield


@pytest.fixture
def write_sample(tmp_path: Path) -> Callable[[Mapping[str, str]], Path]:
    """Write a sample of materials of which only the formulas matter (formula by mat_id); return its path."""

    def write(formulas: Mapping[str, str]) -> Path:
        rest = {
            "prototype_id": None,
            "space_group": None,
            "n_sites": 1,
            "volume": 10.0,
            **{each.name: 0.0 for each in crystal_objectives.PREDEFINED},
            "structure": "{}",
            "data": "{}",
            "source_file": "made up",
            "source_position": 0,
        }
        rows = [{"mat_id": mat_id, "formula": formula, **rest} for mat_id, formula in formulas.items()]
        write_table(tmp_path / "sample.parquet", rows, SAMPLE)
        return tmp_path / "sample.parquet"

    return write
