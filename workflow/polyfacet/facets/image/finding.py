"""Search for the browser that draws the pictures."""

import os
import shutil
from pathlib import Path

from polyfacet.runtime.errors import UserError

BROWSER_VARIABLE = "POLYFACET_BROWSER"
NAMES_ON_PATH = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
HOW_TO_INSTALL = (
    "Install Chromium (Debian, Ubuntu: `apt install chromium libegl1 libegl-mesa0 libgl1-mesa-dri`; "
    f"anywhere: `playwright install chromium`) or set {BROWSER_VARIABLE} to the path of a Chromium or Chrome."
)


def find_browser(playwrights_own: Path, configured: Path | None = None) -> Path:
    """Find the browser: from the configuration, the environment, Playwright, or the PATH.

    Parameters
    ----------
    playwrights_own
        Path where Playwright installs its own browser.
    configured
        Path from the configuration.

    Raises
    ------
    UserError
        If there is no browser, or the requested one is not executable; the message says how to install one.
    """
    for source, path in (("configuration", configured), (BROWSER_VARIABLE, os.environ.get(BROWSER_VARIABLE))):
        if path:
            if not os.access(path, os.X_OK):
                raise UserError(f"The browser {path} ({source}) is not an executable. {HOW_TO_INSTALL}")
            return Path(path)
    if playwrights_own.exists():
        return playwrights_own
    for name in NAMES_ON_PATH:
        if found := shutil.which(name):
            return Path(found)
    raise UserError(f"No browser was found for drawing the pictures. {HOW_TO_INSTALL}")
