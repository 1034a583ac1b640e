"""Formulas of adducts, hydrates above all: ``CuSO4·5H2O`` is one CuSO4 with five H2O.

The dot of a keyboard is a decimal point as well.  ``CuSO4.5H2O`` is read as a hydrate where the rest of the
formula has whole numbers only, and refused where it has not.  ``BaO.6Fe2O3`` and ``MgCl2.2KCl`` are refused:
a decimal amount of an element that the formula names again is more likely the dot of a double salt.
"""

import re

AMOUNT = r"[0-9]+(?:\.[0-9]*)?|\.[0-9]+"

# Dots, bullets, asterisk, multiplication sign: in a formula they can be nothing but the dot of an adduct.
_SEPARATORS = "·•⋅∙‧・･ꞏ●*×"  # noqa: RUF001 - as they occur in tables
# What crystallises with salts; a keyboard dot in front of anything else is a decimal point.
_MOLECULES = (
    r"H2O2|H2O|OH2|NH3|N2H4|HCl|HF|HNO3|H2SO4|CO2|SO2|SO3|CH3OH|CH4O|C2H5OH|C2H6O|C2H3N|C3H6O|C3H7NO|"
    r"C2H6OS|C2H6SO|C4H8O|C5H5N"
)
# Larger amounts in front of a dot, and larger factors behind it, are rather decimals: Zr55.5HF, UO2.25H2O.
_LARGEST_AMOUNT, _LARGEST_FACTOR = 19, 24
_ZERO_FOR_O = re.compile(rf"[.{re.escape(_SEPARATORS)}]\s*[0-9]*\s*[(\[]?H20[)\]]?\s*$")
_KEYBOARD = re.compile(
    rf"(?P<main>.*[A-Za-z)\]}}]\s*(?P<amount>[0-9]*))\s*\.\s*(?P<factor>[0-9]+(?:\.[0-9]+)?|)\s*"
    rf"(?P<molecule>{_MOLECULES}|\((?:{_MOLECULES})\)|\[(?:{_MOLECULES})\])\s*"
)
# A dot with an element or a bracket on both sides is no decimal point: MgO.Al2O3.
_BETWEEN = re.compile(r"(?<=[A-Za-z)\]}])\s*\.\s*(?=[A-Z(\[{])")
# An amount with decimals, of an element that is named again: BaO.6Fe2O3.
_NAMED_AGAIN = re.compile(
    r"(?P<symbol>[A-Z][a-z]?)(?!0)[0-9]*\.[0-9]+(?=\s*[A-Z(\[{]).*(?P=symbol)(?![a-z])", re.DOTALL
)
_AMBIGUOUS = (
    "has dots that may be decimal points or those of a hydrate. Write the dot of a hydrate as · or "
    "put its molecules into brackets, as in CuSO4(H2O)5"
)
_DECIMAL = re.compile(r"\.[0-9]|[0-9]\.")
_FACTOR = re.compile(rf"\s*(?P<factor>{AMOUNT})?\s*(?P<part>.*?)\s*", re.DOTALL)


class AdductError(ValueError):
    """A formula whose dots can be read in two ways, or that lacks a part; the message says which."""


def split_adducts(formula: str) -> list[tuple[float, str]]:
    """Split a formula at the dots of an adduct.

    Parameters
    ----------
    formula
        ``CuSO4·5H2O``, also with a bullet, an asterisk or a multiplication sign; ``CuSO4.5H2O``;
        ``MgO.Al2O3``.
        Numbers in front of a part are its factor (``3CaO·Al2O3``, ``CaSO4·0.5H2O``).

    Returns
    -------
    list of tuple of float and str
        Factor and formula of each part; a formula that is no adduct is one part, unchanged.

    Raises
    ------
    AdductError
        If a dot may be a decimal point as well, or a part is empty.
    """
    if _ZERO_FOR_O.search(formula):
        raise AdductError("ends in H20 with a zero. Write H2O with the letter O")
    parts = re.split(f"[{re.escape(_SEPARATORS)}]", formula)
    parts = [piece for part in parts for piece in _at_keyboard_dots(part)]
    if len(parts) == 1:
        return [(1.0, formula)]
    found = []
    for part in parts:
        match = _FACTOR.fullmatch(part)
        if match is None or not match["part"]:
            raise AdductError("has a dot of a hydrate with nothing on one side")
        factor = float(match["factor"] or 1)
        if factor == 0:
            raise AdductError(f"has none of {match['part']}: take it out")
        found.append((factor, match["part"]))
    return found


def _at_keyboard_dots(text: str) -> list[str]:
    molecules: list[str] = []
    rest = text
    while match := _KEYBOARD.fullmatch(rest):
        if match["amount"] and match["factor"] and int(match["amount"]) <= 1:
            # Nobody writes Fe0 or Fe1, so that this is Fe0.5 or Fe1.5.
            break
        if int(match["amount"] or 1) > _LARGEST_AMOUNT or float(match["factor"] or 1) > _LARGEST_FACTOR:
            raise AdductError(_AMBIGUOUS)
        molecules.insert(0, f"{match['factor']}{match['molecule']}")
        rest = match["main"]
    between = _BETWEEN.split(rest)
    if not molecules and len(between) == 1:
        if _NAMED_AGAIN.search(text):
            raise AdductError(_AMBIGUOUS)
        return [text]
    if any(_DECIMAL.search(part) for part in between):
        raise AdductError(_AMBIGUOUS)
    return [*between, *molecules]
