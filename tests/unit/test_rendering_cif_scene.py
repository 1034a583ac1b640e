"""Scenes of CIF files, and the reasons if there are none."""

from pathlib import Path

import pytest
from pymatgen.core import Lattice, Structure

from polyfacet.facets.image import cif_scene
from polyfacet.facets.image.cif_scene import scene_of_cif
from polyfacet.facets.image.drawable import CrystalScene, SceneError
from polyfacet.facets.image.pymatgen_compat import SiteCrystalNN
from polyfacet.facets.image.settings import RenderSettings
from polyfacet.materials.cif import write_cif

HEXAGONAL = [[1 / 3, 2 / 3, 0.25], [2 / 3, 1 / 3, 0.75]]
FACE_CENTRED = [[0, 0, 0], [0.5, 0.5, 0], [0.5, 0, 0.5], [0, 0.5, 0.5]]


@pytest.fixture
def cif(tmp_path: Path) -> Path:
    path = tmp_path / "iron.cif"
    Structure(Lattice.cubic(2.87), ["Fe", "Fe"], [[0, 0, 0], [0.5, 0.5, 0.5]]).to(
        filename=str(path), fmt="cif"
    )
    return path


WITHOUT_BONDS = {
    "argon": Structure(Lattice.cubic(5.31).matrix, ["Ar"] * 4, FACE_CENTRED),
    "helium": Structure(
        Lattice.hexagonal(3.53, 5.69), ["He"] * 2, [[1 / 3, 2 / 3, 0.25], [2 / 3, 1 / 3, 0.75]]
    ),
    "lone-atom": Structure(Lattice.cubic(15), ["Fe"], [[0, 0, 0]]),
    "far-apart": Structure(Lattice.cubic(20), ["Fe", "Fe"], [[0, 0, 0], [0.5, 0.5, 0.5]]),
    "dilute": Structure(Lattice.cubic(5), ["Na"], [[0, 0, 0]]),
}


@pytest.mark.parametrize("vacuum", ["trim", "keep"])
@pytest.mark.parametrize("name", WITHOUT_BONDS)
def test_crystals_without_bonds_are_drawn_with_a_reason(tmp_path, name, vacuum):
    write_cif(WITHOUT_BONDS[name], tmp_path / "x.cif")
    scene = scene_of_cif(tmp_path / "x.cif", RenderSettings(vacuum=vacuum))
    assert scene.n_bonds == 0
    assert scene.bonding_failure
    plain = scene_of_cif(tmp_path / "x.cif", RenderSettings(vacuum=vacuum, bonds=False))
    assert scene.views == plain.views
    assert plain.bonding_failure is None


def test_unexpected_error_costs_one_picture_and_is_logged(cif, monkeypatch, caplog):
    def fail(structure: Structure, settings: RenderSettings) -> CrystalScene:
        raise ZeroDivisionError("of all things")

    monkeypatch.setattr(cif_scene, "crystal_scene", fail)
    with pytest.raises(SceneError, match="ZeroDivisionError: of all things"):
        scene_of_cif(cif, RenderSettings())
    assert "iron.cif" in caplog.text


@pytest.mark.parametrize("failure", [MemoryError("no room"), OSError(24, "too many open files")])
def test_machine_failure_is_not_a_reject(cif, monkeypatch, failure):
    def fail(*_: object) -> CrystalScene:
        raise failure

    monkeypatch.setattr(cif_scene, "crystal_scene", fail)
    with pytest.raises(type(failure)):
        scene_of_cif(cif, RenderSettings())


def test_machine_failure_does_not_lead_to_a_picture_without_bonds(cif, monkeypatch):
    def fail(*_: object) -> None:
        raise MemoryError

    monkeypatch.setattr(SiteCrystalNN, "get_nn_info", fail)
    with pytest.raises(MemoryError):
        scene_of_cif(cif, RenderSettings())
