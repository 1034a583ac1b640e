"""Fixtures shared by several layers of tests."""

import logging
import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path, PosixPath

import pytest
from reference_data import PLACES, reference_folder


class ReferencePath(PosixPath):
    """A path below the folder of reference data; naming a missing file skips the test."""

    def __truediv__(self, name: str | os.PathLike[str]) -> "ReferencePath":
        path = super().__truediv__(name)
        if not path.exists():
            pytest.skip(f"needs {path}: see docs/reference_data.md for its source")
        return path


@pytest.fixture(autouse=True)
def root_handlers() -> Iterator[None]:
    """Remove the handlers of jobs that a test calls; they write to a stream that is closed after the test."""
    yield
    for handler in logging.root.handlers[:]:
        if type(handler) is logging.StreamHandler:
            logging.root.removeHandler(handler)


@pytest.fixture(scope="session")
def shared() -> Path:
    """Return the folder with real data and reference numbers, which are not part of the project."""
    folder = reference_folder()
    if folder is not None:
        return ReferencePath(folder)
    pytest.skip(
        f"needs reference data in {PLACES[0]}: see docs/reference_data.md, or set their folder in "
        "POLYFACET_REFERENCE"
    )


@pytest.fixture
def install(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable]:
    """Return a function that simulates the installation of another version of a package."""
    from polyfacet.runtime import packages

    def forget() -> None:
        for function in vars(packages).values():
            getattr(function, "cache_clear", lambda: None)()

    def install(name: str, version: str) -> None:
        folder = tmp_path_factory.mktemp("installed")
        found = packages._installed()[packages.normalized(name)]
        shutil.copytree(found, folder / f"{name.replace('-', '_')}-{version}.dist-info")
        monkeypatch.syspath_prepend(folder)
        forget()

    yield install
    monkeypatch.undo()
    forget()


@pytest.fixture(scope="session")
def alexandria_1d(shared: Path) -> Path:
    """Return the folder with five files of real Alexandria entries (1D)."""
    return shared / "data" / "alexandria_1d"


@pytest.fixture(scope="session")
def browser() -> Path:
    """Return the path of the browser that draws the pictures."""
    from playwright.sync_api import sync_playwright

    from polyfacet.facets.image.finding import find_browser
    from polyfacet.runtime.errors import UserError

    try:
        with sync_playwright() as playwright:
            return find_browser(Path(playwright.chromium.executable_path))
    except UserError as error:
        pytest.skip(str(error))
