"""Formulas as stated in tables: what is read as a hydrate, and what is rejected with which advice."""

import re
import unicodedata

import pytest

from polyfacet.materials.adducts import SEPARATORS
from polyfacet.materials.formula import FormulaError, parse_formula
from polyfacet.materials.stated_formulas import parse_stated_formula


def shares(amounts):
    """Return the share of each element."""
    return {symbol: amount / sum(amounts.values()) for symbol, amount in amounts.items()}


def refusal(formula, brackets="atoms"):
    """Return the message with which a formula is rejected."""
    with pytest.raises(FormulaError) as error:
        parse_stated_formula(formula, brackets)
    return str(error.value)


BLUE_VITRIOL = {"Cu": 1, "S": 1, "O": 9, "H": 10}


@pytest.mark.parametrize(
    "formula",
    [
        "CuSO4.5H2O",
        "CuSO4 . 5H2O",
        "CuSO4\u00a0\u00b7\u20095\u00a0H2O",
        "CuSO4. 5 H2O",
        "CuSO4 • 5 H2O",
        "CuSO4.5(H2O)",
        "CuSO4.(H2O)5",
        "CuSO₄.5H₂O",
        "CuSO4·H2O·4H2O",
        "CuSO4.H2O.4H2O",
        "CuSO4 x 5 H2O",
        "CuSO4 x 5H2O",
        "CuSO4 x5H2O",
        "CuSO4x5H2O",
        "CuSO4 X 5H2O",
    ],
)
def test_a_hydrate_is_read_however_its_dot_is_typed(formula):
    assert parse_stated_formula(formula) == BLUE_VITRIOL


@pytest.mark.parametrize("dot", SEPARATORS, ids=unicodedata.name)
def test_every_dot_except_the_full_stop_is_that_of_a_hydrate(dot):
    assert parse_stated_formula(f"CuSO4{dot}5H2O") == BLUE_VITRIOL
    assert parse_stated_formula(f"CuSO₄ {dot} 5 H₂O") == BLUE_VITRIOL


def test_dots_of_all_scripts_are_known():
    dots = "\u00b7\u0387\u2022\u2027\u2219\u22c5\u2e31\u30fb\uff65\ua78f\u25cf\u2217\u00d7\u2a2f*"
    assert set(dots) <= set(SEPARATORS)


@pytest.mark.parametrize(
    ("formula", "same"),
    [
        ("MgSO4.7H2O", "MgSO4(H2O)7"),
        ("Na2CO3.10H2O", "Na2CO3(H2O)10"),
        ("CuSO4.H2O", "CuSO4(H2O)"),
        ("CaSO4.0.5H2O", "Ca2S2O8(H2O)"),
        ("CaSO4·0.5H2O", "Ca2S2O8(H2O)"),
        ("KAl(SO4)2.12H2O", "KAl(SO4)2(H2O)12"),
        ("K3PW12O40.H2O", "K3PW12O40(H2O)"),
        ("H3PW12O40.6H2O", "H3PW12O40(H2O)6"),
        ("UO2.2H2O", "UO2(H2O)2"),
        ("H4SiW12O40.26H2O", "H4SiW12O40(H2O)26"),
        ("H3PMo12O40.28H2O", "H3PMo12O40(H2O)28"),
        ("CH3COONa.3H2O", "CH3COONa(H2O)3"),
        ("(CH3COO)2Zn.2H2O", "(CH3COO)2Zn(H2O)2"),
        ("NaBr.2H2O", "NaBr(H2O)2"),
        ("Ba(OH)2.8H2O", "Ba(OH)2(H2O)8"),
        ("K4[Fe(CN)6].3H2O", "K4Fe(CN)6(H2O)3"),
        ("NiCl2.6NH3", "NiCl2(NH3)6"),
        ("CoCl2.2C5H5N", "CoCl2(C5H5N)2"),
        ("ZrCl4.2C6H6", "ZrCl4(C6H6)2"),
        ("TiCl4.2C4H8O2", "TiCl4(C4H8O2)2"),
        ("Ga2Cl4.2C6H6", "Ga2Cl4(C6H6)2"),
        ("3CaO·Al2O3", "Ca3Al2O6"),
        ("MgO.Al2O3", "MgAl2O4"),
        ("3CaO.2SiO2.3H2O", "Ca3Si2O7(H2O)3"),
        ("60SiO2.40Na2O", "Si3Na4O8"),
        ("6CaO.Al2O3.3CaSO4.32H2O", "Ca9Al2S3O21(H2O)32"),
        ("BaTiO3.0.05SrTiO3", "Ba20Ti21O63Sr"),
        ("0.7PbTiO3.0.3BiScO3", "Pb7Ti7Bi3Sc3O30"),
        ("LiBH4.0.25LiI", "Li5B4H16I"),
        ("FeSO4.7H2O.", "FeSO4(H2O)7"),
        ("FeO1.0H2O", "FeO(H2O)"),
        ("Fe0.5.H2O", "FeH4O2"),
        ("Al2O3·2SiO2·2H2O", "Al2Si2O9H4"),
        ("Al2O3·2SiO2.2H2O", "Al2Si2O9H4"),
        ("La0.5Sr0.5MnO3·5H2O", "LaSrMn2O6(H2O)10"),
        ("YBa2Cu3O6.5", "Y2Ba4Cu6O13"),
        # In alphabetical order, as programs write them.
        ("Bi2CaCu2O8.2Sr2", "Bi10Ca5Cu10O41Sr10"),
        ("NiO4.2Pr2", "Ni5O21Pr10"),
        ("B3 H2 O7.5 Pb2", "B6H4O15Pb4"),
        ("Sb2Se11.68Tm4", "Sb50Se292Tm100"),
        # Small amounts, as programs write them.
        ("Fe0.5Nb6.16e-05", "Fe50000Nb6.16"),
        ("Fe0.5 C1E-4", "Fe5000C"),
        ("Fe0.5Ni0.5", "FeNi"),
        ("Fe₀.₅Ni₀.₅", "FeNi"),
        ("Fe.5Ni.5", "FeNi"),
        ("Li.5CoO2", "LiCo2O4"),
        ("Fe0.5Ni0.25Fe0.25", "Fe3Ni"),
        ("Li1.1[Li0.1Mn1.9]O4", "Li12Mn19O40"),
        ("LaNi5.5H6", "La2Ni11H12"),
        ("Fe2.5H2O4", "Fe5H4O8"),
        ("Na1.5H2O", "Na3H4O2"),
        ("Fe80.5C5B3", "Fe161C10B6"),
        ("Al2.5CoCrFeNi", "Al5Co2Cr2Fe2Ni2"),
        ("Fe73.5CuNb3Si13.5B9", "Fe147Cu2Nb6Si27B18"),
        ("(Fe75Co25)83.5P14", "Fe12525Co4175P28"),
        ("Li5.5PS4.5Cl1.5", "Li11P2S9Cl3"),
        ("Cu5.5FeS6.5", "Cu11Fe2S13"),
        ("Bi2Te2.7Se0.3", "Bi20Te27Se3"),
        ("CsPbI2.5Br.5", "Cs2Pb2I5Br"),
        ("LiNi0.5Mn1.5O4", "LiLiNiMn3O8"),
        ("BaTiO2.5N0.5", "Ba2Ti2O5N"),
        ("La2NiO2.5F3", "La4Ni2O5F6"),
        ("Sr2FeO3.5F2", "Sr4Fe2O7F4"),
        ("Ta2O2.5N2", "Ta4O5N4"),
        ("NaFe2O3.5S2", "Na2Fe4O7S4"),
    ],
)
def test_dots_of_adducts_and_decimal_points_are_distinguished(formula, same):
    assert shares(parse_stated_formula(formula)) == pytest.approx(shares(parse_formula(same)), rel=1e-9)


@pytest.mark.parametrize(
    ("formula", "same"),
    [
        ("Ca0.5Mn2O4.5·H2O", "Ca0.5Mn2O4.5H2O1"),
        ("TiO1.95·H2O", "TiO1.95H2O1"),
        ("UO2.03·H2O", "UO2.03H2O1"),
        ("UO2.25·H2O", "UO2.25H2O1"),
        ("CuSO4.5·2H2O", "CuSO4.5H4O2"),
        ("Fe73.5·CuNb3", "Fe73.5CuNb3"),
        ("CaCo3.0·H2O", "CaCo3H2O"),
    ],
)
def test_decimals_in_front_of_a_dot_that_are_no_factor_are_accepted(formula, same):
    assert parse_stated_formula(formula) == parse_formula(same)


@pytest.mark.parametrize(
    ("formula", "adduct", "decimal"),
    [
        ("UO2.25H2O", "UO2·25H2O", "(UO2.25)H2O"),
        ("UO2.05H2O", "UO2·5H2O", "(UO2.05)H2O"),
        ("Zr5.5HF", "Zr5·5HF", "(Zr5.5)HF"),
        ("Zr55.5HF", "Zr55·5HF", "(Zr55.5)HF"),
        ("Ti15.5HF", "Ti15·5HF", "(Ti15.5)HF"),
        ("Fe19.5H2SO4", "Fe19·5H2SO4", "(Fe19.5)H2SO4"),
        ("Fe8.5CO2", "Fe8·5CO2", "(Fe8.5)CO2"),
        ("Fe8.5H2O", "Fe8·5H2O", "(Fe8.5)H2O"),
        ("FeNi8.5H2O", "FeNi8·5H2O", "(FeNi8.5)H2O"),
        ("Li.4NH3", "Li·4NH3", "(Li.4)NH3"),
        ("CaCl2.2HCl", "CaCl2·2HCl", "(CaCl2.2)HCl"),
        ("Na2CO3.2H2O2", "Na2CO3·2H2O2", "(Na2CO3.2)H2O2"),
        ("La0.5Sr0.5MnO3.5H2O", "La0.5Sr0.5MnO3·5H2O", "(La0.5Sr0.5MnO3.5)H2O"),
        ("Al2O3.2SiO2.2H2O", "Al2O3·2SiO2·2H2O", "(Al2O3.2)SiO2·2H2O"),
        ("BaO.6Fe2O3", "BaO·6Fe2O3", "(BaO.6)Fe2O3"),
        ("Al2O3.2SiO2", "Al2O3·2SiO2", "(Al2O3.2)SiO2"),
        ("MgCl2.2KCl", "MgCl2·2KCl", "(MgCl2.2)KCl"),
        ("KCl.2HgI2", "KCl·2HgI2", "(KCl.2)HgI2"),
        ("SbI3.3S8", "SbI3·3S8", "(SbI3.3)S8"),
        ("Ca(NO3)2.2MgF2", "Ca(NO3)2·2MgF2", "(Ca(NO3)2.2)MgF2"),
        ("Na3AlF6.4NaF", "Na3AlF6·4NaF", "(Na3AlF6.4)NaF"),
        ("LiI.2NH4I", "LiI·2NH4I", "(LiI.2)NH4I"),
        ("Na0.35CoO2.1.3H2O", "Na0.35CoO2·1.3H2O", "Na0.35CoO2.1·3H2O"),
        ("MgO.Zr5.5HF", "MgO·Zr5·5HF", "MgO·(Zr5.5)HF"),
        ("Fe2.5CoFe", "Fe2·5CoFe", "(Fe2.5)CoFe"),
        ("CuSO4.5·H2O", "CuSO4·5H2O", "(CuSO4.5)H2O"),
        ("CuSO4.5 · H2O", "CuSO4·5H2O", "(CuSO4.5)H2O"),
        ("CuSO4.5.H2O", "CuSO4·5H2O", "(CuSO4.5)H2O"),
        ("Ba(OH)2.8·H2O", "Ba(OH)2·8H2O", "(Ba(OH)2.8)H2O"),
        ("MgCl2.6·(H2O)", "MgCl2·6(H2O)", "(MgCl2.6)(H2O)"),
        ("CaSO4.0.5·H2O", "CaSO4·0.5H2O", "CaSO4.0·5H2O"),
        ("CuSO4.5·NH3·H2O", "CuSO4·5NH3·H2O", "(CuSO4.5)NH3·H2O"),
        ("MgO·CuSO4.5·H2O", "MgO·CuSO4·5H2O", "MgO·(CuSO4.5)H2O"),
    ],
)
def test_ambiguous_formulas_are_rejected_with_both_readings(formula, adduct, decimal):
    message = refusal(formula)
    assert message.startswith(f"formula {formula!r}")
    assert f"{adduct!r}" in message
    assert f"{decimal!r}" in message
    assert shares(parse_stated_formula(adduct)) != pytest.approx(shares(parse_stated_formula(decimal)))


@pytest.mark.parametrize(
    ("formula", "spellings"),
    [
        # Behind a bare symbol: nobody writes none or one of an element.
        ("NaCl0.5H2O", ["NaCl·0.5H2O", "(NaCl0.5)H2O"]),
        ("CuO0.9H2O", ["CuO·0.9H2O", "(CuO0.9)H2O"]),
        ("Mg(OH)0.5H2O", ["Mg(OH)·0.5H2O", "(Mg(OH)0.5)H2O"]),
        ("LaF0.5NH3", ["LaF·0.5NH3", "(LaF0.5)NH3"]),
        ("FeO0.8C2H6O", ["FeO·0.8C2H6O", "(FeO0.8)C2H6O"]),
        ("H2O0.5H2O", ["H2O·0.5H2O", "(H2O0.5)H2O"]),
        ("NaCl0.05H2O", ["NaCl·0.05H2O", "(NaCl0.05)H2O"]),
        ("NaCl0.125D2O", ["NaCl·0.125D2O", "(NaCl0.125)D2O"]),
        ("CH3COONa0.5H2O", ["CH3COONa·0.5H2O", "(CH3COONa0.5)H2O"]),
        ("Cu2O0.5CO2", ["Cu2O·0.5CO2", "(Cu2O0.5)CO2"]),
        ("MgO.FeO0.5H2O", ["MgO·FeO·0.5H2O", "MgO·(FeO0.5)H2O"]),
        ("FeO1.5H2O", ["FeO·1.5H2O", "FeO1·5H2O", "(FeO1.5)H2O"]),
        ("CuCl1.25H2O", ["CuCl·1.25H2O", "CuCl1·25H2O", "(CuCl1.25)H2O"]),
        ("KF1.5HF", ["KF·1.5HF", "KF1·5HF", "(KF1.5)HF"]),
        ("FeO1 .5H2O", ["FeO·1.5H2O", "FeO1·5H2O", "(FeO1.5)H2O"]),
        # Behind an amount: no salt has that much of its anion.
        ("CaSO40.5H2O", ["CaSO4·0.5H2O", "CaSO40·5H2O", "(CaSO40.5)H2O"]),
        ("Na2CO31.5H2O", ["Na2CO3·1.5H2O", "Na2CO31·5H2O", "(Na2CO31.5)H2O"]),
        ("CaSO410.5H2O", ["CaSO4·10.5H2O", "CaSO410·5H2O", "(CaSO410.5)H2O"]),
        ("NaBr10.5H2O", ["NaBr·10.5H2O", "NaBr10·5H2O", "(NaBr10.5)H2O"]),
        ("Mg(OH)20.5H2O", ["Mg(OH)2·0.5H2O", "Mg(OH)20·5H2O", "(Mg(OH)20.5)H2O"]),
        ("Fe2(SO4)39.5H2O", ["Fe2(SO4)3·9.5H2O", "Fe2(SO4)39·5H2O", "(Fe2(SO4)39.5)H2O"]),
        ("H3PW12O400.5H2O", ["H3PW12O40·0.5H2O", "H3PW12O400·5H2O", "(H3PW12O400.5)H2O"]),
        ("BaTiO30.05SrTiO3", ["BaTiO3·0.05SrTiO3", "BaTiO30·5SrTiO3", "(BaTiO30.05)SrTiO3"]),
        ("CuSO45.0H2O", ["CuSO4·5.0H2O", "(CuSO45.0)H2O"]),
        # Behind a space.
        ("NaCl 0.5H2O", ["NaCl·0.5H2O", "(NaCl0.5)H2O"]),
        ("NaCl 2.5 H2O", ["NaCl·2.5 H2O", "(NaCl2.5) H2O"]),
        ("CaSO4 0.5H2O", ["CaSO4·0.5H2O"]),
    ],
)
def test_a_factor_whose_dot_was_lost_is_refused_with_all_readings(formula, spellings):
    assert re.findall("'(.*?)'", refusal(formula).partition("Write ")[2]) == spellings


MAINS = """
    NaCl KBr FeO MnO CuCl LiF LaF Mg(OH) H2O Na CaSO4 CuSO4 Na2CO3 Mg(OH)2 Ca(NO3)2 Fe2O3 BaTiO3 LaCl3 K2NiF4
    H3PW12O40 CH3COONa (CH3COO)2Zn Na0.35CoO2 La0.5Sr0.5MnO3 FeNi Zr5 MgO.SiO2 2CaO
""".split()  # noqa: SIM905 - easier to read
FACTORS = "0.5 0.05 0.0 1.5 1.25 2 2.5 10.5 12 25.5".split()  # noqa: SIM905
SOLVENTS = "H2O NH3 C2H6O (D2O) HF SrTiO3 H20".split()  # noqa: SIM905


@pytest.mark.parametrize("main", MAINS)
@pytest.mark.parametrize("gap", ["", " ", ".", " .", ". "])
def test_every_advised_spelling_is_read_as_it_is_meant(main, gap):
    """Points are those of decimals in it, and dots those of an adduct."""
    for factor in FACTORS:
        for solvent in SOLVENTS:
            text = f"{main}{gap}{factor}{solvent}"
            try:
                parse_stated_formula(text)
            except FormulaError as error:
                advised = re.findall("'(.*?)'", str(error).partition("Write ")[2])
            else:
                continue
            for spelling in advised:
                assert shares(parse_stated_formula(spelling)) == pytest.approx(shares(as_meant(spelling)))
            assert len({str(as_meant(spelling)) for spelling in advised}) == len(advised)


@pytest.mark.parametrize("main", [main for main in MAINS if len(set(re.findall("[A-Z]", main))) > 1])
@pytest.mark.parametrize("solvent", ["H2O", "NH3", "C2H6O", "D2O"])
@pytest.mark.parametrize("factor", [f"{whole}.{tenths}" for whole in (0, 1) for tenths in (1, 5, 9, 25)])
def test_no_hydrate_without_its_dot_loses_an_element(main, solvent, factor):
    try:
        read = parse_stated_formula(f"{main}{factor}{solvent}")
    except FormulaError:
        return
    assert read.keys() == parse_formula(f"{main.replace('.', '')}{solvent}", deuterium=True).keys()


def as_meant(spelling):
    """Read a spelling by the simplest rules, without regard to chemistry."""
    total = {}
    for part in spelling.split("·"):
        factor = re.match(r"[0-9.]*", part).group()
        for symbol, amount in parse_formula(part[len(factor) :], deuterium=True).items():
            total[symbol] = total.get(symbol, 0) + float(factor or 1) * amount
    return total


@pytest.mark.parametrize(
    "formula",
    [
        *["H3PW12O40.6H2O", "(NH4)6Mo7O24.4H2O", "K6P2W18O62.14H2O", "Al2S3O12.18H2O", "C12H22O11.5H2O"],
        *["FeCl3O12.9H2O", "Al4H12O12.4H2O", "SF6.17H2O", "NbCl5.2C5H5N"],
    ],
)
def test_large_amounts_that_salts_have_are_no_lost_dots(formula):
    main, _, solvate = formula.partition(".")
    assert shares(parse_stated_formula(formula)) == shares(parse_stated_formula(f"{main}·{solvate}"))


@pytest.mark.parametrize(
    ("formula", "same"),
    [
        ("D2O", "H2O"),
        ("CuSO4·5D2O", "CuSO4H10O5"),
        ("CuSO4.5D2O", "CuSO4H10O5"),
        ("PdD0.6", "PdH0.6"),
        ("HDO", "H2O"),
    ],
)
def test_deuterium_is_hydrogen(formula, same):
    assert shares(parse_stated_formula(formula)) == pytest.approx(shares(parse_formula(same)))


@pytest.mark.parametrize("formula", ["T2O", "Al40Cu60T"])
def test_tritium_is_rejected(formula):
    assert "unknown element 'T'" in refusal(formula)


def test_elements_that_begin_with_d_are_not_deuterium():
    assert parse_stated_formula("DyDsDb") == {"Dy": 1, "Ds": 1, "Db": 1}


def test_a_space_before_the_dot_makes_the_factor_ambiguous():
    message = refusal("CaSO4 .5H2O")
    assert "'CaSO4·5H2O'" in message
    assert "'CaSO4·0.5H2O'" in message


@pytest.mark.parametrize(
    "formula",
    ["CuSO4·", "·H2O", "CuSO4·xH2O", "CuSO4·0H2O", "CuSO4..5H2O", "(Fe]2", "Fe２O3", "Fe" * 6000],  # noqa: RUF001
)
def test_a_broken_formula_is_rejected(formula):
    refusal(formula)


@pytest.mark.parametrize("formula", ["CuSO4.5H2O", "CuSO4·5H2O"])
def test_a_hydrate_is_not_an_alloy(formula):
    assert "brackets: shares" in refusal(formula, "shares")


@pytest.mark.parametrize(
    "formula", ["Cu4.5H2O2", "Al91.5Cu4.5H2O2", "Al2Br6.2C6H6", "Fe8.5C1O2", "O4.5H20", "Ba.5Fe3"]
)
def test_amounts_written_by_polyfacet_are_read_as_decimals(formula):
    numbers = [float(number) for number in re.findall(r"[0-9.]+", formula)]
    assert list(parse_formula(formula).values()) == numbers
