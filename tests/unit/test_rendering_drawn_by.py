"""What would draw the pictures, told without starting a browser."""

from pathlib import Path

import pytest

from polyfacet.facets.image import drawn_by as module
from polyfacet.facets.image.drawn_by import drawn_by, playwrights_own


@pytest.fixture
def browser(tmp_path: Path) -> Path:
    """Something that says that it is a browser, and how often it was asked."""
    path = tmp_path / "chromium"
    path.write_text(f"#!/bin/sh\necho $1 >> {tmp_path}/calls\necho Chromium 1.2.3\n")
    path.chmod(0o755)
    return path


def test_the_browser_is_asked_for_its_version_and_nothing_else_and_once(browser):
    for _ in range(3):
        assert drawn_by("swiftshader", str(browser)) == "Chromium 1.2.3; swiftshader"
    assert (browser.parent / "calls").read_text() == "--version\n"


def test_the_libraries_count_where_they_draw(browser, tmp_path, monkeypatch):
    (tmp_path / "libEGL_nvidia.so.550.54").write_bytes(b"12345")
    (tmp_path / "libEGL_nvidia.so.0").symlink_to("libEGL_nvidia.so.550.54")
    monkeypatch.setattr(module, "LIBRARY_FOLDERS", (str(tmp_path),))
    module.opengl_libraries.cache_clear()
    try:
        assert drawn_by("auto", str(browser)) == "Chromium 1.2.3; auto; libEGL_nvidia.so.550.54 5"
        assert drawn_by("swiftshader", str(browser)) == "Chromium 1.2.3; swiftshader"
    finally:
        module.opengl_libraries.cache_clear()


def test_no_browser_is_no_error_yet(tmp_path):
    assert drawn_by("auto", str(tmp_path / "absent")) == "no browser"


def test_playwrights_own_browser_is_where_playwright_says():
    sync_api = pytest.importorskip("playwright.sync_api")
    with sync_api.sync_playwright() as playwright:
        told = Path(playwright.chromium.executable_path)
    assert playwrights_own().parts[:-2] == told.parts[:-2]
