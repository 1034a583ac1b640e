"""Formulas in capitals throughout, where a symbol of two letters reads as two elements: ``NIO`` for NiO.

Only compounds and elements are known here whose capitals name no molecule that there is: of ``SNF3``,
``INO``, ``COS``, ``VOSO4``, ``CO`` and ``SN`` it cannot be told what they mean, so that they are what they
say.
"""

import re

from polyfacet.materials.adducts import SEPARATORS

_COMPOUNDS = """
    CuO Cu2O CuS Cu2S CuI CuF2 Cu3N Cu3P CuSO4 CuWO4 CuBi2O4 CuInS2
    NiO Ni2O3 NiS NiS2 Ni3S2 NiF2 NiI2 NiP Ni2P NiSO4 NiSi NiSi2 NiCo NiBi
    Co3O4 Co2O3 CoSO4 CoSi2 CoNi CuNi
    NbO NbO2 Nb2O5 NbN NbC NbS2 NbP NbF5 NbI5 Nb3Sn KNbO3
    SnO SnO2 SnS SnS2 SnF2 SnF4 SnI2 SnI4 SnSO4
    PbO PbO2 Pb3O4 PbS PbF2 PbI2 PbSO4 PbWO4
    PuO2 Pu2O3 PuN PuC PuF3 PuF4
    SiO SiO2 SiC Si3N4 SiS2 SiF4 SiI4
    Sb2O3 Sb2O5 Sb2S3 SbI3 SbF3 SbF5 InSb
    Bi2O3 Bi2S3 BiF3 BiI3 BiVO4 BiPO4 Bi2WO6
    InN InP In2O3 In2S3 InF3 InI3 InVO4
    CdO CdS CdI2 CdF2 CdSO4 CdCO3 CdWO4 Cd3N2 Cd3P2 CdP2 CdIn2O4 CdIn2S4 CdSnO3 CdSb Cd(OH)2 Cd(NO3)2
    Nd2O3 NdO NdN NdP NdS NdF3 NdI3 Nd2S3 NdB4 NdB6 NdC2 NdSi2 NdPO4 NdVO4 NdNiO3 NdCoO3 NdCo5 NdNi5
    PdO PdO2 PdS PdS2 PdF2 PdI2 PdH PdSO4 PdN PdP2 PdC PdCo PdNi PdCu PdIn PdSn PdSb PdBi PdSi Pd(NO3)2
    CoF3 CoI2 CoS2 Co9S8 CoP Co2P CoP2 CoP3 CoN CoB Co2B CoSi Co2Si CoCO3 CoWO4 Co3(PO4)2 Co(NO3)2 CoSb3
    Cu(OH)2 CuCO3 Cu(NO3)2 CuNi Ni(OH)2 NiCO3 Ni(NO3)2 NiWO4 NiCo2O4 NiB Ni2B
    K2NiF4 KNiF3 KCoF3 KCuF3 YNiO3 YCoO3 YCo5 YNi5 YNi2 YCo2
    Sc2O3 Yb2O3 YbF3 YbB6 HfO2 HfC HfN HfB2 HfS2 OsO2 OsO4 Ho2O3 CsI CsI2 CsI3 CsF Cs2O
"""
# Not so CO, CN, CF, CS, SN, NO, NH, PO, HF, HO, HS, BH, nor OS and NP, which are SO and PN by the alphabet.
# Nobody writes boron nitride and phosphide as NB and PB, or uranium carbide and phosphide as CU and PU.
_ELEMENTS = "Bi Bk Cd Cu In Nb Nd Ni Pb Pd Pu Sb Sc Si Yb".split()  # noqa: SIM905
_ELEMENT = re.compile("(" + "|".join(_ELEMENTS).upper() + ")([0-9.]*)")
# An alloy, or one of these elements alone; NI3, IN3, CU2 and YB6 are compounds.
_ALLOY = re.compile(f"(?:{_ELEMENT.pattern}){{2,}}|(?:{'|'.join(_ELEMENTS).upper()})(?:100(?:\\.0*)?)?")
_IN_CAPITALS = {name.upper(): name for name in _COMPOUNDS.split()}
_FACTOR = re.compile("[0-9.]+(?=[A-Z])")
_BETWEEN_PARTS = re.compile(rf"(?:[{re.escape(SEPARATORS)}.]|\s)")


def in_mixed_case(text: str) -> tuple[str, str] | None:
    """Spell a formula in capitals as what it may mean, and as what it says.

    Returns
    -------
    tuple of str and str, or None
        The first with symbols of two letters, the second with an amount behind each letter; None if it is
        not likely to mean anything but what it says.
    """
    factor = _FACTOR.match(text)
    start = factor.end() if factor else 0
    stated = _BETWEEN_PARTS.split(text[start:], maxsplit=1)[0]
    meant = _IN_CAPITALS.get(stated) or _alloy(stated)
    if meant is None or text != text.upper():
        return None
    before, behind = text[:start], text[start + len(stated) :]
    atoms = re.sub(r"([A-Z])(?![0-9])", r"\g<1>1", stated)
    return f"{before}{meant}{behind}", f"{before}{atoms}{behind}"


def _alloy(stated: str) -> str | None:
    """Spell what consists of nothing but elements whose symbols are in capitals: CU50NI50."""
    if not _ALLOY.fullmatch(stated):
        return None
    return _ELEMENT.sub(lambda found: f"{found[1].capitalize()}{found[2]}", stated)
