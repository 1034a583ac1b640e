"""Identify the browser build and OpenGL libraries without launching the browser.

A different browser build or OpenGL library produces different bytes.  This is a parameter of the picture
rule, so that pictures are then redrawn.
"""

import json
import os
import subprocess
from functools import cache
from importlib.util import find_spec
from pathlib import Path

from polyfacet.facets.image.finding import find_browser
from polyfacet.runtime.errors import UserError

VERSION_TIMEOUT_S = 30.0
LIBRARY_FOLDERS = ("/usr/lib/*-linux-gnu", "/usr/lib64", "/usr/lib", "/usr/local/lib")
# Mesa's and NVIDIA's: the EGL libraries, and Mesa's renderers.
LIBRARIES = (
    "libEGL_mesa.so.0",
    "dri/swrast_dri.so",
    "libgallium-*.so",
    "libLLVM*.so*",
    "libEGL_nvidia.so.0",
)


def drawn_by(webgl: str, browser: str | None) -> str:
    """Identify the browser build and the libraries that it draws with.

    Parameters
    ----------
    webgl
        The WebGL back end (see ``RenderSettings.webgl``).
    browser
        Path of the browser from the configuration; None to search for one.

    Returns
    -------
    str
        The same wherever pictures are the same; ``no browser`` if there is none, which the stage will report.
    """
    try:
        path = find_browser(playwrights_own(), Path(browser) if browser else None)
    except UserError:
        return "no browser"
    # SwiftShader is part of the browser.
    libraries = [] if webgl == "swiftshader" else opengl_libraries()
    return "; ".join([browser_version(path), webgl, *libraries])


@cache
def browser_version(path: Path) -> str:
    """Ask an executable for its version, which does not start a browser."""
    try:
        done = subprocess.run(  # noqa: S603 - the browser that will be run anyway
            [path, "--version"], capture_output=True, text=True, timeout=VERSION_TIMEOUT_S, check=True
        )
    except (OSError, subprocess.SubprocessError) as error:
        return f"{path} ({type(error).__name__})"
    return done.stdout.strip()


@cache
def opengl_libraries() -> list[str]:
    """List the libraries that may be used for drawing, with versioned names and sizes in bytes."""
    found = {
        library.resolve()
        for folder in LIBRARY_FOLDERS
        for name in LIBRARIES
        for library in Path("/").glob(f"{folder[1:]}/{name}")
    }
    return sorted(f"{library.name} {library.stat().st_size}" for library in found)


def playwrights_own() -> Path:
    """Return the path where Playwright installs its own browser, without starting its driver."""
    package = find_spec("playwright")
    if package is None or package.origin is None:
        return Path("playwright-is-not-installed")
    driver = Path(package.origin).parent / "driver" / "package"
    listed = json.loads((driver / "browsers.json").read_text(encoding="utf-8"))["browsers"]
    revision = next(entry["revision"] for entry in listed if entry["name"] == "chromium")
    configured = os.environ.get("PLAYWRIGHT_BROWSERS_PATH", "")
    if configured == "0":
        folder = driver / ".local-browsers"
    else:
        folder = Path(configured) if configured else Path.home() / ".cache" / "ms-playwright"
    own = folder / f"chromium-{revision}"
    return next(iter(sorted(own.glob("chrome-linux*/chrome"))), own / "chrome-linux64" / "chrome")
