"""Ones typed for the letters l and I: ``MgC12`` for MgCl2, ``CsPb13`` for CsPbI3."""

import re

from polyfacet.materials.adducts import SEPARATORS
from polyfacet.materials.misprints import Misprint
from polyfacet.materials.whole_alloys import is_whole

# The end of a formula, of a bracket, or of the part of a hydrate before its water.
_END = rf"(?:$|\)|\s*(?:[{re.escape(SEPARATORS)}]|\.[0-9. ]*\(?[HD]2O))"
_ALKALI = "(?:(?<![A-Za-z0-9])H|NH4|Li|Na|K|Rb|Cs|Tl|Cu|Ag)"
# Carbides are excluded: LiC12 and KC24 are compounds of graphite.
_CHLORIDE = (
    rf"{_ALKALI}C(?=1{_END})"
    rf"|(?:Be|Mg|Ca|Sr|Ba|Ti|Cr|Mn|Fe|Co|Ni|Cu|Zn|Cd|Hg|Pd|Pt|Sn|Pb)C(?=12{_END})"
    rf"|(?:B|Al|Ga|In|P|As|Sb|Bi|Ti|V|Cr|Fe|Ru|Rh|Ir|Au|Y|La|Ce|Pr|Nd|Sm|Eu|Gd|Tb|Dy|Ho|Er|Tm|Yb|Lu)C(?=13{_END})"
    rf"|(?:Si|Ge|Sn|Ti|Zr|Hf|V|Th|U)C(?=14{_END})|(?:P|Sb|Nb|Ta|Mo)C(?=15$)|WC(?=16$)"
    rf"|(?:{_ALKALI}|\()C(?=1O[34]{_END})"
)
_IODIDE = (
    rf"(?:Li|Na|K|Rb|Cs|NH3|\(NH2\)2)[0-9.]*(?:(?:Pb|Sn|Ge)(?=13{_END})|(?:Ag)?(?:Bi|Sb)2(?=19$))"
    r"|(?:K|Rb|Cs)2(?:Sn|Te|Ti|Zr|Hf|Pd|Pt|AgBi|AgSb|NaBi|NaIn)(?=16$)"
)
_ONE_FOR_L = re.compile(rf"(?:{_CHLORIDE})(?P<one>1)")
_ONE_FOR_I = re.compile(rf"(?:{_IODIDE})(?P<one>1)")


def one_for_letter(text: str) -> Misprint | None:
    """Find amounts whose first digit may be the l of chlorine or the I of iodine."""
    for pattern, letter in ((_ONE_FOR_L, "l"), (_ONE_FOR_I, "I")):
        match = pattern.search(text)
        if match and not is_whole(text):
            start, end = match.span("one")
            return Misprint(
                f"has a one for the letter {letter}",
                (f"{text[:start]}{letter}{text[end:]}", _as_amount(text, start)),
            )
    return None


def _as_amount(text: str, start: int) -> str:
    """Write what begins with a one as an amount: with all other amounts (Na1C1) or decimals (Pb13.0)."""
    if text[start - 1] == "C" and text[start - 2].isalpha():
        return f"{text[: start - 1]}1{text[start - 1 :]}"
    return text[:start] + re.sub("^[0-9]+", r"\g<0>.0", text[start:])
