"""Cells too large for memory, and cells of odd shapes: soon a result, or a reject with a reason."""

import json
import time

import numpy as np
import pytest
from handmade import entry, rock_salt
from pymatgen.core import Lattice, Structure
from structure_stages import graphs_of, sampled_and_written, texts_of

from polyfacet.config.completion import complete_config
from polyfacet.facets.image.cif_scene import scene_of_cif
from polyfacet.facets.image.drawable import SceneError
from polyfacet.facets.image.settings import RenderSettings
from polyfacet.materials.cell_size import MAX_SITES

SALT = rock_salt("Na", "Cl", 5.64)
IRREGULAR = Structure(
    Lattice.from_parameters(7.1, 7.9, 8.3, 81, 95, 104),
    ["Mg", "O"] * 5,
    [[i / 10, (i * i % 10) / 10, (i * 7 % 10) / 10] for i in range(10)],
)


def huge_entry(n_sites: int):
    """Return an entry of a cubic lattice; made without pymatgen, which would be slow."""
    edge = round(n_sites ** (1 / 3)) + 1
    raw = entry("huge", Structure(Lattice.cubic(3.0 * edge), ["Fe"], [[0, 0, 0]]))
    places = [(x, y, z) for x in range(edge) for y in range(edge) for z in range(edge)][:n_sites]
    raw["structure"]["sites"] = [
        {"species": [{"element": "Fe", "occu": 1}], "abc": [x / edge, y / edge, z / edge]}
        for x, y, z in places
    ]
    raw["data"] |= {"nsites": n_sites, "energy_total": -3.1 * n_sites}
    raw["energy"] = raw["data"]["energy_total"]
    return raw


def test_the_limits_match_the_configuration():
    assert complete_config({"sources": ["x"]})["max_sites"] == MAX_SITES
    # The largest cells of the published study's source have about 220 sites.
    assert min(MAX_SITES["structures"], MAX_SITES["images"]) > 224


def test_a_cell_of_twenty_thousand_sites_is_rejected_at_once(tmp_path):
    start = time.process_time()
    sampled, written = sampled_and_written(tmp_path, [huge_entry(20_000), entry("salt", SALT)])
    assert set(sampled.rows) == {"huge", "salt"}
    assert set(written.rows) == {"salt"}
    assert written.reasons == {
        "huge": "the cell has 20000 sites, more than max_sites.structures allows (2000)"
    }
    assert time.process_time() - start < 10


def test_every_stage_rejects_a_cell_above_its_limit_and_goes_on(tmp_path):
    items = {"salt": SALT, "irregular": IRREGULAR, "supercell": SALT * (2, 2, 2)}
    _, written = sampled_and_written(tmp_path, [entry(name, item) for name, item in items.items()])
    assert set(written.rows) == set(items)
    reason = "the cell has 10 sites, more than max_sites.{} allows (9)"
    graphs = graphs_of(tmp_path, max_sites=9)
    # A graph is made of the primitive cell.
    assert set(graphs.rows) == {"salt", "supercell"}
    assert graphs.reasons == {"irregular": reason.format("graphs")}
    texts = texts_of(tmp_path, max_sites=9)
    assert set(texts.rows) == {"salt"}
    assert texts.reasons["irregular"] == reason.format("texts")
    assert len(graphs_of(tmp_path, max_sites=10).rows) == len(items)


def test_the_limit_of_pictures_applies_to_the_drawn_cell(tmp_path):
    sampled_and_written(tmp_path, [entry("salt", SALT)])
    cif = tmp_path / "cif" / "salt.cif"
    assert scene_of_cif(cif, RenderSettings(max_sites=7)).n_bonds == 6
    with pytest.raises(SceneError, match=r"the cell has 8 sites, more than max_sites.images allows \(7\)"):
        scene_of_cif(cif, RenderSettings(max_sites=7, cell="conventional"))
    with pytest.raises(SceneError, match="2 sites"):
        scene_of_cif(cif, RenderSettings(max_sites=1))


REFUSED = {
    "tiny-vector": (
        Lattice.orthorhombic(0.01, 100, 100),
        "the lattice repeats every 0.01 A, less than 0.5 A",
    ),
    "tiny-plane": (Lattice.orthorhombic(0.01, 0.01, 9000), "the lattice repeats every 0.01 A"),
    "hidden-tiny": (Lattice([[10, 0, 0], [10.01, 0, 0], [0, 9, 0]]), "cell volume is 0"),
    "hidden-short": (Lattice([[10, 0, 0], [10, 0.02, 0], [0, 9, 9000]]), "the lattice repeats every 0.02 A"),
    "dense": (Lattice.cubic(0.6), "A^3 per site, less than 0.5 A^3"),
}
ODD = {
    "needle": Structure(Lattice.orthorhombic(1.2, 1.2, 9000), ["Fe", "O"], [[0, 0, 0], [0.5, 0.5, 2 / 9000]]),
    "plate": Structure(Lattice.orthorhombic(3, 9000, 9000), ["Fe", "O"], [[0, 0, 0], [0.5, 0, 1.2 / 9000]]),
    "lone-atom": Structure(Lattice.cubic(9900), ["Fe"], [[0, 0, 0]]),
    "far-apart": Structure(Lattice.orthorhombic(1.2, 1.2, 9000), ["Fe", "O"], [[0, 0, 0], [0.5, 0.5, 0.5]]),
    "skewed": Structure(Lattice([[3, 0, 0], [90, 3, 0], [60, 0, 3]]), ["Fe", "O"], [[0, 0, 0], [0.5] * 3]),
}


def test_cells_of_odd_shapes_finish_soon(tmp_path):
    start = time.process_time()
    lattices = {name: Structure(lattice, ["Fe"], [[0, 0, 0]]) for name, (lattice, _) in REFUSED.items()}
    items = {**lattices, **ODD}
    sampled, written = sampled_and_written(tmp_path, [entry(name, item) for name, item in items.items()])
    reasons = {**sampled.reasons, **written.reasons}
    assert {name for name in items if name in reasons} == set(REFUSED)
    for name, (_, reason) in REFUSED.items():
        assert reason in reasons[name]
    graphs, texts = graphs_of(tmp_path), texts_of(tmp_path)
    inside = graphs_of(tmp_path, across_vacuum=False)
    for name in ODD:
        assert name in graphs.rows or graphs.reasons[name]
        assert name in inside.rows or inside.reasons[name]
        assert name in texts.rows or texts.reasons[name]
        scene = scene_of_cif(tmp_path / "cif" / f"{name}.cif", RenderSettings())
        assert scene.n_bonds or scene.bonding_failure
        for view in scene.views.values():
            assert np.isfinite(json.loads(view)["contents"][0]["origin"]).all()
    assert time.process_time() - start < 60
