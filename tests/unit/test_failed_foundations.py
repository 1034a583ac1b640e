"""A foundation that cannot be made fails the cells of its method, and stops nothing else."""

from pathlib import Path

import pytest

from polyfacet.training.engines.base import EngineError
from polyfacet.training.foundations import check_foundation, record_failure


def test_the_reason_takes_the_place_of_the_files(tmp_path: Path):
    folder = tmp_path / "foundation"
    folder.mkdir()
    (folder / "half.safetensors").write_text("")
    check_foundation(folder)
    check_foundation(None)
    record_failure(folder, "training diverged: lower learning_rate.")
    assert [path.name for path in folder.iterdir()] == ["failed.txt"]
    with pytest.raises(EngineError, match="could not be made: training diverged: lower learning_rate.$"):
        check_foundation(folder)
