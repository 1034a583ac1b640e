"""Misprints that could be read as formulas are rejected."""

import re

import pytest

from polyfacet.materials.formula import FormulaError, parse_formula
from polyfacet.materials.misreadings import misreading
from polyfacet.materials.stated_formulas import parse_stated_formula


def advice(text):
    """Return the spellings that the rejection of a formula suggests."""
    with pytest.raises(FormulaError) as error:
        parse_stated_formula(text)
    assert str(error.value).startswith(f"formula {text!r} ")
    return re.findall("'(.*?)'", str(error.value).partition("Write ")[2])


MISPRINTS = {
    "has a zero for the letter O": """
        CuSO4(H20)5 CuSO4.5H20 CuSO4·5H20 CuSO4[H20] H20 H202 Al203 Fe304 Si02 Ti02 C02 LiCo02 CuSO4·05H2O
        LiOH.H20 LiH.H20 NaOH.H20 CH3COONa.3H20 (CH3COO)2Zn.2H20 KOH.2H20 CuSO4.5D20
        LiC0O2 C0Sb3 C0Fe2O4 LiC0PO4 C0O Fe2O0 CH3C0OH CH3CO0H C0(NH2)2 Na0H Bi0Cl V0SO4 KTi0PO4 Fe0OH
        Zr0Cl2·8H20 CuSO4·5H2O0 H0F3 TiC0N
        LiFeP04 Al2(S04)3 MgAl204 BaFe12019 Y3Al5012 YBa2Cu307 La2Zr207 Na2B407·10H2O V205 C04.5H20 CuSO4_5H20
        Fe304.5H2O Al203.3(H2O) Al203·3H20 Ca0 3Ca0·Al203 3Ca0·Al2O3
    """,
    "CI with the letter I": """
        NaCI MgCI2 FeCI3.6H2O CI2 HCI SiCI4 TiCI4 CCI4 CH2CI2 CHCI3 CH3CI NH4CI (NH4)CI [Co(NH3)6]CI3
        SOCI2 BiOCI Cs3Bi2CI9 CsPbCI3 NaCIO3 HCIO4 Mg(CIO4)2 Hg2CI2 C5H5N·HCI
        K2PtCI6 LaCI3 ZrCI4 TaCI5 UCI4 BCI3 InCI3 PbCII
    """,
    "a one for the letter": """
        NaC1 MgC12 MgC12·6H2O AlC13 FeC13.6H2O TiC14 NH4C1 HC1 LiC1O4 Mg(C1O4)2 CsPb13 CsSn13 CH3NH3Pb13
        Cs3Bi219 Cs2Sn16
    """,
    "an oxidation number": """
        Fe(III)Cl3 Cu(II)SO4·5H2O Cu(II)SO4 Mn(IV)O2 V(V)2O5 Pb(II)I2 Cu(I)2O Cr(VI)O3 Fe(II)Fe(III)2O4
        Fe2(III)O3 Fe2(III)(SO4)3 Fe_(III)Cl3 FeIIICl3 CuIISO4 Cu[II]O P(V)Cl5
    """,
    "an abbreviation of an organic group": """
        Zn(OAc)2 Zn(OAc)2·2H2O Zn(OAc)2.2H2O Pd(OAc)2 NaOAc ZnOAc2 Mn(Ac)2.4H2O ZnAc2·2H2O NH4Ac HOAc AcOH
        PrOH Ti(OPr)4 NaOPr Al(OAm)3 Cu(AcAc)2 Pr4NBr PrNH3PbI3 (PrNH3)2PbI4
    """,
    "a symbol in capitals": """
        NiCO2O4 ZnCO2O4 LiNiCOMnO2 COSb3 COFe2O4 LiCOO2 LaCOO3 SmCO5 Sm2CO17 CrFeNiCO AlCrFeNiCO Fe65CO35
        LiNi0.8CO0.2O2 LiNi0.6CO0.2Mn0.2O2 CO2MnSi YBa2CU3O7 LiNIO2 LaNI5 Ti50NI50 LiNBO3 CsPBI3 CSPbBr3
        Cu2ZnSNS4 MgSIO3 InSB BISbTe3 CuINSe2 CDTe CDSe ND2Fe14B PDAg SB2Te3 NaSBF6 CoSB3
        0.5Li2MnO3·0.5LiNIO2
    """,
    "a lower-case o": """
        Ca(Ho)2 Ni(Co)4 Al2(Co3)3 NaHCo3 LiFePo4 Ca3(Po4)2 Ca(HCo3)2 CaMg(Co3)2 Ca(Ho)2.8H2O
        CaCo3 MgCo3 SrCo3 BaCo3 ZnCo3 CdCo3 PbCo3 CoCo3 Li2Co3 Na2Co3 K2Co3 Ag2Co3 LiNaCo3 Ca0.5Mg0.5Co3 H2Co3
        (NH4)2Co3 NH4HCo3 Cu2(OH)2Co3 Cu2Co3(OH)2 NaAlCo3(OH)2 LaCo3F
        Na2Co3·10H2O Na2Co3.10H2O Na2Co3.H2O Na2Co3(H2O)10 CaCo3.MgCo3 3MgCo3·Mg(OH)2·3H2O NaHCo3.10H2O
        Al2(Co3)3.5H2O La2(Co3)3·8H2O·Na2Co3
        KNo3 NH4No3 NaNo2 Fe(No3)3 Ca(No3)2.4H2O [Co(NH3)6](No3)3
    """,
    "in capitals": """
        NIO NICO CUO SNO2 PBO NB2O5 CO3O4 HFO2 INP INN IN2O3 BI2O3 SC2O3 SIO2 SIC CSI CUSO4.5H2O CUSO4·5H2O
        KNBO3 PDO ND2O3 CDS CDI2 CDSO4 NDF3 PD CD(OH)2 PD(NO3)2 YBB6 COS2 COP COWO4 K2NIF4 CDSO4·8H2O
        3CDSO4·8H2O CSI2 CSI3
        CU NI SI IN PB NB SB SC BI PU YB BK CD ND PD NI100 CU50NI50 CUSI3 INSB PBSI NISI CU60NI39.5SI0.5
    """,
    "may lack the dot of a hydrate": "CuSO45H2O MgCl26H2O Na2SO410H2O Al2(SO4)318H2O",
    "between a space and": """
        SiC_6H NaCl_2H2O NaCl_2_H2O Ti_6Al_4V CuSO4_5H2O Fe80_20B Ba(OH)2_8(H2O) Na2SO4_10H2O NaBr_22H2O
    """,
}


@pytest.mark.parametrize("reason", MISPRINTS)
def test_misprints_are_rejected_with_the_reason(reason):
    for text in MISPRINTS[reason].split():
        with pytest.raises(FormulaError, match=reason):
            parse_stated_formula(text.replace("_", " "))


@pytest.mark.parametrize("text", " ".join(MISPRINTS.values()).split())
def test_every_suggested_spelling_is_accepted(text):
    spellings = advice(text.replace("_", " "))
    assert spellings
    read = [tuple(parse_stated_formula(each).items()) for each in spellings]
    assert len(set(read)) == len(read)


@pytest.mark.parametrize(
    "formula",
    """
    H2O C10H20O C10H20 CI4 CHI3 CH3I NI3 BI3 KSCN SC(NH2)2 IN3 CO CO2 COS CS2 HF BN WC UC2 YB6
    HNO3 KOH C60 C70 S8 P4 N2 O3 Si8 Mn58 B105 Fe100 Al12Mg17 Al7Cu2Fe Zr2Al3Ni Ti4Al11Ni
    Ti3AlC2 Ti2AlNb TiAl AlMg3 Ac2O3 BaPrO3 PrOF LaNi5 SmCo5 Fe80B20 Ni50.8Ti49.2 Si192O384
    Ti6Al4V1 N1I1O1 Si1O2 YB1C1O1 LaC1I (CuSO45)H2O UO2(H2O)2 Ca0.05Sr0.95O CO(NH2)2
    Fe102B98 Fe80Cr19Mo Fe73.5CuNb3Si13.5B9 Nd2Fe14B Sm2Fe17N Zn22Zr Be22Re Al12W Ca12Al14O32F
    C36H44FeN4Cl KC60 KC24 Si100P20 NaZn13 YB66 LaCo13 ThMn12
    C254H377N65O75S6
    VOSO4 NOSO4H YBO3 CNI C8H20NI (C4H9)4NBF4 SNF3 INO INCO COO NOF YBO C6H5NI2
    H20C13N2O H20C9N2 H20C10 Zn32C208H104O104 C204H300 Mg208O208 Al202Cu98 Fe205C3 C100H202 Al98Cu202
    Zr50Cu203
    D2O ND3 CD3OD CD3ND3PbI3 LiND2 KD2PO4 CDCl3 PdD0.6 CdS NdF3 PdO
    Fe80Cr0B20 Fe80C0B20 Fe73Nb4Hf3Y0B20 Cr0.0Fe2 CoCrFeNiC0 Li0CoO2 Li0FePO4 La1Sr0MnO3 PdH0 Li0C6
    CoC0.0O2 NiCO3 Ca5Si2CO11 Ti2CO2 TiCO FeCO PtCO La2CO5 NiCO4 LaCO3F Cu2CO3(OH)2 Ni(CO)4 HCo(CO)4
    KHCO3 HCOONa Fe(CO)5 Na3MgCO3PO4 Ag2CO3 MnCO3 Fe80(V)20 (Fe)80(V)20 MnVIO2 ZrNI HfIN BiSI Bi2SI2O11 Ti2SC
    VTeHO5 LiC12 KC8 CaC6 Fe1C1 NaZn13 LaCo13 Yb3Sn13Rh4 CoHo2 LaPo AcOF Ac2O3 ClOPr PrOF Pr4NS3Cl3
    Zr2SB Hf2SB Ti2CO2Li2 CuSCN BaCS3 Fe80(Ho)20 Fe85MnCrVC12 Fe79.9C0B20 AsIIn HCo3 CuOPrS N2OPrTa
    AcCl3·6H2O NpO2 YCo3 SmCo5 Ni(Co1)4
    CeCo3 FeCo3 MnCo3 NiCo3 CuCo3 CaMgCo3 CaCo3.0 Na2Co3.0 Ca97Co3 Fe97No3 NoCl3
    CO CN CF CS SN OS NO NH NP PO HF HO HS BH BN BP UC UP NI3 IN3 CU2 YB6 YB12 SI4 COSN
    LaCI Sc7CI12 Zr6CI12 Gd2CI2 Y2CI2 CsEr6CI12 H3CI HCI3 CuCIN CI3
    Na2Al2Si3O10(H2O) CaAl2Si4O12(H2O) Na2SO410(H2O) C10H22H2O
    """.split(),  # noqa: SIM905 - easier to read
)
def test_valid_formulas_are_accepted(formula):
    assert misreading(formula) is None
    expected = parse_formula(formula.replace("·6H2O", "(H2O)6"), deuterium=True)
    assert parse_stated_formula(formula) == expected


def test_an_element_in_capitals_is_refused_with_both_readings():
    assert advice("CU") == ["Cu", "C1U1"]
    assert advice("CU50NI50") == ["Cu50Ni50", "C1U50N1I50"]


@pytest.mark.parametrize(
    ("formula", "meant", "stated"),
    [
        ("Na2Co3", "Na2CO3", "Na2Co3.0"),
        ("Na2Co3.10H2O", "Na2CO3·10H2O", "Na2Co3.0·10H2O"),
        ("Na2Co3(H2O)10", "Na2CO3(H2O)10", "Na2(Co3.0)(H2O)10"),
        ("Na2Co3·NaHCo3", "Na2CO3·NaHCO3", "Na2Co3.0·NaHCo3.0"),
        ("Al2(Co3)3.5H2O", "Al2(CO3)3·5H2O", "Al2(Co3.0)3·5H2O"),
        ("Cu2Co3(OH)2", "Cu2CO3(OH)2", "Cu2Co3.0(OH)2"),
        ("Fe(No3)3", "Fe(NO3)3", "Fe(No3.0)3"),
    ],
)
def test_a_lower_case_o_is_refused_with_the_capital_and_with_the_metal(formula, meant, stated):
    assert advice(formula) == [meant, stated]
    assert "O" in parse_stated_formula(meant)
    assert {"Co", "No"} & parse_stated_formula(stated).keys()


@pytest.mark.parametrize("formula", ["Fe 80 B 20", "Fe80 B20", "Fe0.5 Ni0.5", "Ca (OH)2"])
def test_spaces_around_amounts_do_not_matter(formula):
    assert parse_stated_formula(formula) == parse_formula(formula.replace(" ", ""))


def test_a_hydrate_may_contain_a_salt_in_capitals():
    assert parse_stated_formula("VOSO4·5H2O") == {"V": 1, "O": 10, "S": 1, "H": 10}


def test_both_spellings_of_a_hydrate_without_its_dot_are_accepted():
    first, second = advice("MgCl26H2O")
    assert parse_stated_formula(first) == {"Mg": 1, "Cl": 2, "H": 12, "O": 6}
    assert parse_stated_formula(second) == {"Mg": 1, "Cl": 26, "H": 2, "O": 1}


@pytest.mark.parametrize(
    "formula", ["(CoCrFeNi)94Ti2Al4", "[(Fe0.7Co0.3)72Mo4B24]94Dy6", "(ZrCu)0.95Al0.05", "(TiZrHfNb)98O2"]
)
def test_brackets_that_are_shares_are_not_read_as_groups_of_atoms(formula):
    with pytest.raises(FormulaError, match=r"set `composition\.brackets: shares`"):
        parse_stated_formula(formula)
    assert sum(parse_stated_formula(formula, "shares").values()) == pytest.approx(sum_outside(formula))


def sum_outside(formula):
    return 1 if "0.95" in formula else 100


@pytest.mark.parametrize(
    "formula", ["(GeSe2)70(Ga2Se3)30", "(Fe0.5Co0.5)80B20", "(Fe0.75B0.25)96Nb4", "Ca(OH)2", "(ZrCu)3Al"]
)
def test_other_brackets_are_groups_of_atoms(formula):
    assert parse_stated_formula(formula) == parse_formula(formula)


@pytest.mark.parametrize(
    ("formula", "hint"),
    [
        ("Ti-6Al-4V", "Ti90Al6V4"),
        ("La1-xSrxMnO3", "a number for each variable"),
        ("YBa2Cu3O7−δ", "a number for each variable"),  # noqa: RUF001
        ("CuSO4·xH2O", "a number for each variable"),
        ("Fe0,5Ni0,5", "use decimal points"),
        ("\u0421uO", "CYRILLIC CAPITAL LETTER ES"),
        ("Fe3+", "charges"),
        ("(Bi,Sb)2Te3", "each amount directly after its element"),
        ("Fe70%Ni30%", "without %"),
        ("ZnO:Al", "each amount directly after its element"),
        ("SiO2/Si", "one composition per row"),
        ("CuSO4·½H2O", "0.5"),
        ("Fe_2O_3", "plain digits"),
        ("Fe$_2$O$_3$", "plain digits"),
        ("MgSO4.7H2O (epsomite)", "omit names"),
        ("CuSO4 x H2O", "a number for each variable"),
        ("Fe(Ⅲ)Cl3", "omit oxidation numbers"),
        ("CDSE", "formula 'CDSE': unknown element 'E'"),
        ("PbI2.DMSO", "formula 'DMSO': unknown element 'M'"),
        ("Fe<sub>2</sub>O<sub>3</sub>", "plain digits"),
    ],
)
def test_invalid_characters_are_rejected_with_advice(formula, hint):
    with pytest.raises(FormulaError, match=hint):
        parse_stated_formula(formula)
