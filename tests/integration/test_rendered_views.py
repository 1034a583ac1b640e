"""Pictures of views, vacuum, disorder and large cells, drawn by a browser."""

import io
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from pymatgen.core import Lattice, Structure

from polyfacet.facets.image.capture import SceneCamera
from polyfacet.facets.image.cif_scene import scene_of_cif
from polyfacet.facets.image.pictures import arranged, image_name
from polyfacet.facets.image.scene import crystal_scene
from polyfacet.facets.image.settings import RenderSettings

pytestmark = pytest.mark.usefixtures("browser")

SIZE = 96
SETTINGS = RenderSettings(size=SIZE, sphere_segments=16)


@pytest.fixture(scope="module")
def camera():
    with SceneCamera(SETTINGS) as camera:
        yield camera


def pixels(png: bytes) -> np.ndarray:
    return np.asarray(Image.open(io.BytesIO(png)).convert("RGB")).astype(int)


def extent(png: bytes) -> tuple[int, int]:
    """Return the width and height of the drawn area, pixels."""
    drawn = (pixels(png) < 255).any(axis=-1)
    return np.ptp(np.flatnonzero(drawn.any(axis=0))) + 1, np.ptp(np.flatnonzero(drawn.any(axis=1))) + 1


def long_cell() -> Structure:
    return Structure(Lattice.tetragonal(3.2, 13), ["Mo", "Se", "W", "S"], [[0, 0, i / 4] for i in range(4)])


def chain() -> Structure:
    return Structure(Lattice.hexagonal(17, 3.5), ["Co", "O"], [[0.02, 0, 0.2], [0.98, 0, 0.7]])


def test_long_axis_is_visible_only_from_the_side(camera):
    settings = RenderSettings(size=SIZE, sphere_segments=16, views=["z", "a", "b", "oblique"])
    scene = crystal_scene(long_cell(), settings)
    pictures = {view: camera.take_picture(text) for view, text in scene.views.items()}
    (width, height), (across, upright) = extent(pictures["z"]), extent(pictures["a"])
    assert width == pytest.approx(height, abs=2)
    assert upright > 1.5 * across
    assert extent(pictures["b"]) == pytest.approx((upright, across), abs=2)
    assert extent(pictures["oblique"])[1] > 1.3 * extent(pictures["oblique"])[0]


def test_chain_in_vacuum_fills_the_picture_unless_vacuum_is_kept(camera):
    def colored(vacuum: str) -> float:
        settings = RenderSettings(size=SIZE, sphere_segments=16, vacuum=vacuum)
        (text,) = crystal_scene(chain(), settings).views.values()
        rgb = pixels(camera.take_picture(text))
        return float((np.ptp(rgb, axis=-1) > 60).mean())

    assert colored("trim") > 0.1
    assert colored("keep") < 0.02


def test_a_disordered_cif_shows_all_its_species(camera, tmp_path):
    path = tmp_path / "alloy.cif"
    alloy = Structure.from_spacegroup("Fm-3m", Lattice.cubic(3.85), [{"Au": 0.5, "Cu": 0.5}], [[0, 0, 0]])
    alloy.to(filename=str(path), fmt="cif")
    scene = scene_of_cif(path, SETTINGS)
    assert scene.n_bonds == 24
    (text,) = scene.views.values()
    red, _, blue = np.moveaxis(pixels(camera.take_picture(text)), -1, 0)
    gold, copper = (red > 1.5 * blue) & (red > 100), (blue > 1.5 * red) & (blue > 100)
    assert gold.mean() > 0.02
    assert copper.mean() > 0.02


def test_cell_with_more_than_two_hundred_sites_is_drawn(camera):
    salt = Structure.from_spacegroup("Fm-3m", Lattice.cubic(5.64), ["Na", "Cl"], [[0, 0, 0], [0.5] * 3])
    salt.make_supercell(3)
    scene = crystal_scene(salt, SETTINGS)
    assert len(salt) == 216
    assert scene.n_bonds == 648
    (text,) = scene.views.values()
    assert min(extent(camera.take_picture(text))) > 0.7 * SIZE


def test_several_views_are_one_montage_or_separate_pictures(camera):
    views = ("a", "b", "c", "oblique")
    settings = RenderSettings(size=SIZE, sphere_segments=16, views=views)
    scene = crystal_scene(long_cell(), settings)
    pngs = {view: camera.take_picture(text) for view, text in scene.views.items()}
    (sheet,) = arranged(pngs, settings).items()
    assert sheet[0] == "a+b+c+oblique"
    assert pixels(sheet[1]).shape == (SIZE, SIZE, 3)
    half = SIZE // 2
    for place, view in enumerate(views):
        line, column = divmod(place, 2)
        tile = pixels(sheet[1])[line * half :, column * half :][:half, :half]
        small = Image.open(io.BytesIO(pngs[view])).convert("RGB").resize((half, half))
        assert np.abs(tile - np.asarray(small)).mean() < 8
    columns = RenderSettings(size=SIZE, views=views, arrangement="columns")
    assert arranged(pngs, columns) == pngs


def test_each_of_several_views_has_a_folder():
    assert image_name("agm1", "z", 1) == "agm1.png"
    assert Path(image_name("agm1", "oblique", 4)) == Path("oblique/agm1.png")
