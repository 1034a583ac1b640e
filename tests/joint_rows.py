"""Made-up rows of three facets, of which one alone tells the answer."""

from pathlib import Path

import numpy as np
import pandas as pd
from PIL import Image

from polyfacet.facets.registry import COMPIMAGE, DESCRIPTORS, GRAPH, IMAGE, TEXT
from polyfacet.materials.objectives import Objective

FACETS = (TEXT, GRAPH, DESCRIPTORS)
GAP, KIND = Objective("gap", "Gap", "eV"), Objective("kind", "Kind", classes=("metal", "insulator"))
CONSTANT = Objective("constant")
METALS, NONMETALS = ("Li", "Na", "Fe"), ("O", "Cl")
SMALL = {"width": 16, "layers": 1, "attention_heads": 2, "max_epochs": 2, "batch_size": 32}


def joint_rows(n: int, seed: int = 0) -> pd.DataFrame:
    """Return rows whose objectives depend on the graph; the first column of it, and its sign."""
    random = np.random.default_rng(seed)
    graph = random.normal(size=(n, 4))
    metal, nonmetal = random.integers(3, size=n), random.integers(2, size=n)
    return pd.DataFrame(
        {
            "mat_id": [f"m{seed}-{i:03d}" for i in range(n)],
            "group": [f"g{i // 2}" for i in range(n)],
            "text": [
                f"{('Li', 'Na', 'Fe')[a]} 2 {('O', 'Cl')[b]}" for a, b in zip(metal, nonmetal, strict=True)
            ],
            "graph": list(graph),
            "descriptors": list(random.normal(size=(n, 3))),
            "gap": 2 * graph[:, 0] + 5,
            "kind": np.where(graph[:, 0] > 0, "insulator", "metal").astype(object),
            "constant": 1.0,
        }
    )


def without(rows: pd.DataFrame, facet: str, where: np.ndarray) -> pd.DataFrame:
    """Return rows of which some lack a facet."""
    left = [None if lacks else value for value, lacks in zip(rows[facet], where, strict=True)]
    return rows.assign(**{facet: pd.Series(left, rows.index, dtype=object)})


def with_pictures(rows: pd.DataFrame, folder: Path) -> pd.DataFrame:
    """Add structure pictures and composition images whose brightness tells the answer."""
    brightness = 25 * (rows["gap"] - rows["gap"].min())
    columns: dict[str, list[str]] = {IMAGE.name: [], COMPIMAGE.name: []}
    for mat_id, value in zip(rows["mat_id"], brightness.clip(0, 255), strict=True):
        for name, (height, width) in ((IMAGE.name, (32, 32)), (COMPIMAGE.name, (24, 21))):
            path = folder / f"{mat_id}-{name}.png"
            Image.fromarray(np.full((height, width), value, dtype=np.uint8)).save(path)
            columns[name].append(str(path))
    return rows.assign(**columns)
