"""Identification of the browser build and OpenGL libraries without launching the browser."""

from pathlib import Path

import pytest

from polyfacet.facets.image import drawn_by as module
from polyfacet.facets.image.drawn_by import drawn_by, playwrights_own


@pytest.fixture
def browser(tmp_path: Path) -> Path:
    """Return a script that reports a browser's version and records its calls."""
    path = tmp_path / "chromium"
    path.write_text(f"#!/bin/sh\necho $1 >> {tmp_path}/calls\necho Chromium 1.2.3\n")
    path.chmod(0o755)
    return path


def test_browser_is_asked_once_and_only_for_its_version(browser):
    for _ in range(3):
        assert drawn_by("swiftshader", str(browser)) == "Chromium 1.2.3; swiftshader"
    assert (browser.parent / "calls").read_text() == "--version\n"


def test_libraries_are_listed_unless_swiftshader_draws(browser, tmp_path, monkeypatch):
    (tmp_path / "libEGL_nvidia.so.550.54").write_bytes(b"12345")
    (tmp_path / "libEGL_nvidia.so.0").symlink_to("libEGL_nvidia.so.550.54")
    monkeypatch.setattr(module, "LIBRARY_FOLDERS", (str(tmp_path),))
    module.opengl_libraries.cache_clear()
    try:
        assert drawn_by("auto", str(browser)) == "Chromium 1.2.3; auto; libEGL_nvidia.so.550.54 5"
        assert drawn_by("swiftshader", str(browser)) == "Chromium 1.2.3; swiftshader"
    finally:
        module.opengl_libraries.cache_clear()


def test_missing_browser_is_not_yet_an_error(tmp_path):
    assert drawn_by("auto", str(tmp_path / "absent")) == "no browser"


def test_path_of_playwrights_own_browser_agrees_with_playwright():
    sync_api = pytest.importorskip("playwright.sync_api")
    with sync_api.sync_playwright() as playwright:
        expected = Path(playwright.chromium.executable_path)
    assert playwrights_own().parts[:-2] == expected.parts[:-2]
