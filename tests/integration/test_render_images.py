"""The script of the picture stage, from a table of materials to pictures, manifest and rejects."""

import json
from pathlib import Path

import pytest
from handmade import list_structures
from pymatgen.core import Lattice, Structure

import render_images
from polyfacet.materials.stage_tables import PICTURES
from polyfacet.runtime.errors import UserError
from polyfacet.runtime.files import sha256_of_file
from polyfacet.runtime.parquet import read_table
from polyfacet.runtime.rejects import REJECTS

pytestmark = pytest.mark.usefixtures("browser")

OUTPUTS = {"images": "images", "manifest": "m.parquet", "rejected": "r.parquet", "provenance": "p.json"}


@pytest.fixture
def paths(tmp_path: Path) -> dict[str, Path]:
    """Return inputs with three materials, two of them with a readable structure, and the output paths."""
    structures, materials = tmp_path / "structures", tmp_path / "materials.parquet"
    structures.mkdir()
    for name, element in (("agm1", "Fe"), ("agm2", "W")):
        crystal = Structure(Lattice.cubic(3), [element, element], [[0, 0, 0], [0.5, 0.5, 0.5]])
        crystal.to(filename=str(structures / f"{name}.cif"), fmt="cif")
    (structures / "agm3.cif").touch()
    list_structures(structures, ["agm1", "agm3", "agm2"], materials)
    outputs = {name: tmp_path / "out" / file for name, file in OUTPUTS.items()}
    return {"structures": structures, "materials": materials, **outputs}


def test_every_material_has_a_picture_or_a_reason(paths):
    render_images.main(**paths, size=64, max_rejected_fraction=0.5)
    pictures = read_table(paths["manifest"], PICTURES)
    assert list(pictures["mat_id"]) == ["agm1", "agm2"]
    assert [sha256_of_file(paths["images"] / name) for name in pictures["image"]] == list(pictures["sha256"])
    assert {path.name for path in paths["images"].iterdir()} == set(pictures["image"])
    assert list(pictures["n_bonds"]) == [8, 8]
    rejects = read_table(paths["rejected"], REJECTS)
    assert list(rejects["mat_id"]) == ["agm3"]
    assert "CIF cannot be read" in rejects["reason"][0]
    assert json.loads(json.loads(paths["provenance"].read_text())["settings"])["size"] == 64


def test_too_many_rejects_stop_the_stage_with_the_reasons(paths):
    with pytest.raises(UserError, match=r"images: 1 of 3 .*\n  1 x CIF cannot be read: agm3.cif"):
        render_images.main(**paths, size=64, max_rejected_fraction=0.05)


def test_pictures_are_kept_until_their_settings_change(paths, tmp_path):
    def draw(size):
        render_images.main(
            **paths, size=size, max_rejected_fraction=0.5, kept=tmp_path / "kept" / "shard-0-of-1"
        )
        counts = json.loads(paths["provenance"].read_text())
        return (counts["made"], counts["kept"]), [
            path.read_bytes() for path in sorted(paths["images"].iterdir())
        ]

    first, pictures = draw(64)
    assert first == (2, 0)
    assert draw(64) == ((0, 2), pictures)
    assert draw(65)[0] == (2, 0)
