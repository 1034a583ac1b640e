"""Draw batches of CIF files with one checkout of Polyfacet, and report the processor time of each.

`rendering.py --against` runs it, once per checkout, with the checkout's ``workflow`` folder on PYTHONPATH.
It reads requests from standard input and answers on standard output, one JSON object per line.
"""

import json
import sys
from collections import Counter
from pathlib import Path
from typing import Any

from process_family import cpu_seconds

try:
    from polyfacet.facets.image.settings import RenderSettings
    from polyfacet.facets.image.studio import Studio, open_studio
except ModuleNotFoundError:  # checkouts before the package was divided by facets
    from polyfacet.rendering.settings import RenderSettings  # type: ignore[no-redef,import-not-found]
    from polyfacet.rendering.studio import Studio, open_studio  # type: ignore[no-redef,import-not-found]


def main() -> None:
    """Answer requests until standard input ends; the first one has the settings."""
    request = json.loads(sys.stdin.readline())
    settings = RenderSettings(size=request["size"], sphere_segments=request["segments"])
    with open_studio(settings, threads=request["threads"]) as studio:
        answer({"renderer": studio.provenance()["webgl_renderer"], "spent": cpu_seconds()})
        for line in sys.stdin:
            batch = json.loads(line)
            answer(draw(studio, [Path(cif) for cif in batch["cifs"]], Path(batch["folder"])))


def draw(studio: Studio, cifs: list[Path], folder: Path) -> dict[str, Any]:
    """Draw a batch; return the processor time by kind of process, s, and what each picture contains."""
    before = cpu_seconds()
    shots = list(studio.shoot(cifs))
    after = cpu_seconds()
    contents: dict[str, dict[str, int] | str] = {}
    for cif, shot in zip(cifs, shots, strict=True):
        if not isinstance(shot, tuple):
            contents[cif.stem] = str(shot)
            continue
        scene, pngs = shot
        (view,), (png,) = scene.views.values(), pngs.values()
        (folder / f"{cif.stem}.png").write_bytes(png)
        contents[cif.stem] = {"bonds per cell": scene.n_bonds, **primitives(json.loads(view))}
    return {"spent": {kind: after[kind] - before[kind] for kind in after}, "contents": contents}


def primitives(scene: dict[str, Any]) -> Counter[str]:
    """Count the primitives of a scene by type; each sphere and each cylinder counts."""
    if "contents" in scene:
        return sum(map(primitives, scene["contents"]), Counter())
    members = {"spheres": "positions", "cylinders": "positionPairs"}.get(scene["type"])
    return Counter({scene["type"]: len(scene[members]) if members else 1})


def answer(content: dict[str, Any]) -> None:
    """Send an answer."""
    print(json.dumps(content), flush=True)


if __name__ == "__main__":
    main()
