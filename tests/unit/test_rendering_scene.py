"""Scenes of crystals, without a browser."""

import json

import numpy as np
import pytest
from pymatgen.core import Lattice, Structure

from polyfacet.facets.image import bonding
from polyfacet.facets.image.drawable import SCENE_NAME, CrystalScene, SceneError
from polyfacet.facets.image.scene import crystal_scene
from polyfacet.facets.image.settings import RenderSettings

SETTINGS = RenderSettings()


def rock_salt() -> Structure:
    return Structure.from_spacegroup("Fm-3m", Lattice.cubic(5.64), ["Na", "Cl"], [[0, 0, 0], [0.5, 0.5, 0.5]])


def perovskite() -> Structure:
    return Structure.from_spacegroup(
        "Pm-3m", Lattice.cubic(3.905), ["Sr", "Ti", "O"], [[0, 0, 0], [0.5, 0.5, 0.5], [0.5, 0.5, 0]]
    )


def chain() -> Structure:
    return Structure(Lattice.hexagonal(17, 3.5), ["Co", "O"], [[0.5, 0.5, 0.2], [0.5, 0.5, 0.7]])


def only_view(scene: CrystalScene) -> str:
    (text,) = scene.views.values()
    return text


def parts(structure: Structure, settings: RenderSettings = SETTINGS) -> dict[str, list[dict]]:
    scene = json.loads(only_view(crystal_scene(structure, settings)))
    return {part["name"]: part["contents"] for part in scene["contents"]}


def n_spheres(structure: Structure, settings: RenderSettings = SETTINGS) -> int:
    return sum(len(primitive["positions"]) for primitive in parts(structure, settings)["atoms"])


def test_rock_salt_has_six_bonds_per_formula_unit():
    assert crystal_scene(rock_salt(), SETTINGS).n_bonds == 24


def test_a_scene_has_the_name_that_the_viewer_replaces():
    assert json.loads(only_view(crystal_scene(chain(), SETTINGS)))["name"] == SCENE_NAME


def test_atoms_of_one_element_are_one_primitive():
    atoms = parts(perovskite())["atoms"]
    assert len(atoms) == 3
    assert len({primitive["color"] for primitive in atoms}) == 3


def test_scene_has_no_mouse_interaction():
    text = only_view(crystal_scene(perovskite(), SETTINGS))
    assert "tooltip" not in text
    assert '"clickable":true' not in text


def test_colour_scheme_is_applied():
    jmol = {primitive["color"] for primitive in parts(rock_salt(), RenderSettings(colors="Jmol"))["atoms"]}
    assert jmol == {"#ab5cf2", "#1ff01f"}
    assert jmol != {primitive["color"] for primitive in parts(rock_salt())["atoms"]}


def test_site_properties_are_not_drawn():
    magnetic = rock_salt()
    magnetic.add_site_property("magmom", [2.0] * len(magnetic))
    assert crystal_scene(magnetic, SETTINGS) == crystal_scene(rock_salt(), SETTINGS)


def test_without_bonds_there_are_neither_bonds_nor_polyhedra():
    settings = RenderSettings(bonds=False)
    assert crystal_scene(perovskite(), settings).n_bonds == 0
    assert not parts(perovskite(), settings).get("bonds")
    assert not parts(perovskite(), settings).get("polyhedra")
    assert parts(perovskite())["polyhedra"]


def test_bonded_atoms_of_other_cells_are_optional():
    inside = RenderSettings(bonded_sites_outside_unit_cell=False)
    assert n_spheres(rock_salt(), inside) == 27
    assert n_spheres(rock_salt()) > 27


def test_the_unit_cell_is_optional():
    (cell,) = parts(rock_salt())["unit_cell"]
    assert np.shape(cell["contents"][0]["positions"]) == (24, 3)
    assert "unit_cell" not in parts(rock_salt(), RenderSettings(unit_cell=False))


def placed_atoms(structure: Structure, settings: RenderSettings) -> np.ndarray:
    """Return the atoms' positions as the viewer places them, shape (n, 3), A."""
    scene = json.loads(only_view(crystal_scene(structure, settings)))
    (atoms,) = (part for part in scene["contents"] if part["name"] == "atoms")
    return np.concatenate([primitive["positions"] for primitive in atoms["contents"]]) + atoms["origin"]


def test_drawing_is_centred():
    corner = Structure(Lattice.cubic(12), ["O", "H"], [[0.2, 0.2, 0.2], [0.28, 0.2, 0.2]])
    atoms = placed_atoms(corner, RenderSettings(unit_cell=False))
    assert (atoms.min(axis=0) + atoms.max(axis=0)) / 2 == pytest.approx([0, 0, 0])


def test_without_centring_the_middle_is_that_of_the_cell():
    corner = Structure(Lattice.cubic(12), ["O", "H"], [[0.2, 0.2, 0.2], [0.28, 0.2, 0.2]])
    atoms = placed_atoms(corner, RenderSettings(unit_cell=False, centered=False, vacuum="keep"))
    assert atoms.min(axis=0) == pytest.approx([-3.6, -3.6, -3.6])


@pytest.mark.parametrize(("view", "extent"), [("z", (3, 4)), ("x", (4, 5)), ("y", (5, 3))])
def test_view_shows_the_two_axes_perpendicular_to_it(view, extent):
    box = Structure(Lattice([[3, 0, 0], [0, 4, 0], [0, 0, 5]]), ["Fe"], [[0, 0, 0]])
    (cell,) = parts(box, RenderSettings(views=[view]))["unit_cell"]
    edges = np.array(cell["contents"][0]["positions"])
    assert np.ptp(edges, axis=0)[:2] == pytest.approx(extent)


def test_the_views_of_a_crystal_show_the_same_bonds(monkeypatch):
    calls = []
    find = bonding.SiteCrystalNN.get_all_nn_info
    monkeypatch.setattr(
        bonding.SiteCrystalNN, "get_all_nn_info", lambda *args: calls.append(args) or find(*args)
    )
    scene = crystal_scene(perovskite(), RenderSettings(views=["a", "oblique", "z"]))
    assert list(scene.views) == ["a", "oblique", "z"]
    assert len(set(scene.views.values())) == 3
    assert scene.n_bonds == 18
    assert len(calls) == 1


def test_standard_cells_can_be_drawn():
    primitive = rock_salt().get_primitive_structure()
    conventional = RenderSettings(cell="conventional", bonded_sites_outside_unit_cell=False)
    assert crystal_scene(primitive, RenderSettings()).n_bonds == 6
    assert crystal_scene(primitive, conventional).n_bonds == 24
    assert n_spheres(primitive, conventional) == 27
    assert crystal_scene(rock_salt(), RenderSettings(cell="primitive")).n_bonds == 6


def test_polyhedra_are_optional():
    shown = parts(perovskite(), RenderSettings(polyhedra=False))
    assert "polyhedra" not in shown
    assert shown["bonds"]


def test_the_compass_is_optional():
    assert "axes" not in parts(chain())
    assert "axes" in parts(chain(), RenderSettings(show_compass=True))


def test_sites_outside_the_cell_are_moved_into_it():
    moved = Structure(
        chain().lattice, chain().species, chain().frac_coords + np.array([[1, 0, -2], [0, 3, 1]])
    )
    assert n_spheres(moved) == n_spheres(chain())


def shared_perovskite() -> Structure:
    """Return a perovskite in which barium and strontium share a site and a tenth of the oxygen is missing."""
    shared = Structure.from_spacegroup(
        "Pm-3m",
        Lattice.cubic(3.95),
        [{"Ba": 0.7, "Sr": 0.3}, "Ti", {"O": 0.9}],
        [[0, 0, 0], [0.5, 0.5, 0.5], [0.5, 0.5, 0]],
    )
    assert not shared.is_ordered
    return shared


def test_a_disordered_crystal_has_the_bonds_of_its_most_frequent_species():
    ordered = Structure.from_spacegroup(
        "Pm-3m", Lattice.cubic(3.95), ["Ba", "Ti", "O"], [[0, 0, 0], [0.5, 0.5, 0.5], [0.5, 0.5, 0]]
    )
    scene, of_ordered = crystal_scene(shared_perovskite(), SETTINGS), crystal_scene(ordered, SETTINGS)
    assert scene.bonding_failure is None
    assert scene.n_bonds == of_ordered.n_bonds > 0
    drawn, drawn_ordered = parts(shared_perovskite()), parts(ordered)
    for part in ("bonds", "polyhedra"):
        assert drawn[part] == drawn_ordered[part]


def test_the_sectors_of_a_shared_site_fill_both_halves_of_its_sphere():
    atoms = parts(shared_perovskite())["atoms"]
    sectors: dict[tuple, list[tuple]] = {}
    for primitive in atoms:
        if "phiStart" in primitive or "phiEnd" in primitive:
            for position in primitive["positions"]:
                sectors.setdefault(tuple(position), []).append(
                    (primitive["phiStart"], primitive["phiEnd"], primitive["color"])
                )
    n_titanium = sum(len(primitive["positions"]) for primitive in atoms if "phiEnd" not in primitive)
    assert len(sectors) + n_titanium == n_spheres(perovskite())
    shares = {}
    for parts_of_sphere in sectors.values():
        for half in (0, np.pi):
            front = sorted(one for one in parts_of_sphere if half <= one[0] < half + np.pi)
            ends = [start + width for start, width, _ in front]
            assert front[0][0] == pytest.approx(half)
            assert [start for start, *_ in front[1:]] == pytest.approx(ends[:-1])
            assert ends[-1] == pytest.approx(half + np.pi)
            shares[tuple(color for *_, color in front)] = [width / np.pi for _, width, _ in front]
    assert sorted(shares.values()) == [pytest.approx([0.7, 0.3]), pytest.approx([0.9, 0.1])]


def test_an_alloy_is_drawn():
    alloy = Structure(Lattice.cubic(3.6), [{"Cu": 0.5, "Au": 0.5}], [[0, 0, 0]])
    assert {primitive["color"] for primitive in parts(alloy)["atoms"]} == {
        primitive["color"]
        for element in ("Cu", "Au")
        for primitive in parts(Structure(alloy.lattice, [element], [[0, 0, 0]]))["atoms"]
    }


def test_bonds_across_the_vacuum_are_reported(monkeypatch):
    def across(structure):
        graph = bonding.unbonded(structure)
        graph.add_edge(0, 0, to_jimage=(1, 0, 0))
        return graph, None

    monkeypatch.setattr("polyfacet.facets.image.scene.bonded", across)
    scene = crystal_scene(Structure(Lattice.cubic(9), ["Ne"], [[0, 0, 0]]), SETTINGS)
    assert (scene.n_bonds, scene.bonding_failure) == (0, "all bonds cross the vacuum")


def test_bonding_failure_is_reported_and_drawn_without_bonds(monkeypatch):
    def fail(*_):
        raise RuntimeError("QH6154 initial simplex is flat")

    monkeypatch.setattr("polyfacet.facets.image.bonding.SiteCrystalNN.get_all_nn_info", fail)
    scene = crystal_scene(rock_salt(), SETTINGS)
    assert scene.bonding_failure == "RuntimeError: QH6154 initial simplex is flat"
    assert scene.n_bonds == 0
    assert scene.views == crystal_scene(rock_salt(), RenderSettings(bonds=False)).views


def test_found_or_unrequested_bonds_are_not_a_failure():
    assert crystal_scene(rock_salt(), SETTINGS).bonding_failure is None
    assert crystal_scene(rock_salt(), RenderSettings(bonds=False)).bonding_failure is None


def test_coordinates_that_are_not_finite_are_rejected():
    broken = Structure(Lattice.cubic(4), ["Na", "Cl"], [[0, 0, 0], [0.5, float("nan"), 0.5]])
    with pytest.raises(SceneError):
        crystal_scene(broken, RenderSettings(bonds=False))
