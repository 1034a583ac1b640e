"""Sites with one element in several valences, or with occupancies that carry rounding noise: full sites."""

import json
from typing import Any

import pytest
from handmade import entry, rock_salt
from pymatgen.core import Structure
from structure_stages import graphs_of, sampled_and_written, texts_of

from polyfacet.facets.image.cif_scene import scene_of_cif
from polyfacet.facets.image.settings import RenderSettings

IRON_OXIDE = rock_salt("Fe", "O", 4.33)
WATER = rock_salt("H", "O", 4.33)


def with_site(mat_id: str, species: Any, structure: Structure = IRON_OXIDE, **data: Any) -> dict[str, Any]:
    """Return rock salt with other species on its first site, as in an entry; ``data`` as in `entry`."""
    raw = entry(mat_id, structure, **data)
    raw["structure"]["sites"][0]["species"] = species
    return raw


def valence(element: str, charge: float, occupancy: float) -> dict[str, Any]:
    return {"element": element, "oxidation_state": charge, "occu": occupancy}


FULL_IRON = {
    "plain": [{"element": "Fe", "occu": 1}],
    "two-valences": [valence("Fe", 2, 0.5), valence("Fe", 3, 0.5)],
    "three-valences": [valence("Fe", 2, 0.3333), valence("Fe", 3, 0.3333), valence("Fe", 4, 0.3333)],
    "with-spin": [{**valence("Fe", 2, 0.4), "properties": {"spin": 5}}, valence("Fe", 2, 0.6)],
    "strings": [{"element": "Fe2+", "occu": 0.5}, {"element": "Fe3+", "occu": 0.5}],
    "one-string": ["Fe2+"],
    "same-twice": [{"element": "Fe", "occu": 0.25}, {"element": "Fe", "occu": 0.75}],
    "with-nothing": [{"element": "Ni", "occu": 0}, {"element": "Fe", "occu": 1.0}],
    "noise-below": [{"element": "Fe", "occu": 0.9999999}],
    "noise-above": [{"element": "Fe", "occu": 1.0000001}],
    "three-digits": [valence("Fe", charge, 0.333) for charge in (2, 3, 4)],
    "three-digits-one": [{"element": "Fe", "occu": 0.999}],
    "three-digits-above": [{"element": "Fe", "occu": 1.001}],
    "two-digits": [valence("Fe", charge, 0.33) for charge in (2, 3, 4)],
    "two-digits-in-single-precision": [valence("Fe", charge, 0.33000001311302185) for charge in (2, 3, 4)],
    "three-digits-six": [valence("Fe", charge, 0.167) for charge in range(1, 7)],
    "three-digits-of-many": [valence("Fe", charge, 0.083) for charge in range(1, 13)],
    "two-digits-above": [valence("Fe", charge, 0.17) for charge in range(1, 7)],
    "two-digits-two": [valence("Fe", 2, 0.33), valence("Fe", 3, 0.66)],
}
FULL_HYDROGEN = {
    "deuterium": [{"element": "D", "occu": 1}],
    "hydrogen-and-deuterium": [{"element": "H", "occu": 0.3}, {"element": "D", "occu": 0.7}],
    "charged-deuterium": [{"element": "D+", "occu": 0.5}, {"element": "T", "occu": 0.5}],
}
IMPOSSIBLE = {
    "too-full-two-digits": (
        [valence("Fe", 2, 0.34), valence("Fe", 3, 0.68)],
        "site 0 add up to 1.02, more than 1",
    ),
    "too-full-one-digit": (
        [valence("Fe", 2, 0.5), valence("Fe", 3, 0.6)],
        "site 0 add up to 1.1, more than 1",
    ),
    "too-full": ([{"element": "Fe", "occu": 1.002}], "site 0 add up to 1.002, more than 1"),
    "two-whole-valences": ([valence("Fe", 2, 1), valence("Fe", 3, 1)], "site 0 add up to 2, more than 1"),
    "empty": ([{"element": "Fe", "occu": 0}], "site 0 is empty"),
    "negative": ([valence("Fe", 2, 1.5), valence("Fe", 3, -0.5)], "occupancy of site 0 is negative"),
    "not-a-number": ([{"element": "Fe", "occu": "half"}], "occupancy of site 0 is 'half', not a number"),
    "dummy": ([{"element": "X2+", "occu": 1}], "unknown element 'X2+' at site 0"),
    "properties": ([{"element": "Fe2+,(1,)", "occu": 1}], "unknown element 'Fe2+,(1,)' at site 0"),
    "mapping": ({"Fe2+": 0.5, "Fe3+": 0.5}, "site 0 has no list of species"),
}


def drawn_atoms(cif) -> list[dict[str, Any]]:
    (text,) = scene_of_cif(cif, RenderSettings()).views.values()
    return next(part for part in json.loads(text)["contents"] if part["name"] == "atoms")["contents"]


@pytest.mark.parametrize(
    ("cases", "structure"), [(FULL_IRON, IRON_OXIDE), (FULL_HYDROGEN, WATER)], ids=["iron", "hydrogen"]
)
def test_a_full_site_is_full_everywhere(tmp_path, cases, structure):
    reference = entry("reference", structure)
    items = [reference, *(with_site(name, species, structure) for name, species in cases.items())]
    sampled, written = sampled_and_written(tmp_path, items)
    assert set(written.rows) == {"reference", *cases}
    graphs, texts = graphs_of(tmp_path), texts_of(tmp_path)
    atoms = drawn_atoms(tmp_path / "cif" / "reference.cif")
    for name in cases:
        assert sampled.rows[name]["structure"] == sampled.rows["reference"]["structure"], name
        assert written.rows[name]["sha256"] == written.rows["reference"]["sha256"], name
        assert sorted(graphs.rows[name]["atomic_numbers"]) == sorted(site.specie.Z for site in structure), (
            name
        )
        assert texts.rows[name]["text"] == texts.rows["reference"]["text"], name
        assert drawn_atoms(tmp_path / "cif" / f"{name}.cif") == atoms, name


def test_impossible_occupancies_are_rejected_with_a_reason(tmp_path):
    items = [with_site(name, species) for name, (species, _) in IMPOSSIBLE.items()]
    sampled, _ = sampled_and_written(tmp_path, [entry("sound", IRON_OXIDE), *items])
    assert set(sampled.rows) == {"sound"}
    for name, (_, reason) in IMPOSSIBLE.items():
        assert reason in sampled.reasons[name]


def test_real_partial_occupancies_stay_partial(tmp_path):
    """Only the shares of the same element on a site are added; vacancies and second elements remain."""
    items = [
        with_site("half", [valence("Fe", 2, 0.25), valence("Fe", 3, 0.25)], formula="Fe0.5O"),
        with_site(
            "two",
            [valence("Fe", 2, 0.3), valence("Fe", 3, 0.3), {"element": "Mg", "occu": 0.4}],
            formula="Mg0.4Fe0.6O",
            elements=["Fe", "Mg", "O"],
        ),
        with_site(
            "two-noisy",
            [valence("Fe", 2, 0.3333), {"element": "Mg", "occu": 0.6666}],
            formula="Mg2FeO3",
            elements=["Fe", "Mg", "O"],
        ),
        with_site("vacancies", [{"element": "Fe", "occu": 0.99}], formula="Fe0.99O"),
        with_site("tenths", [valence("Fe", charge, 0.3) for charge in (2, 3, 4)], formula="Fe0.9O"),
        with_site("thirds", [valence("Fe", 2, 0.33), valence("Fe", 3, 0.33)], formula="Fe0.66O"),
    ]
    sampled, written = sampled_and_written(tmp_path, items)
    held = {
        name: Structure.from_dict(json.loads(row["structure"]))[0].species.as_dict()
        for name, row in sampled.rows.items()
    }
    assert held == {
        "half": {"Fe": 0.5},
        "two": pytest.approx({"Fe": 0.6, "Mg": 0.4}),
        "two-noisy": pytest.approx({"Fe": 1 / 3, "Mg": 2 / 3}, abs=1e-4),
        "vacancies": {"Fe": 0.99},
        "tenths": {"Fe": pytest.approx(0.9)},
        "thirds": {"Fe": pytest.approx(0.66)},
    }
    assert sum(held["two-noisy"].values()) == pytest.approx(1, abs=1e-12)
    assert set(written.rows) == set(held)
    graphs, texts = graphs_of(tmp_path), texts_of(tmp_path)
    for name in held:
        assert "not one element" in graphs.reasons[name]
        assert "a site is shared" in texts.reasons[name]
    colors = {name: len(drawn_atoms(tmp_path / "cif" / f"{name}.cif")) for name in held}
    assert colors["two-noisy"] == colors["two"]


def test_formulas_with_unrounded_sums_of_occupancies_are_accepted(tmp_path):
    """Pymatgen's formula counts 0.99 atoms for three times 0.33, on each of many sites."""
    thirds = [{"element": element, "occu": 0.33} for element in ("Fe", "Co", "Ni")]
    rock = IRON_OXIDE.copy().make_supercell(3)
    items = []
    for name, species, stated in [
        ("valences", [valence("Fe", charge, 0.33) for charge in (2, 3, 4)], {"Fe": 26.73, "O": 27}),
        ("many-digits", [valence("Fe", charge, 0.333) for charge in (2, 3, 4)], {"Fe": 26.973, "O": 27}),
        ("elements", thirds, {"Fe": 8.91, "Co": 8.91, "Ni": 8.91, "O": 27}),
    ]:
        raw = entry(name, rock)
        for site in raw["structure"]["sites"][:27]:
            site["species"] = species
        formula = "".join(f"{symbol}{amount:g}" for symbol, amount in stated.items())
        raw["data"] |= {"formula": formula, "elements": list(stated), "composition": stated}
        items.append(raw | {"composition": stated})
    sampled, _ = sampled_and_written(tmp_path, items)
    assert {name: row["formula"] for name, row in sampled.rows.items()} == {
        "valences": "FeO",
        "many-digits": "FeO",
        "elements": "FeCoNiO3",
    }
