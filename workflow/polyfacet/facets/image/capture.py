"""Pictures of scenes: each verified to show its own scene, or the reason why there is none."""

import base64
import hashlib
import json
import logging
import time
from collections.abc import Sequence
from contextlib import ExitStack, suppress
from importlib.metadata import version
from itertools import count
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from playwright.sync_api import Error, Page, TimeoutError

from polyfacet.facets.image.app import VIEWER_ID, AppServer, viewer_app
from polyfacet.facets.image.browser import WEBGL_RENDERER, BrowserError, HeadlessBrowser
from polyfacet.facets.image.checks import picture_fault
from polyfacet.facets.image.drawable import SCENE_NAME
from polyfacet.facets.image.drawing_failures import (
    ADVICE,
    NoProgressError,
    PictureError,
    failure_of,
    failure_of_fault,
    reason_of,
)
from polyfacet.facets.image.settings import RenderSettings

logger = logging.getLogger(__name__)

# The page grows by about 1.5 MB per picture.
PICTURES_PER_PAGE = 500
PAGE_TIMEOUT_MS = 60_000
# CPU time of the browser's processes, and minimum wall time.
PICTURE_LIMIT_S = 60.0
# Wall time in multiples of the limit: a browser that has not used up its CPU time by then makes no progress.
PATIENCE = 10
LOOKS = 4
PNG_URL = "data:image/png;base64,"
PACKAGES = ("crystal_toolkit", "dash", "dash_mp_components", "playwright", "pymatgen", "pymatgen-core")

# A scene that any working browser can draw: one sphere.
CONTROL = json.dumps(
    {
        "name": SCENE_NAME,
        "contents": [{"type": "spheres", "positions": [[0, 0, 0]], "radius": 1, "color": "#ff0000"}],
    }
)
READY = "() => window.polyfacet !== undefined && document.querySelector('canvas') !== null"
CAPTURE = "([viewer, scenes]) => window.polyfacet.captureAll(viewer, scenes)"


class SceneCamera:
    """Takes pictures of scenes with one browser and one page; a context manager.

    Whatever goes wrong - a page error, a lost WebGL context, a hanging or killed browser, a picture that is
    blank or of the wrong size - the scene is tried once more in a fresh page.  If that fails in a way that a
    scene can cause, and a single sphere can still be drawn, the scene is given up and the next one starts in
    a fresh page; all other failures are the machine's.

    Parameters
    ----------
    settings
        What the pictures show.
    browser
        Path of the browser; None to search for one.
    pictures_per_page
        The page is reloaded after this many pictures.
    picture_limit_s
        CPU time that the browser may spend on one picture, or on pictures that are taken together, s.
    """

    def __init__(
        self,
        settings: RenderSettings,
        browser: Path | None = None,
        *,
        pictures_per_page: int = PICTURES_PER_PAGE,
        picture_limit_s: float = PICTURE_LIMIT_S,
    ) -> None:
        self.settings = settings
        self.browser = HeadlessBrowser(settings.webgl, browser)
        self.page: Page | None = None
        self._server = AppServer(viewer_app(settings))
        self._pictures_per_page = pictures_per_page
        self._picture_limit_s = picture_limit_s
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
            If two attempts, the second in a fresh page, produced no valid picture, and the scene is at fault.
        BrowserError
            If the browser cannot draw: its processes are killed, make no progress, or cannot draw a sphere.
        """
        (taken,) = self.take_pictures([scene])
        if isinstance(taken, PictureError):
            raise taken
        return taken

    def take_pictures(self, scenes: Sequence[str]) -> list[bytes | PictureError]:
        """Take the pictures of several scenes, which is faster than taking them one by one.

        Returns
        -------
        list of bytes or PictureError
            For each scene, the picture that `take_picture` would return or the error that it would raise.
        """
        taken: list[bytes | PictureError] = []
        together = len(scenes)
        while len(taken) < len(scenes):
            waiting = scenes[len(taken) : len(taken) + together]
            pictures, error = self._attempt(waiting)
            taken += pictures
            if error is not None:
                logger.warning("%s: trying once more in a fresh page", error)
                again, error = self._attempt(waiting[len(pictures) : len(pictures) + 1])
                taken += again if error is None else [self._of_the_scene(error)]
                together = 1  # another scene that hangs must not use up the time of others
        return taken

    def provenance(self) -> dict[str, str]:
        """Return what determines the pictures: browser, WebGL renderer, packages and settings."""
        return {
            "browser": self.browser.version,
            "webgl_renderer": self.browser.webgl_renderer,
            "sandbox": f"none: {self.browser.no_sandbox}" if self.browser.no_sandbox else "on",
            **{package: version(package) for package in PACKAGES},
            "settings": self.settings.model_dump_json(),
        }

    def _of_the_scene(self, error: PictureError | BrowserError) -> PictureError:
        """Return the error if the scene is at fault, as the browser still draws another; raise otherwise."""
        if isinstance(error, BrowserError):
            raise error
        _, failure = self._attempt([CONTROL])
        if failure is not None:
            raise BrowserError(
                f"The browser cannot draw a single sphere ({failure}) after it failed to draw a crystal "
                f"({error}). {ADVICE}"
            )
        return error

    def _attempt(self, scenes: Sequence[str]) -> tuple[list[bytes], PictureError | BrowserError | None]:
        """Take pictures up to the first one that fails; a failure closes the page."""
        pictures: list[bytes] = []
        page = self._fresh_page() if self.page is None else self.page
        tokens = [f"scene-{next(self._tokens)}-{_digest(scene)}" for scene in scenes]
        try:
            answers = self._capture(page, tokens, scenes)
        except Error as error:
            failure = failure_of(error, self.browser.crashes, self._picture_limit_s)
            self._drop_page(error)
            return pictures, failure
        for token, answer in zip(tokens, answers, strict=False):
            png = base64.b64decode(answer.get("picture", "").removeprefix(PNG_URL))
            if fault := self._fault(token, answer, png):
                self._drop_page()
                return pictures, failure_of_fault(fault)
            pictures.append(png)
        if len(answers) < len(scenes):
            self._drop_page()
            return pictures, PictureError("the page gave no answer")
        self._taken_of_page += len(pictures)
        if self._taken_of_page >= self._pictures_per_page:
            self._drop_page()
        return pictures, None

    def _capture(self, page: Page, tokens: list[str], scenes: Sequence[str]) -> list[dict[str, Any]]:
        """Wait for the page's answers while the browser makes progress and its time is not used up."""
        limit, began, used = self._picture_limit_s, time.monotonic(), self.browser.processor_time
        asked = [VIEWER_ID, list(zip(tokens, scenes, strict=True))]
        while True:
            try:
                # Unlike `evaluate`, `wait_for_function` times out even if the page hangs.
                got = page.wait_for_function(CAPTURE, arg=asked, timeout=1000 * limit / LOOKS)
                answers: list[dict[str, Any]] = got.json_value()
                return answers
            except TimeoutError:
                waited = time.monotonic() - began
                if waited >= limit and self.browser.processor_time - used >= limit:
                    raise
                if waited >= PATIENCE * limit:
                    raise NoProgressError(f"no answer in {waited:.0f} s") from None

    def _fault(self, token: str, answer: dict[str, Any], png: bytes) -> str | None:
        """Return why an answer of the page is not a valid picture of the token's scene; None if it is."""
        if answer["token"] != token:
            return "the page answered with the picture of another scene"
        if "reason" in answer:
            return str(answer["reason"])
        # If the scene is not centred, parts outside the frame are not drawn.
        if self.settings.centered and answer["drawn"] < answer["expected"]:
            return f"only {answer['drawn']} of {answer['expected']} atoms and bonds were drawn"
        return picture_fault(png, self.settings.size)

    def _fresh_page(self) -> Page:
        try:
            page = self._load_page()
        except Error as error:
            logger.warning("%s: restarting the browser", reason_of(error))
            self.browser.restart()
            page = self._load_page_again()
        self.page, self._taken_of_page = page, 0
        return page

    def _load_page_again(self) -> Page:
        try:
            return self._load_page()
        except Error as error:
            raise BrowserError(
                f"The browser cannot load the page that draws: {reason_of(error)}. {ADVICE}"
            ) from error

    def _load_page(self) -> Page:
        page = self.browser.new_page(self.settings.size)
        page.set_default_timeout(PAGE_TIMEOUT_MS)
        page.goto(self._server.url)
        page.wait_for_function(READY)
        # A browser whose GPU process dies too often switches to another renderer, which draws other bytes.
        if (renderer := page.evaluate(WEBGL_RENDERER)) != self.browser.webgl_renderer:
            raise Error(f"the page draws with {renderer}, not with {self.browser.webgl_renderer}")
        return page

    def _drop_page(self, error: Error | None = None) -> None:
        """Close the page; if it hangs, restart the browser."""
        page, self.page = self.page, None
        if isinstance(error, TimeoutError):
            self.browser.restart()
        elif page is not None:
            with suppress(Error):
                page.close()


def _digest(scene: str) -> str:
    return hashlib.sha256(scene.encode()).hexdigest()[:16]
