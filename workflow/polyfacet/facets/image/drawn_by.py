"""What would draw the pictures on this machine, told without starting it.

Another browser build or another OpenGL library gives other bytes.  The rule of the pictures has this as a
parameter, so that they are drawn anew.
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
# Mesa's and NVIDIA's: the entrance to OpenGL, and what draws behind it.
LIBRARIES = (
    "libEGL_mesa.so.0",
    "dri/swrast_dri.so",
    "libgallium-*.so",
    "libLLVM*.so*",
    "libEGL_nvidia.so.0",
)


def drawn_by(webgl: str, browser: str | None) -> str:
    """Name the browser build and what it draws with.

    Parameters
    ----------
    webgl
        The back end (see ``RenderSettings.webgl``).
    browser
        Path of the browser from the configuration; None to look for one.

    Returns
    -------
    str
        Equal where pictures come out equal; or that there is no browser, of which the stage will complain.
    """
    try:
        path = find_browser(playwrights_own(), Path(browser) if browser else None)
    except UserError:
        return "no browser"
    # SwiftShader is a part of the browser.
    libraries = [] if webgl == "swiftshader" else opengl_libraries()
    return "; ".join([browser_version(path), webgl, *libraries])


@cache
def browser_version(path: Path) -> str:
    """Ask an executable for its version, which starts no browser."""
    try:
        done = subprocess.run(  # noqa: S603 - the browser that will be run anyway
            [path, "--version"], capture_output=True, text=True, timeout=VERSION_TIMEOUT_S, check=True
        )
    except (OSError, subprocess.SubprocessError) as error:
        return f"{path} ({type(error).__name__})"
    return done.stdout.strip()


@cache
def opengl_libraries() -> list[str]:
    """List the libraries that may draw, by their versioned names and sizes."""
    found = {
        library.resolve()
        for folder in LIBRARY_FOLDERS
        for name in LIBRARIES
        for library in Path("/").glob(f"{folder[1:]}/{name}")
    }
    return sorted(f"{library.name} {library.stat().st_size}" for library in found)


def playwrights_own() -> Path:
    """Say where Playwright would have installed its own browser; the driver that knows it need not run."""
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
