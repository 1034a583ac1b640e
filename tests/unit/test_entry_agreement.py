"""An entry agrees with itself: what contradicts its structure, or no material can have, is a named reject."""

import copy
import math
import re

import pyarrow.parquet as pq
import pytest
from fuzz.mutation import nested
from handmade import entry, rock_salt, write_entries
from pymatgen.core import Composition, Lattice, Structure

import describe_compositions
import sample as script
from polyfacet.sources.alexandria.entries import read_entries
from polyfacet.sources.alexandria.material import material_from_entry

MGO = rock_salt("Mg", "O", 4.21)
HDO = Structure(Lattice.cubic(3), ["H", "D", "O"], [[0.3, 0, 0], [0, 0.3, 0], [0, 0, 0]])
MG4O4 = MGO.copy().make_supercell([[-1, 1, 1], [1, -1, 1], [1, 1, -1]])


def changed(structure=MGO, **values):
    """Change a sound entry; ``data__formula=...`` replaces the formula of its data block."""
    result = copy.deepcopy(entry("m", structure))
    for path, value in values.items():
        *outer, last = path.split("__")
        inner = result
        for key in outer:
            inner = inner[int(key) if isinstance(inner, list) else key]
        inner[last] = value
    return result


def sampled(folder, items):
    """Sample all of some entries: the sample's rows and the reasons of the rejects."""
    outputs = [folder / name for name in ("sample.parquet", "rejected.parquet", "summary.json")]
    source = write_entries(folder / "entries.json", items)
    settings = {"n_materials": "all", "seed": 0, "filters": {}, "magnetization": "absolute"}
    # One sound entry beside, as a sample cannot be empty.
    other = write_entries(folder / "other.json", [entry("sound", MGO)])
    script.main([source, other], *outputs, **settings, max_rejected_fraction=1.0)
    rows = pq.read_table(outputs[0]).to_pylist()
    rejected = pq.read_table(outputs[1]).to_pylist()
    return {row["mat_id"]: row for row in rows}, [row["reason"] for row in rejected]


CONTRADICTIONS = [
    # Beside the data block, and in it.
    *[
        (changed(**{f"{place}{key}": value}), reason)
        for place in ("", "data__")
        for key, value, reason in (
            ("formula", "CaS", "^formula is 'CaS', but the structure is MgO"),
            ("formula_pretty", "CaS", "^formula_pretty is 'CaS', but the structure is MgO"),
            ("reduced_formula", "MgO2", "^reduced_formula is 'MgO2', but the structure is MgO"),
            ("reduced_formula", "no formula", "^reduced_formula cannot be read"),
            ("reduced_formula", ["MgO"], "^reduced_formula is list, not a text"),
            ("nsites", 3, "^nsites is 3, but the structure has 2 sites"),
            ("nsites", 1.5, "^nsites is 1.5, not a whole number"),
            ("num_sites", 4, "^num_sites is 4, but the structure has 2 sites"),
            ("n_atoms", 1, "^n_atoms is 1, but the structure has 2 atoms"),
            ("n_atoms", "2", "^n_atoms is '2', not a number"),
            ("nelements", 3, "^nelements is 3, but the structure has 2"),
            ("elements", ["Mg", "S"], r"^elements are \['Mg', 'S'\], but the structure holds Mg, O"),
            ("chemsys", "Ca-O", "^chemsys is 'Ca-O', but the structure holds Mg, O"),
            ("volume", 40.0, r"^volume is 40\.0, but the lattice has 18\.65"),
        )
    ],
    (changed(data__formula="CaS"), "formula is 'CaS', but the structure is MgO"),
    (changed(data__formula="Mg"), "formula is 'Mg', but the structure is MgO"),
    (changed(data__formula="MgO2"), "formula is 'MgO2', but the structure is MgO"),
    (changed(data__formula="no formula"), "cannot be read"),
    (changed(data__elements=["Mg", "S"]), r"elements are \['Mg', 'S'\], but the structure holds Mg, O"),
    (changed(data__elements=["Mg"]), "elements are"),
    (changed(data__elements="MgO"), "elements is 'MgO', not a list"),
    (changed(data__nelements=3), "nelements is 3, but the structure has 2"),
    (changed(HDO, data__nelements=4), "nelements is 4, but the structure has 2"),
    (changed(data__chemsys="Ca-O"), "chemsys is 'Ca-O', but the structure holds Mg, O"),
    (changed(data__chemsys=nested(900)), "chemsys is list, not a text"),
    (changed(data__elements=["Mg", nested(900)]), r"elements are \['Mg', list\], but the structure holds"),
    (changed(data__nsites=3), "nsites is 3, but the structure has 2 sites"),
    (changed(data__volume=40.0), r"volume is 40\.0, but the lattice has 18\.65"),
    (changed(data__composition={"Ca": 1, "O": 1}), r"composition is Ca1 O1, but the structure is Mg1 O1"),
    (changed(data__composition="CaO"), "composition is 'CaO', but the structure is MgO"),
    (changed(composition={"Mg": 1, "O": 2}), "composition is Mg1 O2, but the structure is Mg1 O1"),
    (changed(composition={"Mg": 4, "O": 4}), "composition is Mg4 O4, but the structure is Mg1 O1"),
    (changed(composition={"Mg": "one"}), "composition"),
    (changed(structure__lattice__volume=20.0), r"lattice volume is 20\.0, but the lattice has 18\.65"),
    (changed(structure__lattice__a=4.21), r"lattice a is 4\.21, but the lattice has 2\.97"),
    (changed(structure__lattice__gamma=90.0), r"lattice gamma is 90\.0, but the lattice has 60"),
    (changed(structure__sites__1__xyz=[0.0, 0.0, 1.0]), "xyz of site 1"),
    *[
        (changed(structure__sites__1__xyz=xyz), "xyz of site 1")
        for xyz in ([2.105, 4.21, 0.2], [1e20, 0.0, 0.0], [math.inf, 0, 0], [0, 0], ["0", 0, 0], nested(900))
    ],
    (changed(energy=-3.1), r"energy is -3\.1, but energy_total is -6\.2"),
    (
        changed(energy=-3.0, correction=3.0),
        r"energy is -3\.0, but energy_total is -6\.2 and energy_total with the correction is -3\.2",
    ),
    (changed(data__energy=-99.0), r"energy of the data block is -99\.0, but energy_total is -6\.2"),
    (changed(data__energy_per_atom=-99.0), r"energy_per_atom is -99\.0, but energy_total is -3\.1"),
    (changed(energy_per_atom=-6.2), r"energy_per_atom is -6\.2, but energy_total is -3\.1"),
    (
        changed(energy_adjustments=[{"adj_per_atom": -0.1, "n_atoms": 7}], correction=-0.7),
        "energy_adjustments: n_atoms is 7, but the structure has 2 atoms",
    ),
    (
        changed(energy_adjustments=[{"adj_per_deg": -0.1, "temp": 1, "n_atoms": -1}]),
        "energy_adjustments: n_atoms is -1, but the structure has 2 atoms",
    ),
    (changed(data__formula_pretty="KBr"), "formula_pretty is 'KBr', but the structure is MgO"),
    (changed(formula_pretty=7), "formula_pretty is 7, not a text"),
    (changed(data__composition_reduced="KBr"), "composition_reduced is 'KBr', but the structure is MgO"),
    (
        changed(data__composition_reduced={"K": 1, "Br": 1}),
        "composition_reduced is Br1 K1, but the structure is Mg1 O1",
    ),
    (changed(data__composition_reduced={"Mg": 1, "O": 2}), "composition_reduced is Mg1 O2"),
    (changed(data__composition_reduced={"Mg": 0, "O": 0}), "composition_reduced is Mg0 O0"),
    (changed(data__composition_reduced={"Mg": 1e308, "O": 1e308}), "composition_reduced is Mg1e"),
    (changed(data__composition_reduced=[1]), "composition_reduced is list, not amounts"),
    (changed(energy=math.nan), "energy is nan"),
    (changed(energy="low"), "energy is 'low', not a number"),
    (
        changed(data__energy_corrected=-9.0, correction=-0.5),
        r"energy_corrected is -9\.0, but .* add up to -6\.7",
    ),
    *[
        (changed(energy=energy, correction=None, data__energy_corrected=-1000.0), "energy_corrected is -1000")
        for energy in (None, -6.2, -1000.0)
    ],
    (changed(data__energy_corrected=3.9), r"energy_corrected is 3\.9, but energy_total is -6\.2: no"),
    (changed(data__energy_corrected=-996.2, correction=-990.0), "correction is -990 eV per cell"),
    (changed(correction=-990.0), "correction is -990 eV per cell, more than 5 eV per atom"),
    (changed(energy_adjustments=[{"value": -30.0}, {"value": -20.0}]), "sum of energy_adjustments is -50"),
    (
        changed(energy_adjustments=[{"value": -50.0}], correction=1e-7),
        "correction is 1e-07, but energy_adjustments add up to -50",
    ),
    (
        changed(energy_adjustments=[{"adj_per_atom": -0.7, "n_atoms": 1}], correction=-0.8),
        r"correction is -0\.8, but energy_adjustments add up to -0\.7",
    ),
    (
        changed(energy_adjustments=[{"value": -0.8}], data__energy_corrected=-6.2),
        r"energy_corrected is -6\.2, but energy_total and correction add up to -7",
    ),
    (changed(energy_adjustments="none"), "energy_adjustments is 'none', not a list"),
    (changed(energy_adjustments=[{"value": "low"}]), "energy_adjustments: value is 'low', not a number"),
]
IMPOSSIBLE = [
    (changed(data__band_gap_ind=-3), "gap is -3 eV, below 0"),
    (changed(data__e_above_hull=-5.0), "e_hull is -5 eV/atom, below 0"),
    (
        changed(data__dos_ef=-0.02, data__band_gap_ind=0.0),
        "dos_ef is -0.01 states/eV/atom, below 0: no metal has that",
    ),
    (changed(data__dos_ef=-4.0), "dos_ef is -2 states/eV/atom, below -1"),
    (changed(data__energy_total=1e300, energy=1e300), r"e_total is 5e\+299 eV/atom, above"),
    (changed(data__energy_total=-1e300, energy=-1e300), r"e_total is -5e\+299 eV/atom, below"),
    (changed(data__e_form=1e300), "e_form is 1e\\+300 eV/atom, above"),
    (changed(data__e_form=-1e4), "e_form is -10000 eV/atom, below"),
    (changed(data__e_above_hull=1e300), "e_hull is 1e\\+300 eV/atom, above"),
    (changed(data__band_gap_ind=1e5), "gap is 100000 eV, above"),
    (changed(data__dos_ef=1e300), "dos_ef is"),
    (changed(data__total_mag=-1e300), "mag_vol is"),
    (changed(data__band_gap_dir=-0.5, data__band_gap_ind=0.0), "band_gap_dir is -0.5 eV, below 0"),
    (changed(data__band_gap_dir=1.0), r"band_gap_dir is 1 eV, less than band_gap_ind, which is 1\.2"),
    (changed(data__band_gap_dir="wide"), "band_gap_dir is 'wide', not a number"),
    (
        changed(data__e_form=0.5, data__e_above_hull=0.1),
        r"e_above_hull is 0\.1 eV/atom, less than e_form, which is 0\.5",
    ),
]


@pytest.mark.parametrize(("item", "reason"), CONTRADICTIONS + IMPOSSIBLE)
def test_a_contradiction_is_a_reject_that_names_both_values(tmp_path, item, reason):
    rows, reasons = sampled(tmp_path, [item])
    assert list(rows) == ["sound"]
    assert len(reasons) == 1
    assert re.search(reason, reasons[0]), reasons


@pytest.mark.parametrize(
    ("item", "formula"),
    [
        *[
            (changed(data__formula=spelling), "MgO")
            for spelling in ("OMg", "Mg4O4", "Mg O", "Mg1O1", "(MgO)2")
        ],
        (changed(MG4O4), "MgO"),
        (changed(data__elements=["O", "Mg"], data__nelements=2, data__chemsys="O-Mg"), "MgO"),
        (changed(data__elements=None, composition={}), "MgO"),
        (changed(composition={"Mg2+": 1.0, "O2-": 1.0}, energy=-6.20001), "MgO"),
        # A correction is part of `energy` or not, as the source chose.
        (changed(data__energy_corrected=-7.0, correction=-0.8, energy=-7.0), "MgO"),
        (changed(data__energy_corrected=-7.0, correction=-0.8, energy=-6.2), "MgO"),
        (changed(energy=-3.2, correction=3.0), "MgO"),
        (changed(energy=-3.2, correction=3.0, data__energy=-6.2, data__energy_per_atom=-1.6), "MgO"),
        (changed(energy=-7.0, energy_adjustments=[{"adj_per_atom": -0.8, "n_atoms": 1}]), "MgO"),
        (changed(correction=-0.2, energy_adjustments=[{"adj_per_atom": -0.1, "n_atoms": 2}]), "MgO"),
        *[
            (changed(**{f"data__{key}": value}), "MgO")
            for key in ("energy", "energy_per_atom", "formula_pretty", "composition_reduced")
            for value in (None, math.nan)
        ],
        *[
            (changed(**{f"{place}{key}": value}), "MgO")
            for place in ("", "data__")
            for key, right in (
                *(("formula", "O2Mg2"), ("reduced_formula", "MgO"), ("nsites", 2), ("num_sites", 2.0)),
                *(("n_atoms", 2), ("nelements", 2), ("elements", ["O", "Mg"]), ("chemsys", "Mg-O")),
                ("volume", 18.65),
            )
            for value in (right, None, math.nan)
        ],
        # As the Materials Project names them.
        (changed(MG4O4, data__formula_pretty="MgO", data__composition_reduced={"Mg": 1, "O": 1}), "MgO"),
        (changed(data__formula_pretty="OMg", data__composition_reduced="MgO"), "MgO"),
        # O in the middle of the cube, and other images of it.
        *[
            (changed(structure__sites__1__xyz=xyz), "MgO")
            for xyz in ([2.105, 0.0, 0.0], [-2.105, 0, 0.001], [2.105, 2.105, 2.105], [2.105, 4210.0, 0.0])
        ],
        # The correction is not stated, or in parts.
        (changed(data__energy_corrected=-7.0, correction=None), "MgO"),
        (changed(data__energy_corrected=-7.0, energy_adjustments=[{"value": -0.5}, {"value": -0.3}]), "MgO"),
        (changed(correction=-0.8, energy_adjustments=[{"adj_per_atom": -0.8, "n_atoms": 1}]), "MgO"),
        (changed(correction=-0.8, energy_adjustments=[{"value": -0.1}, {"rule": "of another kind"}]), "MgO"),
        (changed(correction=-0.8, energy_adjustments=[]), "MgO"),
        # Values that were rounded, and values that say nothing.
        (changed(data__band_gap_dir=1.196), "MgO"),
        (changed(data__band_gap_dir=-1e-5, data__band_gap_ind=0.0), "MgO"),
        (changed(data__band_gap_dir=math.nan), "MgO"),
        (changed(data__band_gap_dir=None), "MgO"),
        *[
            (changed(**{f"data__{key}": value}), "MgO")
            for key in ("nsites", "formula", "spg", "nelements", "elements", "chemsys", "prototype_id")
            for value in (None, math.nan)
        ],
        (changed(data__formula=""), "MgO"),
        (changed(data__nsites=2.0, data__spg=225.0, data__nelements=2.0), "MgO"),
        (changed(data__e_form=0.134, data__e_above_hull=0.13), "MgO"),
        (changed(data__e_form=-0.7, data__e_above_hull=0.0), "MgO"),
        # Deuterium is an element of its own, or hydrogen.
        (changed(HDO, data__nelements=3, data__elements=["D", "H", "O"], data__chemsys="D-H-O"), "H2O"),
        (changed(HDO, data__nelements=2, data__elements=["H", "O"], data__chemsys="H-O"), "H2O"),
        (changed(HDO, data__nelements=3, composition={"H": 1, "D": 1, "O": 1}, data__formula="HDO"), "H2O"),
        # Smearing takes the density of states of an insulator below zero.
        (changed(data__dos_ef=-1.0), "MgO"),
        (changed(Structure(Lattice.cubic(3), ["O", "O"], [[0, 0, 0], [0.4, 0, 0]])), "O2"),
        (changed(Structure(Lattice.cubic(3), ["D", "D", "O"], [[0.3, 0, 0], [0, 0.3, 0], [0, 0, 0]])), "H2O"),
    ],
)
def test_a_sound_entry_has_the_formula_of_its_structure(tmp_path, item, formula):
    rows, reasons = sampled(tmp_path, [item])
    assert reasons == []
    assert rows["m"]["formula"] == formula


def test_values_rounded_below_zero_are_read_as_zero(tmp_path):
    item = changed(data__band_gap_ind=-1e-9, data__e_above_hull=-1e-5, data__dos_ef=-1e-6)
    rows, reasons = sampled(tmp_path, [item])
    assert reasons == []
    assert [rows["m"][target] for target in ("gap", "e_hull", "dos_ef")] == [0, 0, 0]


def test_the_text_of_a_material_is_that_of_its_structure_for_every_spelling(tmp_path):
    spellings = ["Fe2O3", "O3Fe2", "Fe4O6", "Fe 2 O 3"]
    oxide = Structure(
        Lattice.cubic(4.5),
        ["Fe"] * 2 + ["O"] * 3,
        [[0, 0, 0], [0.5, 0.5, 0.5], [0.5, 0, 0], [0, 0.5, 0], [0, 0, 0.5]],
    )
    items = [changed(oxide, data__formula=text, data__mat_id=f"m{i}") for i, text in enumerate(spellings)]
    rows, _ = sampled(tmp_path, items)
    assert {row["formula"] for name, row in rows.items() if name != "sound"} == {"Fe2O3"}
    describe_compositions.main(
        tmp_path / "sample.parquet",
        tmp_path / "text.parquet",
        tmp_path / "text.rejected.parquet",
        provenance=tmp_path / "provenance.json",
        shard=0,
        n_shards=1,
        form="composition",
        max_rejected_fraction=0.0,
    )
    texts = pq.read_table(tmp_path / "text.parquet").to_pylist()
    assert {row["text"] for row in texts if row["mat_id"] != "sound"} == {"Fe 2 O 3"}


def disordered(occupancy, mat_id="m", **data):
    """Rock salt whose cations are one half magnesium, and something else or nothing in the other half."""
    cell = Structure(Lattice.cubic(4.21), [occupancy, "O"], [[0, 0, 0], [0.5, 0, 0]])
    return entry(mat_id, cell, **({"formula": cell.composition.formula.replace(" ", "")} | data))


def test_a_half_occupied_site_is_half_an_atom(tmp_path):
    rows, reasons = sampled(tmp_path, [disordered({"Mg": 0.5}, energy_total=-6.0)])
    assert reasons == []
    row = rows["m"]
    assert (row["formula"], row["n_sites"]) == ("MgO2", 2)
    assert row["e_total"] == pytest.approx(-4.0)
    assert row["vol_atom"] == pytest.approx(4.21**3 / 1.5)
    assert row["dos_ef"] == pytest.approx(0.8 / 1.5)


@pytest.mark.parametrize(("n_atoms", "fits"), [(1.5, True), (2, True), (1.505, True), (1, False), (3, False)])
def test_atoms_are_counted_by_sites_or_by_occupancies(tmp_path, n_atoms, fits):
    _, reasons = sampled(tmp_path, [disordered({"Mg": 0.5}, energy_total=-6.0, n_atoms=n_atoms)])
    assert reasons == ([] if fits else [f"n_atoms is {n_atoms}, but the structure has 1.5 atoms"])


def test_rounded_occupancies_are_one_composition(tmp_path):
    shares = [1 / 3, 0.3333, 0.333]
    items = [
        disordered({"Mg": share, "Fe": 1 - share}, formula="Mg0.33Fe0.67O", mat_id=f"m{i}")
        for i, share in enumerate(shares)
    ]
    rows, reasons = sampled(tmp_path, items)
    assert reasons == []
    assert {Composition(rows[f"m{i}"]["formula"]) for i in range(3)} == {Composition("MgFe2O3")}
    assert len({rows[f"m{i}"]["formula"] for i in range(3)}) == 1


def test_no_real_entry_is_rejected(alexandria_1d):
    """A fifth of the one-dimensional entries, and some three-dimensional ones."""
    three_dimensional = alexandria_1d.parent / "alexandria_3d" / "alexandria_3d_small_110.json.bz2"
    for path in (alexandria_1d / "alexandria_1d_000.json.bz2", three_dimensional):
        for _, raw in read_entries(path):
            material_from_entry(raw)
