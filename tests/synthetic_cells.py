"""Made-up rows whose targets can be learned from numeric facets."""

from pathlib import Path

import numpy as np
import pandas as pd
from PIL import Image

from polyfacet.materials.objectives import Objective

STRENGTH = Objective("strength", "Strength", "MPa")
PHASE = Objective("phase", "Phase", classes=("BMG", "RMG", "CRA"))
N_FEATURES = 5


def synthetic_cells(n: int, folder: Path | None = None) -> pd.DataFrame:
    """Return rows whose targets depend on the first two features and, with a folder, on the picture.

    Parameters
    ----------
    n
        Number of rows.
    folder
        Folder for composition images; None for no images.
    """
    generator = np.random.default_rng(3)
    features = generator.normal(size=(n, N_FEATURES)) * [1, 10, 100, 1, 1]
    grey = generator.integers(0, 256, n)
    signal = features[:, 0] + (features[:, 1] / 10) ** 2 + (grey / 64 if folder else 0)
    statistics = np.hstack([features[:, :2] ** 2, generator.normal(size=(n, 4))])
    statistics[::7, 2], statistics[::5, 3] = np.nan, np.inf
    frame = pd.DataFrame(
        {
            "mat_id": [f"alloy-{i:03d}" for i in range(n)],
            "graph": list(features),
            "composition_statistics": list(statistics),
            "strength": 500 + 80 * signal,
            "phase": np.array(PHASE.classes, dtype=object)[
                np.digitize(signal, np.quantile(signal, [0.4, 0.7]))
            ],
        }
    )
    if folder is not None:
        frame["compimage"] = [_picture(folder / f"{i:03d}.png", int(value)) for i, value in enumerate(grey)]
    return frame


def _picture(path: Path, grey: int) -> str:
    """Write a composition image with a scale of 2 and one grey level in its upper half."""
    pixels = np.zeros((48, 42), dtype=np.uint8)
    pixels[:24] = grey
    Image.fromarray(pixels).save(path)
    return str(path)
