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


@pytest.fixture(scope="session")
def browser() -> Path:
    """Browser that draws the pictures."""
    from playwright.sync_api import sync_playwright

    from polyfacet.errors import UserError
    from polyfacet.rendering.finding import find_browser

    try:
        with sync_playwright() as playwright:
            return find_browser(Path(playwright.chromium.executable_path))
    except UserError as error:
        pytest.skip(str(error))
