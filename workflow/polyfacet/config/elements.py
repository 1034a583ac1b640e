"""Type of keys whose values are element symbols."""

from typing import Annotated

from pydantic import AfterValidator, WithJsonSchema
from pydantic_core import PydanticCustomError

from polyfacet.config.section import ELEMENT
from polyfacet.elements.symbols import SYMBOLS


def _known(symbol: str) -> str:
    if symbol not in SYMBOLS:
        raise PydanticCustomError("element", "is not an element")
    return symbol


Element = Annotated[
    str, ELEMENT, AfterValidator(_known), WithJsonSchema({"type": "string", "enum": sorted(SYMBOLS)})
]
