"""Scenes of CIF files, and why there is none."""

from pathlib import Path

import pytest
from pymatgen.core import Lattice, Structure

from polyfacet.rendering import cif_scene
from polyfacet.rendering.cif_scene import scene_of_cif
from polyfacet.rendering.drawable import CrystalScene, SceneError
from polyfacet.rendering.settings import RenderSettings


@pytest.fixture
def cif(tmp_path: Path) -> Path:
    path = tmp_path / "iron.cif"
    Structure(Lattice.cubic(2.87), ["Fe", "Fe"], [[0, 0, 0], [0.5, 0.5, 0.5]]).to(
        filename=str(path), fmt="cif"
    )
    return path


def give(monkeypatch: pytest.MonkeyPatch, scene: CrystalScene) -> None:
    monkeypatch.setattr(cif_scene, "crystal_scene", lambda structure, settings: scene)


def test_no_bonds_without_a_reason_are_refused(cif, monkeypatch):
    assert scene_of_cif(cif, RenderSettings()).n_bonds == 8
    give(monkeypatch, CrystalScene({"z": "{}"}, 0))
    with pytest.raises(SceneError, match="no bonds, and nothing says why"):
        scene_of_cif(cif, RenderSettings())


@pytest.mark.parametrize(
    ("settings", "failure"), [(RenderSettings(bonds=False), None), (RenderSettings(), "RuntimeError: Qhull")]
)
def test_no_bonds_are_fine_where_none_are_wanted_or_it_is_known_why(cif, monkeypatch, settings, failure):
    give(monkeypatch, CrystalScene({"z": "{}"}, 0, failure))
    assert scene_of_cif(cif, settings).bonding_failure == failure


def test_an_unforeseen_error_costs_one_picture_and_is_logged(cif, monkeypatch, caplog):
    def fail(structure: Structure, settings: RenderSettings) -> CrystalScene:
        raise ZeroDivisionError("of all things")

    monkeypatch.setattr(cif_scene, "crystal_scene", fail)
    with pytest.raises(SceneError, match="ZeroDivisionError: of all things"):
        scene_of_cif(cif, RenderSettings())
    assert "iron.cif" in caplog.text
