"""The numbers of facets: pictures that cannot be put side by side are named with their sizes."""

import dataclasses

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from polyfacet.facets.registry import COMPIMAGE
from polyfacet.runtime.errors import UserError
from polyfacet.training.engines.numeric_facets import pixels


@pytest.mark.parametrize(
    ("name", "sizes", "message"),
    [
        (
            "drawn",
            [(8, 6), (9, 7)],
            r"b.png has 9 x 7 pixels, but the first picture of the facet drawn has 8 x",
        ),
        ("compimage", [(21, 24), (24, 21)], r"multiple of 21 x 24 pixels \(width x height\), not 24 x 21"),
    ],
)
def test_pictures_of_another_size_are_described_by_width_and_height(tmp_path, name, sizes, message):
    facet = COMPIMAGE if name == COMPIMAGE.name else dataclasses.replace(COMPIMAGE, name=name)
    paths = [tmp_path / "a.png", tmp_path / "b.png"]
    for path, (width, height) in zip(paths, sizes, strict=True):
        Image.fromarray(np.zeros((height, width), np.uint8)).save(path)
    frame = pd.DataFrame({"mat_id": ["a", "b"], name: list(map(str, paths))})
    with pytest.raises(UserError, match=message):
        pixels(frame, facet)
