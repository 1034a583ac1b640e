"""Headless Chromium that draws WebGL without a screen and leaves no process behind."""

import logging
import os
from contextlib import ExitStack, suppress
from pathlib import Path
from threading import Lock
from types import TracebackType
from typing import Self

import psutil
from playwright.sync_api import Browser, CDPSession, Error, Page, Playwright, sync_playwright

from polyfacet.config.images import WebGLBackend
from polyfacet.facets.image.finding import HOW_TO_INSTALL, find_browser
from polyfacet.facets.image.launching import ROOT, last_words, short_temporary_folder
from polyfacet.runtime.errors import UserError

logger = logging.getLogger(__name__)

COMMON_FLAGS = (
    "--disable-background-networking",
    # Nothing outside this machine can be reached, whatever a page requests.
    "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1",
    # Containers often have a /dev/shm of 64 MB, too small for large pictures.
    "--disable-dev-shm-usage",
    "--force-color-profile=srgb",
    "--ignore-gpu-blocklist",
)
# Through EGL the browser draws on a GPU if its driver supports EGL (Mesa, NVIDIA), otherwise on Mesa's
# llvmpipe: twice as fast as SwiftShader, which needs no system library.
BACKEND_FLAGS: dict[str, tuple[str, ...]] = {
    "egl": ("--use-gl=angle", "--use-angle=gl-egl"),
    "swiftshader": ("--use-gl=angle", "--use-angle=swiftshader", "--enable-unsafe-swiftshader"),
}
LAUNCH_TIMEOUT_MS = 60_000
# Browsers that are started concurrently must know which of this process's children are theirs.
_LAUNCHING = Lock()
KILL_TIMEOUT_S = 10.0

NO_WEBGL = "no WebGL 2"
WEBGL_RENDERER = """() => {
  const gl = document.createElement("canvas").getContext("webgl2");
  const names = gl?.getExtension("WEBGL_debug_renderer_info");
  return names ? gl.getParameter(names.UNMASKED_RENDERER_WEBGL) : null;
}"""


class BrowserError(UserError):
    """The browser cannot draw on this machine, whatever the scene."""


class HeadlessBrowser:
    """A running Chromium; a context manager that ends every process it started.

    Playwright allows one per thread; each must be used in the thread that started it.

    Parameters
    ----------
    webgl
        The WebGL back end (see ``RenderSettings.webgl``).
    executable
        The configured browser; None to search for one (see ``find_browser``).
    """

    def __init__(self, webgl: WebGLBackend = "auto", executable: Path | None = None) -> None:
        self._backends = tuple(BACKEND_FLAGS) if webgl == "auto" else (webgl,)
        self._configured = executable
        self._playwright: Playwright | None = None
        self._browser: Browser | None = None
        self._processes: list[psutil.Process] = []
        self._devtools: CDPSession | None = None
        self._crashes: list[str] = []
        self._opened = ExitStack()
        self.webgl_renderer = ""
        # Why the browser runs without its sandbox; empty if it runs in it.
        self.no_sandbox = ROOT if os.geteuid() == 0 else ""

    def __enter__(self) -> Self:
        """Start the browser."""
        try:
            self.start()
        except BaseException:
            self.stop()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """End the browser."""
        self.stop()

    @property
    def version(self) -> str:
        """Version of the running browser."""
        return self._running().version

    @property
    def processes(self) -> list[psutil.Process]:
        """Processes of the running browser; Playwright's driver and the main browser process come first."""
        return list(self._processes)

    @property
    def processor_time(self) -> float:
        """CPU time that its running processes have used, s."""
        seconds = 0.0
        # All are descendants of the driver; each search looks at every process of the machine.
        for process in {*self._processes, *_with_descendants(self._processes[:1])}:
            with suppress(psutil.Error):
                times = process.cpu_times()
                seconds += times.user + times.system
        return seconds

    @property
    def crashes(self) -> list[str]:
        """How the renderers ended since a page was opened: ``crashed``, ``killed``, ``oom``, ..."""
        with suppress(Error):
            if self._devtools is not None:
                # Playwright reports a crash before its details arrive, but they precede this answer.
                self._devtools.send("Target.getTargets")
        return list(self._crashes)

    def start(self) -> None:
        """Start the browser with the first back end that can draw.

        Raises
        ------
        UserError
            If there is no browser or none of its back ends can draw; the message has the browser's own
            words, and what to install.
        """
        failures = []
        for backend in self._backends:
            try:
                self._launch_again_if_killed(backend)
            except Error as error:
                failures.append(f"{backend}: {last_words(error.message)}")
                continue
            self._backends = (backend,)  # a restart must produce the same pictures
            logger.info("browser %s draws with %s", self.version, self.webgl_renderer)
            return
        lacks_webgl = all(failure.endswith(NO_WEBGL) for failure in failures)
        advice = HOW_TO_INSTALL if lacks_webgl else "`make doctor` reports what this machine has."
        raise UserError(f"The browser cannot draw: {'; '.join(failures)}. {advice}")

    def stop(self) -> None:
        """End the browser and its driver; kill processes that do not end by themselves."""
        with suppress(Error):
            if self._browser is not None:
                self._browser.close()
        if self._playwright is not None:
            with suppress(Error):
                self._playwright.stop()
        self._browser = self._playwright = self._devtools = None
        _kill(self._processes)
        self._processes = []
        self._opened.close()

    def restart(self) -> None:
        """Kill the browser and start it again."""
        before = self.webgl_renderer
        # A browser that hangs does not respond to a request to close either.
        _kill(self._processes)
        self.stop()
        self.start()
        if self.webgl_renderer != before:
            raise UserError(
                f"The browser drew with {before}, but draws with {self.webgl_renderer} after a restart."
            )

    def new_page(self, size: int) -> Page:
        """Open an empty page whose viewport is ``size`` x ``size`` pixels."""
        self._crashes.clear()
        return self._running().new_page(viewport={"width": size, "height": size}, device_scale_factor=1)

    def _launch_again_if_killed(self, backend: str) -> None:
        """Start the browser and check that it draws; try twice, unless it says that it cannot.

        A browser may be killed while it starts. Another back end would then draw other pictures.
        """
        try:
            self._launch_in_sandbox_if_possible(backend)
        except Error as error:
            if error.message.endswith(NO_WEBGL):
                raise
            logger.warning("the browser is started again with %s: %s", backend, last_words(error.message))
            self._launch_in_sandbox_if_possible(backend)

    def _launch_in_sandbox_if_possible(self, backend: str) -> None:
        """Start the browser and check that it draws; without its sandbox only if it does not start in it.

        Systems refuse the sandbox for many reasons (no user namespaces, no setuid helper, container
        policies), each with its own message; the only reliable sign is that the browser starts without it.
        """
        if not self.no_sandbox:
            try:
                self._launch(backend, sandbox=True)
                return
            except Error as error:
                refused = last_words(error.message)
        self._launch(backend, sandbox=False)
        if not self.no_sandbox:
            self.no_sandbox = f"launching with it fails: {refused}"
            logger.warning("the browser runs without its sandbox: %s", self.no_sandbox)

    def _launch(self, backend: str, *, sandbox: bool) -> None:
        """Start the browser and check that it draws; if that fails, stop everything that was started."""
        try:
            self._start(backend, sandbox=sandbox)
            self._watch_crashes()
            self.webgl_renderer = self._webgl_renderer()
            if backend != "swiftshader" and "SwiftShader" in self.webgl_renderer:
                # Chromium's own way out if its process for the GPU has ended too often.
                raise Error(f"draws with {self.webgl_renderer}")
        except Error:
            self.stop()
            raise

    def _start(self, backend: str, *, sandbox: bool) -> None:
        temporary = self._opened.enter_context(short_temporary_folder())
        with _LAUNCHING:
            before = set(psutil.Process().children())
            try:
                self._playwright = sync_playwright().start()
            finally:
                drivers = [child for child in psutil.Process().children() if child not in before]
        self._processes = drivers
        try:
            own = Path(self._playwright.chromium.executable_path)
            executable = find_browser(own, self._configured)
            self._browser = self._playwright.chromium.launch(
                executable_path=executable,
                headless=True,
                args=[*COMMON_FLAGS, *BACKEND_FLAGS[backend]],
                chromium_sandbox=sandbox,
                env={**os.environ, "TMPDIR": str(temporary)},
                timeout=LAUNCH_TIMEOUT_MS,
            )
        finally:
            self._processes = _with_descendants(drivers)

    def _watch_crashes(self) -> None:
        """Record how renderers end: only the browser, their parent process, receives that."""
        self._devtools = self._running().new_browser_cdp_session()
        self._devtools.on("Target.targetCrashed", lambda crash: self._crashes.append(crash["status"]))
        self._devtools.send("Target.setDiscoverTargets", {"discover": True})

    def _webgl_renderer(self) -> str:
        page = self.new_page(size=64)
        renderer: str | None = page.evaluate(WEBGL_RENDERER)
        page.close()
        if renderer is None:
            raise Error(NO_WEBGL)
        return renderer

    def _running(self) -> Browser:
        if self._browser is None:
            raise RuntimeError("the browser is not running: use it inside its `with` block")
        return self._browser


def _kill(processes: list[psutil.Process]) -> None:
    """Kill those of the processes and their descendants that still run, and wait until they have ended."""
    running = _with_descendants([process for process in processes if process.is_running()])
    for process in running:
        with suppress(psutil.NoSuchProcess):
            process.kill()
    psutil.wait_procs(running, timeout=KILL_TIMEOUT_S)


def _with_descendants(processes: list[psutil.Process]) -> list[psutil.Process]:
    family = list(processes)
    for process in processes:
        with suppress(psutil.NoSuchProcess):
            family += process.children(recursive=True)
    return family
