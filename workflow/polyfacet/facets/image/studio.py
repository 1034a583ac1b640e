"""Studios that take pictures: scenes are made in worker processes and drawn by one or two browsers."""

from collections.abc import Iterable, Iterator
from contextlib import ExitStack, suppress
from itertools import islice
from pathlib import Path
from queue import Empty, SimpleQueue
from threading import Semaphore, Thread
from types import TracebackType
from typing import Protocol, Self

from polyfacet.config.images import View
from polyfacet.facets.image.capture import SceneCamera
from polyfacet.facets.image.drawable import CrystalScene, SceneError
from polyfacet.facets.image.drawing_failures import PictureError
from polyfacet.facets.image.scene_cache import SceneMaker
from polyfacet.facets.image.scene_workers import SceneWorker, SceneWorkers
from polyfacet.facets.image.settings import RenderSettings

# A third browser would gain little: the CPU does the drawing, or a GPU that two keep busy.
MAX_BROWSERS = 2
CRYSTALS_TOGETHER = 8
CRYSTALS_AHEAD = 4 * CRYSTALS_TOGETHER

# A crystal and the picture of each of its views, or the reason why there is none.
Shot = tuple[CrystalScene, dict[View, bytes]] | SceneError | PictureError


class Studio(Protocol):
    """Takes pictures of CIF files; a context manager that ends every process it started."""

    def __enter__(self) -> Self:
        """Start the processes that draw."""

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """End the processes that draw."""

    def shoot(self, cifs: Iterable[Path]) -> Iterator[Shot]:
        """Take the pictures of CIF files, in their order."""

    def provenance(self) -> dict[str, str]:
        """Return what determined the pictures (see ``SceneCamera.provenance``)."""


def open_studio(
    settings: RenderSettings, browser: Path | None = None, threads: int = 1, scenes: Path | None = None
) -> Studio:
    """Choose how pictures are taken; the pictures do not depend on it.

    Parameters
    ----------
    settings
        What the pictures show.
    browser
        Path of the browser; None to search for one.
    threads
        Number of CPU cores that may be used.  With one, this process makes scenes, in turn with a browser
        that draws them; with more, worker processes make scenes while browsers draw others.
    scenes
        Folder that keeps scenes for future pictures; None to keep none.
    """
    if threads == 1:
        return OneByOne(settings, browser, scenes)
    return SideBySide(settings, browser, threads, scenes)


class OneByOne:
    """A studio for one CPU core."""

    def __init__(self, settings: RenderSettings, browser: Path | None, scenes: Path | None) -> None:
        self.camera = SceneCamera(settings, browser)
        self._maker = SceneMaker(settings, scenes)

    def __enter__(self) -> Self:
        """Start the browser."""
        self.camera.__enter__()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """End the browser."""
        self.camera.__exit__(kind, error, trace)

    def shoot(self, cifs: Iterable[Path]) -> Iterator[Shot]:
        """Take the pictures of CIF files, in their order."""
        waiting = iter(cifs)
        while together := list(islice(waiting, CRYSTALS_TOGETHER)):
            made = [_scene_or_error(self._maker, cif) for cif in together]
            shots = shots_of(self.camera, [scene for scene in made if isinstance(scene, CrystalScene)])
            for scene in made:
                yield next(shots) if isinstance(scene, CrystalScene) else scene

    def provenance(self) -> dict[str, str]:
        """Return what determined the pictures."""
        return self.camera.provenance()


class SideBySide:
    """A studio for several CPU cores.

    In this process, one thread per worker and one per browser wait for results; queues connect them.
    """

    def __init__(
        self, settings: RenderSettings, browser: Path | None, threads: int, scenes: Path | None
    ) -> None:
        self._settings = settings
        self._browser = browser
        self._n_workers = threads
        self._scenes = scenes
        self._drawable: SimpleQueue[tuple[int, CrystalScene] | None] = SimpleQueue()
        self._done: SimpleQueue[tuple[int, Shot] | BaseException] = SimpleQueue()
        self._opened: SimpleQueue[dict[str, str] | BaseException] = SimpleQueue()
        self._provenance: dict[str, str] = {}
        self._workers: list[SceneWorker] = []
        self._open = ExitStack()

    def __enter__(self) -> Self:
        """Start workers and browsers concurrently, and wait for the browsers."""
        with ExitStack() as opening:
            self._workers = opening.enter_context(SceneWorkers(self._settings, self._n_workers, self._scenes))
            cameras = [Thread(target=self._draw, name=f"camera {k}") for k in range(MAX_BROWSERS)]
            for camera in cameras:
                opening.callback(camera.join)
            for camera in cameras:
                opening.callback(self._drawable.put, None)
                camera.start()
            for _ in cameras:
                opened = self._opened.get()
                if isinstance(opened, BaseException):
                    raise opened
                self._provenance = opened
            self._open = opening.pop_all()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """End workers and browsers; scenes that are still waiting are not drawn."""
        with suppress(Empty):
            while True:
                self._drawable.get_nowait()
        self._open.close()

    def shoot(self, cifs: Iterable[Path]) -> Iterator[Shot]:
        """Take the pictures of CIF files, in their order."""
        waiting = list(enumerate(cifs))
        n_crystals = len(waiting)
        waiting.reverse()
        ahead = Semaphore(CRYSTALS_AHEAD + self._n_workers)
        for worker in self._workers:
            # A thread ends when no files are left, or when the studio closes the worker's connection.
            Thread(target=self._make_scenes, args=(worker, waiting, ahead), daemon=True).start()
        shots: dict[int, Shot] = {}
        for index in range(n_crystals):
            while index not in shots:
                done = self._done.get()
                if isinstance(done, BaseException):
                    raise done
                shots.update([done])
                ahead.release()
            yield shots.pop(index)

    def provenance(self) -> dict[str, str]:
        """Return what determined the pictures."""
        return self._provenance

    def _make_scenes(self, worker: SceneWorker, waiting: list[tuple[int, Path]], ahead: Semaphore) -> None:
        """Have a worker make one scene after another, not too far ahead of the browsers."""
        while waiting:
            ahead.acquire()
            try:
                index, cif = waiting.pop()
            except IndexError:
                return
            try:
                self._drawable.put((index, worker.scene(cif)))
            except SceneError as error:
                self._done.put((index, error))
            except BaseException as error:
                self._done.put(error)
                return

    def _draw(self) -> None:
        """Draw in this thread's own browser until there are no more scenes."""
        try:
            with SceneCamera(self._settings, self._browser) as camera:
                self._opened.put(camera.provenance())
                while batch := self._batch():
                    shots = shots_of(camera, [scene for _, scene in batch])
                    for (index, _), shot in zip(batch, shots, strict=True):
                        self._done.put((index, shot))
        except BaseException as error:
            self._opened.put(error)
            self._done.put(error)

    def _batch(self) -> list[tuple[int, CrystalScene]]:
        """Wait for a scene and return it with others that are ready; empty at the end."""
        batch = []
        scene = self._drawable.get()
        with suppress(Empty):
            while scene is not None:
                batch.append(scene)
                if len(batch) == CRYSTALS_TOGETHER:
                    return batch
                scene = self._drawable.get_nowait()
        if scene is None and batch:
            self._drawable.put(None)  # ends this camera in its next turn
        return batch


def shots_of(camera: SceneCamera, scenes: list[CrystalScene]) -> Iterator[Shot]:
    """Draw all views of crystals together."""
    taken = iter(camera.take_pictures([text for scene in scenes for text in scene.views.values()]))
    for scene in scenes:
        pngs: dict[View, bytes] = {}
        errors = []
        for view in scene.views:
            png = next(taken)
            if isinstance(png, PictureError):
                errors.append(png)
            else:
                pngs[view] = png
        yield errors[0] if errors else (scene, pngs)


def _scene_or_error(maker: SceneMaker, cif: Path) -> CrystalScene | SceneError:
    try:
        return maker.scene(cif)
    except SceneError as error:
        return error
