"""Pictures of scenes: each one of its own scene, or none and the reason."""

import base64
import json
import logging
import re
from contextlib import ExitStack, suppress
from dataclasses import asdict
from importlib.metadata import version
from itertools import count
from pathlib import Path
from types import TracebackType
from typing import Self

from playwright.sync_api import Error, Page, TimeoutError

from polyfacet.rendering.app import VIEWER_ID, AppServer, viewer_app
from polyfacet.rendering.browser import HeadlessBrowser
from polyfacet.rendering.checks import picture_fault
from polyfacet.rendering.settings import RenderSettings

logger = logging.getLogger(__name__)

# The page grows by about 1.5 MB a picture.
PICTURES_PER_PAGE = 500
PAGE_TIMEOUT_MS = 60_000
PICTURE_TIMEOUT_MS = 60_000
PNG_URL = "data:image/png;base64,"
PACKAGES = ("crystal_toolkit", "dash", "dash_mp_components", "playwright", "pymatgen", "pymatgen-core")

CALL_PREFIX = re.compile(r"^(?:[A-Z]\w*\.\w+: )?(?:Error: )?")

READY = "() => window.polyfacet !== undefined && document.querySelector('canvas') !== null"
CAPTURE = "([viewer, token, scene]) => window.polyfacet.capture(viewer, token, scene)"


class PictureError(Exception):
    """A scene of which no right picture could be made; the message is the reason."""


class SceneCamera:
    """Takes pictures of scenes with one browser and one page; a context manager.

    Whatever goes wrong - a page error, a lost WebGL context, a hanging or killed browser, a picture that is
    blank or of the wrong size - the scene is tried once more in a fresh page and then given up, and the next
    scene finds a fresh page.

    Parameters
    ----------
    settings
        What the pictures show.
    browser
        Path of the browser; None to look for one.
    pictures_per_page
        After so many pictures the page is loaded anew.
    picture_timeout_ms
        How long one picture may take.
    """

    def __init__(
        self,
        settings: RenderSettings,
        browser: Path | None = None,
        *,
        pictures_per_page: int = PICTURES_PER_PAGE,
        picture_timeout_ms: float = PICTURE_TIMEOUT_MS,
    ) -> None:
        self.settings = settings
        self.browser = HeadlessBrowser(settings.webgl, browser)
        self.page: Page | None = None
        self._server = AppServer(viewer_app(settings))
        self._pictures_per_page = pictures_per_page
        self._picture_timeout_ms = picture_timeout_ms
        self._taken_of_page = 0
        self._tokens = count(1)
        self._open = ExitStack()

    def __enter__(self) -> Self:
        """Start the app and the browser."""
        with ExitStack() as opening:
            opening.enter_context(self._server)
            opening.enter_context(self.browser)
            self._open = opening.pop_all()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """End the browser and the app."""
        self._open.close()

    def take_picture(self, scene: str) -> bytes:
        """Take the picture of one scene.

        Parameters
        ----------
        scene
            Crystal Toolkit's JSON (see ``scene.crystal_scene``).

        Returns
        -------
        bytes
            A PNG of ``settings.size`` squared pixels, checked.

        Raises
        ------
        PictureError
            If two attempts, the second in a fresh page, gave no right picture.
        """
        try:
            return self._attempt(scene)
        except PictureError as error:
            logger.warning("%s: trying once more in a fresh page", error)
        return self._attempt(scene)

    def provenance(self) -> dict[str, str]:
        """Say what makes the pictures: the browser, what it draws with, packages, settings."""
        return {
            "browser": self.browser.version,
            "webgl_renderer": self.browser.webgl_renderer,
            **{package: version(package) for package in PACKAGES},
            "settings": json.dumps(asdict(self.settings)),
        }

    def _attempt(self, scene: str) -> bytes:
        """Take a picture; after a failure there is no page any more."""
        try:
            page = self._fresh_page() if self.page is None else self.page
            png = self._capture(page, scene)
        except Error as error:
            self._drop_page(error)
            raise PictureError(_reason(error)) from error
        if fault := picture_fault(png, self.settings.size):
            self._drop_page()
            raise PictureError(fault)
        self._taken_of_page += 1
        if self._taken_of_page == self._pictures_per_page:
            self._drop_page()
        return png

    def _capture(self, page: Page, scene: str) -> bytes:
        token = f"scene-{next(self._tokens)}"
        # Unlike `evaluate`, `wait_for_function` gives up in time even if the page hangs.
        taken = page.wait_for_function(
            CAPTURE, arg=[VIEWER_ID, token, scene], timeout=self._picture_timeout_ms
        ).json_value()
        return base64.b64decode(taken["picture"].removeprefix(PNG_URL))

    def _fresh_page(self) -> Page:
        try:
            page = self.browser.new_page(self.settings.size)
        except Error as error:
            logger.warning("%s: starting the browser again", _reason(error))
            self.browser.restart()
            page = self.browser.new_page(self.settings.size)
        page.set_default_timeout(PAGE_TIMEOUT_MS)
        page.goto(self._server.url)
        page.wait_for_function(READY)
        self.page, self._taken_of_page = page, 0
        return page

    def _drop_page(self, error: Error | None = None) -> None:
        """Close the page; one that hangs takes the whole browser with it."""
        page, self.page = self.page, None
        if isinstance(error, TimeoutError):
            self.browser.restart()
        elif page is not None:
            with suppress(Error):
                page.close()


def _reason(error: Error) -> str:
    """Give the first line of an error of Playwright without the names of calls and classes before it."""
    return CALL_PREFIX.sub("", error.message.splitlines()[0])
