"""Fixtures that several layers of tests share."""

from pathlib import Path

import pytest
from project import PROJECT


@pytest.fixture(scope="session")
def shared() -> Path:
    """Folder with real data and reference numbers beside the project; not part of it."""
    folder = PROJECT.parent / "shared"
    if not folder.is_dir():
        pytest.skip("needs the reference data in ../shared, which is not there")
    return folder


@pytest.fixture(scope="session")
def alexandria_1d(shared: Path) -> Path:
    """Folder with five files of real Alexandria entries (1D)."""
    return shared / "data" / "alexandria_1d"
