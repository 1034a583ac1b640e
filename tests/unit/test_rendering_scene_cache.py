"""Cached scenes are the same as newly made ones, and none is mistaken for another."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from project import PROJECT
from pymatgen.core import Lattice, Structure

from polyfacet.facets.image import cif_scene, scene_cache
from polyfacet.facets.image.drawable import SceneError
from polyfacet.facets.image.scene_cache import SceneMaker
from polyfacet.facets.image.settings import RenderSettings

SETTINGS = RenderSettings()


@pytest.fixture
def cif(tmp_path: Path) -> Path:
    path = tmp_path / "iron.cif"
    Structure(Lattice.cubic(2.87), ["Fe", "Fe"], [[0, 0, 0], [0.5, 0.5, 0.5]]).to(
        filename=str(path), fmt="cif"
    )
    return path


@pytest.fixture
def made(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Return the names of the files whose scenes have been made."""
    names = []
    plain = cif_scene.scene_of_cif

    def noted(path: Path, settings: RenderSettings):
        names.append(path.name)
        return plain(path, settings)

    monkeypatch.setattr(cif_scene, "scene_of_cif", noted)
    return names


def test_a_scene_is_made_once_and_stays_the_same(cif, made, tmp_path):
    scenes = [SceneMaker(SETTINGS, tmp_path / "scenes").scene(cif) for _ in range(3)]
    assert made == ["iron.cif"]
    assert scenes == [SceneMaker(SETTINGS).scene(cif)] * 3


def test_settings_of_the_viewer_do_not_change_the_scene(cif, made, tmp_path):
    for settings in (SETTINGS, RenderSettings(size=64, sphere_segments=8, webgl="swiftshader")):
        SceneMaker(settings, tmp_path / "scenes").scene(cif)
    assert len(made) == 1


@pytest.mark.parametrize(
    "settings",
    [RenderSettings(colors="Jmol"), RenderSettings(bonds=False), RenderSettings(unit_cell=False)],
    ids=["colours", "bonds", "unit cell"],
)
def test_other_settings_make_another_scene(cif, made, tmp_path, settings):
    one = SceneMaker(SETTINGS, tmp_path / "scenes").scene(cif)
    other = SceneMaker(settings, tmp_path / "scenes").scene(cif)
    assert len(made) == 2
    assert one != other


def test_another_structure_of_the_same_name_has_its_own_scene(cif, made, tmp_path):
    maker = SceneMaker(SETTINGS, tmp_path / "scenes")
    before = maker.scene(cif)
    Structure(Lattice.cubic(3.2), ["W", "W"], [[0, 0, 0], [0.5, 0.5, 0.5]]).to(filename=str(cif), fmt="cif")
    assert maker.scene(cif) != before
    assert len(made) == 2


@pytest.mark.parametrize("damage", [b"", b"not gzip", None], ids=["empty", "something else", "cut off"])
def test_a_damaged_scene_is_made_again(cif, made, tmp_path, damage):
    maker = SceneMaker(SETTINGS, tmp_path / "scenes")
    scene = maker.scene(cif)
    (kept,) = (tmp_path / "scenes").iterdir()
    content = kept.read_bytes()
    kept.write_bytes(content[:50] if damage is None else damage)
    assert maker.scene(cif) == scene
    assert kept.read_bytes() == content
    assert len(made) == 2


def test_failure_is_not_cached(made, tmp_path):
    maker = SceneMaker(SETTINGS, tmp_path / "scenes")
    with pytest.raises(SceneError, match="structure file absent.cif is missing"):
        maker.scene(tmp_path / "absent.cif")
    (tmp_path / "bad.cif").write_text("data_\n")
    for _ in range(2):
        with pytest.raises(SceneError):
            maker.scene(tmp_path / "bad.cif")
    assert made == ["bad.cif", "bad.cif"]
    assert not (tmp_path / "scenes").exists()


WRITE_AND_HANG = """
import signal, sys
from pathlib import Path
from polyfacet.facets.image import scene_cache
from polyfacet.facets.image.drawable import CrystalScene

def hang(*arguments, **options):
    print("writing", flush=True)
    signal.pause()

scene_cache.gzip.compress = hang
scene_cache.asdict = lambda scene: {}
scene_cache._write(Path(sys.argv[1]) / "scene.json.gz", None)
"""


def test_files_of_killed_processes_are_removed_and_those_being_written_are_not(cif, tmp_path):
    folder = tmp_path / "scenes"
    command = [sys.executable, "-c", WRITE_AND_HANG, str(folder)]
    environment = {**os.environ, "PYTHONPATH": str(PROJECT / "workflow")}
    writers = [
        subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, text=True) for _ in range(2)
    ]
    try:
        assert [writer.stdout.readline() for writer in writers] == ["writing\n"] * 2
        assert len(list(folder.glob("*.part"))) == 2
        SceneMaker(SETTINGS, folder)
        assert len(list(folder.glob("*.part"))) == 2, "both are being written"
        writers[0].kill()
        writers[0].wait()
        SceneMaker(SETTINGS, folder)
        assert len(list(folder.glob("*.part"))) == 1
    finally:
        for writer in writers:
            writer.kill()
            writer.communicate()
    SceneMaker(SETTINGS, folder).scene(cif)
    assert [path.suffix for path in folder.iterdir()] == [".gz"]


def test_scene_that_cannot_be_written_leaves_no_file(cif, tmp_path, monkeypatch):
    def full(*_: object, **__: object) -> bytes:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(scene_cache.gzip, "compress", full)
    with pytest.raises(OSError, match="No space left"):
        SceneMaker(SETTINGS, tmp_path / "scenes").scene(cif)
    assert not list((tmp_path / "scenes").iterdir())
