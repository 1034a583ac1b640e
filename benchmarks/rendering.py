"""Time rendering CIFs of real crystals, compared with the method of Costa (2024), and monitor its memory.

Usage: python benchmarks/rendering.py [--crystals FILE.extxyz.gz] [--n 500] [--threads 2]
       python benchmarks/rendering.py --memory 5000 [--size 64]
       python benchmarks/rendering.py --against CHECKOUT [--n 100] [--segments 32]

Costa (2024) took the pictures one by one: a new crystal every 5 s, a picture 1 s after it.
"""

import argparse
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import cycle, islice
from pathlib import Path

from lattice_sums import RANDOM_1K, read_extxyz
from process_family import cpu_seconds, megabytes
from pymatgen.analysis.graphs import StructureGraph
from pymatgen.core import Structure
from rendering_comparison import compare

from polyfacet.facets.image.capture import SceneCamera
from polyfacet.facets.image.cif_scene import scene_of_cif
from polyfacet.facets.image.drawable import SceneError
from polyfacet.facets.image.settings import RenderSettings
from polyfacet.facets.image.studio import open_studio
from polyfacet.materials.cif import CifError, write_cif

PUBLISHED_INTERVAL_S = 5.0
PUBLISHED_DELAY_S = 1.0
PUBLISHED_CRYSTALS = 10
SPLIT_CRYSTALS = 60
WARM_UP_CRYSTALS = 16
MEMORY_STEPS = 10
SEGMENTS = (16, 32)

# Reading one pixel waits until drawing is complete; the remaining time of the picture is its encoding.
TIMED_PICTURE = """() => {
  const encode = HTMLCanvasElement.prototype.toDataURL;
  window.spent = { draw: 0, encode: 0 };
  HTMLCanvasElement.prototype.toDataURL = function (...parameters) {
    const start = performance.now();
    const gl = this.getContext("webgl2");
    gl.readPixels(0, 0, 1, 1, gl.RGBA, gl.UNSIGNED_BYTE, new Uint8Array(4));
    const drawn = performance.now();
    const picture = encode.apply(this, parameters);
    window.spent.draw += drawn - start;
    window.spent.encode += performance.now() - drawn;
    return picture;
  };
  const capture = window.polyfacet.captureAll;
  window.spent.capture = 0;
  window.polyfacet.captureAll = async (...parameters) => {
    const start = performance.now();
    const answers = await capture(...parameters);
    window.spent.capture += performance.now() - start;
    return answers;
  };
}"""


def main() -> None:
    """Print pictures per second, the ratio to the method of Costa (2024), and a breakdown of the time."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--crystals", type=Path, default=RANDOM_1K)
    parser.add_argument("--n", type=int, default=500, help="number of crystals")
    parser.add_argument("--threads", type=int, default=2, help="processor cores of the stage")
    parser.add_argument("--size", type=int, default=300, help="pixels")
    parser.add_argument("--segments", type=int, nargs="*", default=SEGMENTS, help="sphere detail")
    parser.add_argument("--memory", type=int, default=0, help="draw this many pictures and print the memory")
    parser.add_argument("--against", type=Path, help="compare cost and pictures with this checkout")
    options = parser.parse_args()
    if not options.crystals.is_file():
        sys.exit(f"{options.crystals} is missing; pass an extended XYZ file (gzip) with --crystals")
    with tempfile.TemporaryDirectory() as folder:
        cifs = write_cifs(options.crystals, options.n, Path(folder))
        if options.memory:
            settings = RenderSettings(size=options.size, sphere_segments=min(options.segments))
            report_memory(cifs, settings, options.threads, options.memory)
            return
        if options.against:
            settings = RenderSettings(size=options.size, sphere_segments=max(options.segments))
            warm_up = cifs[:WARM_UP_CRYSTALS]
            compare(cifs, warm_up, options.against, settings, options.threads, Path(folder) / "pictures")
            return
        published = seconds_of_published(cifs[:PUBLISHED_CRYSTALS], RenderSettings(size=options.size))
        print(
            f"the method of Costa (2024): {1 / published:.2f} pictures/s ({PUBLISHED_CRYSTALS} crystals)",
            flush=True,
        )
        for segments in options.segments:
            settings = RenderSettings(size=options.size, sphere_segments=segments)
            report_speed(cifs, settings, options.threads, published)
        for segments in options.segments:
            report_split(cifs[:SPLIT_CRYSTALS], RenderSettings(size=options.size, sphere_segments=segments))


def write_cifs(crystals: Path, n: int, folder: Path) -> list[Path]:
    """Write the first crystals of a file like the structures stage."""
    cifs = []
    for index, crystal in enumerate(islice(read_extxyz(crystals), n)):
        structure = Structure(
            crystal.lattice, crystal.atomic_numbers, crystal.cart_coords, coords_are_cartesian=True
        )
        try:
            write_cif(structure, folder / f"{index}.cif")
        except CifError as error:
            print(f"crystal {index} is left out: {error}")
        else:
            cifs.append(folder / f"{index}.cif")
    return cifs


def seconds_of_published(cifs: list[Path], settings: RenderSettings) -> float:
    """Take pictures at a fixed interval, each a fixed time after its crystal; return the time per picture."""
    with SceneCamera(settings) as camera:
        camera.take_picture(next(iter(scene_of_cif(cifs[0], settings).views.values())))
        start = time.monotonic()
        for turn, cif in enumerate(cifs, start=1):
            (view,) = scene_of_cif(cif, settings).views.values()
            time.sleep(PUBLISHED_DELAY_S)
            camera.take_picture(view)
            time.sleep(max(0.0, start + turn * PUBLISHED_INTERVAL_S - time.monotonic()))
        return (time.monotonic() - start) / len(cifs)


def report_speed(cifs: list[Path], settings: RenderSettings, threads: int, published_s: float) -> None:
    """Print how fast a warmed-up stage draws, and the processor time of its processes."""
    opening = time.monotonic()
    with open_studio(settings, threads=threads) as studio:
        for _ in studio.shoot(cifs[:WARM_UP_CRYSTALS]):
            pass
        start, before = time.monotonic(), cpu_seconds()
        shots = list(studio.shoot(cifs))
        seconds, after = time.monotonic() - start, cpu_seconds()
        renderer = studio.provenance()["webgl_renderer"]
    drawn = [shot for shot in shots if isinstance(shot, tuple)]
    spent = {kind: 1e3 * (after[kind] - before[kind]) / len(shots) for kind in after}
    print(
        f"{settings.size} px, {settings.sphere_segments} segments, {threads} threads, {renderer}:\n"
        f"  {len(shots) / seconds:.1f} pictures/s, {published_s * len(shots) / seconds:.0f} x Costa (2024); "
        f"{len(drawn)} pictures in {seconds:.0f} s after a start of {start - opening:.0f} s\n"
        f"  without bonds: {sum(bool(scene.bonding_failure) for scene, _ in drawn)}, "
        f"rejected: {Counter(str(shot) for shot in shots if not isinstance(shot, tuple))}\n"
        f"  processor time, ms/picture: {sum(spent.values()):.0f} = "
        + " + ".join(f"{kind} {ms:.0f}" for kind, ms in spent.items() if ms >= 1),
        flush=True,
    )


def report_split(cifs: list[Path], settings: RenderSettings) -> None:
    """Print a breakdown of the time per picture, drawn one after another."""
    spent: Counter[str] = Counter()
    with SceneCamera(settings) as camera, timed_bonding() as bonding:
        camera.take_picture(next(iter(scene_of_cif(cifs[0], settings).views.values())))
        assert camera.page is not None  # noqa: S101 - for the type checker
        camera.page.evaluate(TIMED_PICTURE)
        bonding.clear()
        for cif in cifs:
            start = time.monotonic()
            try:
                (view,) = scene_of_cif(cif, settings).views.values()
            except SceneError:
                continue
            made = time.monotonic()
            camera.take_picture(view)
            spent["scene"] += 1e3 * (made - start)
            spent["picture"] += 1e3 * (time.monotonic() - made)
        spent.update(camera.page.evaluate("window.spent"))
    bonds = 1e3 * sum(bonding)
    parts = {
        "bonding": bonds,
        "scene": spent["scene"] - bonds,
        "build": spent["capture"] - spent["draw"] - spent["encode"],
        "draw": spent["draw"],
        "encode": spent["encode"],
        "transfer and check": spent["picture"] - spent["capture"],
    }
    print(
        f"one by one, {settings.sphere_segments} segments, ms/picture: "
        + ", ".join(f"{part} {ms / len(cifs):.1f}" for part, ms in parts.items()),
        flush=True,
    )


@contextmanager
def timed_bonding() -> Iterator[list[float]]:
    """Record the seconds spent on finding bonds."""
    seconds: list[float] = []
    plain: Callable[..., StructureGraph] = StructureGraph.from_local_env_strategy.__func__  # type: ignore[attr-defined]

    def timed(*args: object, **kwargs: object) -> StructureGraph:
        start = time.monotonic()
        try:
            return plain(*args, **kwargs)
        finally:
            seconds.append(time.monotonic() - start)

    StructureGraph.from_local_env_strategy = classmethod(timed)  # type: ignore[method-assign,assignment]
    try:
        yield seconds
    finally:
        StructureGraph.from_local_env_strategy = classmethod(plain)  # type: ignore[method-assign,assignment]


def report_memory(cifs: list[Path], settings: RenderSettings, threads: int, n_pictures: int) -> None:
    """Print the memory of the stage with all its processes repeatedly while it draws."""
    with open_studio(settings, threads=threads) as studio:
        for done, shot in enumerate(studio.shoot(islice(cycle(cifs), n_pictures)), start=1):
            if not isinstance(shot, tuple):
                print(f"picture {done}: {shot}")
            if done % (n_pictures // MEMORY_STEPS) == 0:
                memory = megabytes()
                parts = " + ".join(f"{kind} {mb:.0f}" for kind, mb in memory.items())
                print(f"{done:6d} pictures: {sum(memory.values()):5.0f} MB = {parts}", flush=True)


if __name__ == "__main__":
    main()
