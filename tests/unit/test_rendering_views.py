"""Views: rotations of the crystal, and montages of several views."""

import io

import numpy as np
import pytest
from PIL import Image
from pymatgen.core import Lattice

from polyfacet.facets.image.montage import montage
from polyfacet.facets.image.views import rotation_of_view

TRICLINIC = Lattice.from_parameters(4, 5, 9, 80, 95, 112)


@pytest.mark.parametrize("view", ["z", "x", "y", "a", "b", "c", "oblique"])
def test_a_view_is_a_rotation(view):
    rotation = rotation_of_view(view, TRICLINIC)
    assert rotation @ rotation.T == pytest.approx(np.eye(3))
    assert np.linalg.det(rotation) == pytest.approx(1)


def test_view_along_z_is_the_identity():
    assert rotation_of_view("z", TRICLINIC).tolist() == np.eye(3).tolist()


@pytest.mark.parametrize(("view", "axis"), [("a", 0), ("b", 1), ("c", 2)])
def test_a_lattice_vector_points_at_the_viewer_and_the_next_one_to_the_right(view, axis):
    seen = TRICLINIC.matrix @ rotation_of_view(view, TRICLINIC).T
    assert seen[axis] == pytest.approx([0, 0, TRICLINIC.abc[axis]])
    assert seen[axis - 2][0] > 0
    assert seen[axis - 2][1] == pytest.approx(0)


def test_oblique_view_has_c_upright_and_shows_every_lattice_vector():
    seen = TRICLINIC.matrix @ rotation_of_view("oblique", TRICLINIC).T
    assert seen[2][0] == pytest.approx(0)
    assert seen[2][1] == pytest.approx(9 * np.cos(np.radians(20)))
    assert (np.linalg.norm(seen[:, :2], axis=1) > 0.3 * np.array(TRICLINIC.abc)).all()
    assert (seen[:, 2] > 0).sum() >= 2


def plain(color: str) -> bytes:
    content = io.BytesIO()
    Image.new("RGB", (30, 30), color).save(content, format="PNG")
    return content.getvalue()


def test_montage_shows_its_pictures_row_by_row():
    sheet = Image.open(io.BytesIO(montage([plain(c) for c in ("red", "lime", "blue")], 64)))
    assert sheet.size == (64, 64)
    places = [(16, 16), (48, 16), (16, 48), (48, 48)]
    assert [sheet.getpixel(place) for place in places] == [
        (255, 0, 0),
        (0, 255, 0),
        (0, 0, 255),
        (255, 255, 255),
    ]


@pytest.mark.parametrize(("n", "columns"), [(1, 1), (2, 2), (4, 2), (5, 3), (7, 3)])
def test_montage_is_as_square_as_possible(n, columns):
    sheet = np.asarray(Image.open(io.BytesIO(montage([plain("black")] * n, 60))))
    assert (sheet == 0).all(axis=-1).mean() == pytest.approx(n / columns**2)
