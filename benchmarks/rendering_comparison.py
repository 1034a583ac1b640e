"""Compare the cost and the pictures of two checkouts, which draw the same batches in turns."""

import json
import os
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import numpy as np
from PIL import Image

from polyfacet.facets.image.settings import RenderSettings

HERE = Path(__file__).resolve().parent
OWN = HERE.parent
CRYSTALS_PER_BATCH = 20


class DrawingProcess:
    """A process that draws with the code of a checkout; a context manager that ends it."""

    def __init__(self, checkout: Path, settings: RenderSettings, threads: int, folder: Path) -> None:
        self.folder = folder
        self.spent: Counter[str] = Counter()
        self.contents: dict[str, Any] = {}
        folder.mkdir(parents=True)
        self._process = subprocess.Popen(  # noqa: S603 - this Python, with fixed arguments
            [sys.executable, HERE / "drawing_process.py"],
            env={**os.environ, "PYTHONPATH": str(checkout.resolve() / "workflow")},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        started = self._ask(size=settings.size, segments=settings.sphere_segments, threads=threads)
        self.renderer, self.start = started["renderer"], sum(started["spent"].values())

    def __enter__(self) -> Self:
        """Return the process, which is ready to draw."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """End the process."""
        self._process.communicate()

    def draw(self, cifs: Sequence[Path], *, measured: bool = True) -> None:
        """Draw a batch; add its processor time."""
        drawn = self._ask(cifs=[str(cif) for cif in cifs], folder=str(self.folder))
        if measured:
            self.spent.update(drawn["spent"])
            self.contents |= drawn["contents"]

    def _ask(self, **request: Any) -> dict[str, Any]:
        if self._process.stdin is None or self._process.stdout is None:
            raise RuntimeError("the process was started without pipes")
        print(json.dumps(request), file=self._process.stdin, flush=True)
        line = self._process.stdout.readline()
        if not line:
            raise RuntimeError("the drawing process has ended; its error is above")
        answer: dict[str, Any] = json.loads(line)
        return answer


def compare(
    cifs: list[Path], warm_up: list[Path], other: Path, settings: RenderSettings, threads: int, folder: Path
) -> None:
    """Print the processor times of this checkout and another one, their ratios, and how the pictures differ.

    Parameters
    ----------
    cifs
        The crystals.
    warm_up
        Crystals that are drawn first and not measured.
    other
        Folder of the other checkout.
    settings, threads
        What the pictures show, and the processor cores of each stage.
    folder
        An empty folder for the pictures.
    """
    with (
        DrawingProcess(other, settings, threads, folder / "other") as before,
        DrawingProcess(OWN, settings, threads, folder / "own") as now,
    ):
        for process in (before, now):
            process.draw(warm_up, measured=False)
        for turn, batch in enumerate(batches(cifs)):
            # Whoever is second finds a warmer or busier machine.
            for process in (before, now) if turn % 2 else (now, before):
                process.draw(batch)
    print(f"{settings.size} px, {settings.sphere_segments} segments, {threads} threads, {now.renderer}")
    report_times(before, now, len(cifs))
    report_pictures(before, now)


def batches(cifs: list[Path]) -> Iterator[list[Path]]:
    """Divide crystals into batches."""
    for start in range(0, len(cifs), CRYSTALS_PER_BATCH):
        yield cifs[start : start + CRYSTALS_PER_BATCH]


def report_times(before: DrawingProcess, now: DrawingProcess, n: int) -> None:
    """Print the processor times by kind of process, ms per picture."""
    print("\n| processor time, ms/picture | other checkout | this checkout | ratio |")
    print("| --- | --- | --- | --- |")
    times = {kind: (before.spent[kind], now.spent[kind]) for kind in sorted(before.spent | now.spent)}
    times["**all**"] = (sum(before.spent.values()), sum(now.spent.values()))
    for kind, (theirs, ours) in times.items():
        if max(theirs, ours) > n * 1e-3:
            print(f"| {kind} | {1e3 * theirs / n:.1f} | {1e3 * ours / n:.1f} | {ours / theirs:.2f} |")
    print(f"\nnot included, starting, s: {before.start:.1f}, {now.start:.1f}")


def report_pictures(before: DrawingProcess, now: DrawingProcess) -> None:
    """Print how many pictures have the same contents, and how far the pixels differ (of 255)."""
    n_crystals = len(before.contents)
    others = [name for name in before.contents if before.contents[name] != now.contents[name]]
    differences = {
        path.stem: np.abs(pixels(path) - pixels(now.folder / path.name)).mean()
        for path in sorted(before.folder.glob("*.png"))
    }
    values = np.array(list(differences.values()))
    worst = max(differences, key=lambda name: differences[name])
    print(
        f"{len(values)} pictures; {n_crystals - len(others)} of {n_crystals} crystals have the same atoms, "
        f"bonds and polyhedra (not: {', '.join(others) or 'none'}); mean difference of the pixels "
        f"{values.mean():.4f} of 255, at most {values.max():.4f} ({worst}); {(values == 0).sum()} are equal"
    )


def pixels(path: Path) -> np.ndarray:
    """Read a picture, shape ``(height, width, 3)``."""
    with Image.open(path) as picture:
        return np.asarray(picture.convert("RGB"), dtype=float)
