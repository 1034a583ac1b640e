"""Texts that could be read as formulas, but are misprints, names of alloys or abbreviations.

Where such a text is really meant as a formula, an amount of 1 behind a symbol makes that clear: ``Ti6Al4V1``.
"""

import re

from polyfacet.config.elements import SYMBOLS

_ABBREVIATIONS = re.compile(
    "YBCO|BSCCO|BSCF|BFO|KNN|KBBF|WCCO|PCBN|CBN|HBN|BCC|FCC|HCP|SS|PC|PI|PP|PS|PPO|PPS|PVC|PVP"
)
_GRADES = re.compile(
    r"UNS[A-Z][0-9]{5}|S(?:S|US)[0-9]{3}[A-Z]*|S(?:UP|UH|KH|K|B|N)[0-9]+|S[0-9]{2}C|SPCC|IN[0-9]{3}"
    r"|Ti(?:17|64|834|1100|5553|624[26])|[HCNOPS](?:[579]|[1-9][0-9]*[13579])|P(?:22|92)|C22"
    r"|CF[38]C?|H[KP]40"
)
_ALLOYING = r"(?:Al|V|Mo|Nb|Ta|Mn|Zr|Sn|Fe|Cr|Si|Ni)"
# Weight percentages in front of the symbols, or behind all but the first.
_WEIGHTS = re.compile(
    rf"Ti(?:[0-9.]+(?!Ni|Cu){_ALLOYING}){{2,}}|(?:Co|Cu|Fe|Ni|W)[1-9][0-9](?:{_ALLOYING}[0-9.]+)+{_ALLOYING}"
    r"|V[45]Cr[45]Ti|Nb1Zr|Ta(?:2\.5|10)W|Zr(?:1|1\.5|2\.5)(?:Nb|Sn)|Nb47Ti|U10(?:Mo|Zr)|W(?:3|5|10)(?:Re|Cu)"
    r"|Pt1[03]Rh|PtRh1[03]|TiNb13Zr13|TiMo15|TaW10|NbZr1|SnAg3(?:\.[0-9])?(?:Cu0\.[0-9])?|MgAl9Zn1|Sn3(?:\.[0-9])?Ag(?:0\.[0-9]Cu)?|Sn0\.7Cu|Fe6\.5Si|Al4\.5Cu"
    r"|TiAl[4-8](?:V|Nb|Sn|Fe|Mo|Zr)[0-9].*|AlSi(?:[579]|1[0-2])(?:Mg|Cu).*|AlSi12|AlMg4\.5.*|AlCu4Mg.*"
    r"|CuZn[1-4][0-9].*|CuSn(?:[6-9]|1[0-2])|CuNi(?:10|18|25|30).*|CuAl(?:8|10).*|NiMo1[0-9].*|NiCr[12][0-9].*"
    r"|FeCr1[0-9].*|CoCr2[0-9].*|(?:Si|Ta|Ti|V|W)C[1-9][0-9]?(?:Al|Co|Cu|Fe|Mo|Ni).*"
)
_TERM = re.compile(r"([A-Z][a-z]?)([0-9]+(?:\.[0-9]+)?|)")
_TERMS = re.compile(rf"(?:{_TERM.pattern})+")
# An alloy of one to so many of another is rather one by weight: Pb60Sn, Au20Sn, FeNi36.
_LARGE_RATIO, _LARGE_RATIO_OF_THREE = 16, 24
# Crystals of these elements have others in such ratios: ZrZn22, ReBe22, YB66, KC24.
_MANY_NEIGHBOURS = frozenset("Al B Be C Cd Hg Zn".split())  # noqa: SIM905
_NO_ALLOY = frozenset("H N O F S Cl Se Br Te I".split())  # noqa: SIM905
_CLEAR = "If it is a formula, write an amount of 1 behind a symbol"
_NAMES = (
    (_ABBREVIATIONS, f"is an abbreviation: write the formula. {_CLEAR}"),
    (_GRADES, f"is the grade of an alloy: write its composition. {_CLEAR}"),
)
_BY_WEIGHT = (
    "is the name of an alloy by weight: write amounts behind all symbols, as in Ti90Al6V4 with the unit "
    f"weight_percent. {_CLEAR}"
)

# Nobody writes an amount as 02 or 12019; each has the position of an O.
_ZERO_FOR_O = re.compile(
    r"(?<![0-9.])0[0-9]"
    r"|(?<![0-9.])(?:[2-9]|[1-9][0-9])0(?:[2-9]|1[0-9])(?![0-9.])"
    r"|(?:^|[(\[{]|[^A-Za-z0-9)\]}\s][0-9. ]*)H20(?![0-9.])"
)
_I_FOR_L = re.compile(r"(?<=[A-Za-z0-9)\]}])CI|^CI(?!4)")
_ORGANIC_GROUPS = re.compile(r"OAc|\(Ac\)|\(OPr\)|^Mn12Ac")
_NUMBER_AFTER_SPACE = re.compile(r"[A-Za-z0-9)\]}] [0-9][0-9.]*(?:[A-Z]|[(\[{][A-Z]| [(\[{]?(?:H2O|NH3))")
# More atoms of one element than its crystals and molecules have.
_ONE_ELEMENT = re.compile(r"(?!C240|C540)[A-Z][a-z]?(?:[2-9][0-9]{2,}|1[0-9]{3,})")
_MISPRINTS = (
    (_ZERO_FOR_O, "has a zero for the letter O, as in H20 for H2O"),
    (_I_FOR_L, "has CI with the letter I. Write Cl, or C1I for carbon and iodine"),
    (
        _ORGANIC_GROUPS,
        "names acetate (Ac) or propyl (Pr). Write their atoms, or AcO and PrO for actinium and praseodymium",
    ),
    (
        _NUMBER_AFTER_SPACE,
        "has a number between a space and a symbol: an amount, or a factor of what follows? Write an amount "
        "behind its symbol without a space, and · in front of a factor",
    ),
)

# In capitals throughout, these are symbols of two letters rather than two elements.
_CAPITALS = re.compile(
    r"CU|NB|NI(?!3)|SN(?!2H)|PB|PU|SI|SB|BI(?!3$)|IN(?=2?[A-Z])|SC(?![N(])|YB(?=[0-9]*O)|HF(?=[BCNO])"
    r"|OS(?=O)|CO(?=[2-9]O)|HO(?=[2-9]O)|CS(?=[FHI])"
)
# An amount of so many beside small ones has rather lost a sign between its digits.
_LARGE, _SMALL = 200, 12
_LOST_DOT = re.compile(
    r"(?P<main>[A-Z].*(?:[HNOFSI]|Cl|Se|Br|[)\]}]))(?P<digits>[1-9][0-9]{1,2})(?P<water>\(?H2O\)?)"
)


def misreading(text: str) -> str | None:
    """Say what a text means rather than what it could be read as; None if it is a formula.

    Parameters
    ----------
    text
        A formula as a table states it, with plain digits and single spaces.
    """
    compact = text.replace(" ", "")
    for pattern, reason in _NAMES:
        if pattern.fullmatch(compact):
            return reason
    for pattern, reason in _MISPRINTS:
        if pattern.search(text):
            return reason
    if _ONE_ELEMENT.fullmatch(compact):
        return f"has more than 199 atoms of one element: the grade of an alloy? {_CLEAR}"
    if _is_by_weight(text):
        return _BY_WEIGHT
    if text == text.upper() and (found := _CAPITALS.search(text)):
        pair = found.group()
        both = f"{pair.title()} or {pair[0]} and {pair[1]}"
        return f"may mean {both}. Write {pair.title()} or {pair[0]}1{pair[1]}"
    return _lost_dot(text) or _lost_sign(text)


def _terms(text: str) -> list[tuple[str, str]]:
    """List symbols and amounts of a formula without brackets; none if it is no such formula."""
    terms = _TERM.findall(text) if _TERMS.fullmatch(text) else []
    return terms if all(symbol in SYMBOLS for symbol, _ in terms) else []


def _is_by_weight(text: str) -> bool:
    """Whether numbers are weights, of which the first element has the rest: Ti6Al4V, Pb60Sn, NiCr20."""
    terms = _terms(text)
    amounts = {symbol: float(amount or 1) for symbol, amount in terms}
    # With 1 where none is written, these are atomic percent: Fe73.5CuNb3Si13.5B9.
    if len(terms) < 2 or any(abs(sum(amounts.values()) - whole) < 0.005 * whole for whole in (1, 100)):
        return False
    if _WEIGHTS.fullmatch(text):
        return True
    if (terms[0][1] and terms[-1][1]) or _NO_ALLOY & amounts.keys():
        return False
    largest = max(amounts, key=lambda symbol: amounts[symbol])
    if largest in _MANY_NEIGHBOURS:
        return False
    return amounts[largest] >= (_LARGE_RATIO if len(terms) == 2 else _LARGE_RATIO_OF_THREE)


def _lost_sign(text: str) -> str | None:
    """Say which amount may be two numbers, whose hyphen or dot was lost: Al2O320ZrO2."""
    amounts = sorted(float(amount or 1) for _, amount in _terms(text))
    if len(amounts) < 2 or amounts[-1] < _LARGE or amounts[-2] > _SMALL:
        return None
    return f"has the amount {amounts[-1]:g} beside small ones. If a dot or a hyphen was lost, write it as ·"


def _lost_dot(text: str) -> str | None:
    """Say how a hydrate may be meant whose dot was lost."""
    match = _LOST_DOT.fullmatch(text)
    if not match or len(set(re.findall("[A-Z][a-z]?", match["main"]))) == 1:
        return None
    main, digits, water = match.groups()
    hydrate, atoms = f"{main}{digits[0]}·{digits[1:]}{water}", f"({main}{digits}){water}"
    return f"may have lost the dot of a hydrate. Write {hydrate!r} or {atoms!r}"
