"""What all sections of the configuration are: closed to unknown keys, and read as their keys are declared."""

import datetime
import math
import re
import types
from collections.abc import Mapping
from contextlib import suppress
from typing import Annotated, Any, Literal, Union, get_args, get_origin

import yaml
from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    GetCoreSchemaHandler,
    GetJsonSchemaHandler,
    StringConstraints,
    ValidationInfo,
    field_validator,
)
from pydantic.fields import FieldInfo
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema, PydanticCustomError, core_schema

from polyfacet.runtime.names import NAME
from polyfacet.runtime.project_files import located

# Key of the context of an error that holds what to write instead of the value.
WRITE = "write"
TRUTH_VALUES = "YAML reads yes, no, on, off, true and false without quotes as truth values"
PLAIN_VALUES = "should be made of texts, numbers, true, false, null, lists and mappings"

# Of floats from here on, neighbours differ by more than 1.
FIRST_INEXACT = 2.0**53
_INTEGER = re.compile(r"[-+]?[0-9][0-9_]*")
_FLOAT = re.compile(r"[-+]?([0-9][0-9_]*\.?[0-9]*|\.[0-9]+)([eE][-+]?[0-9]+)?")
NULL = ("null", "~")
_TRUTH = {"true": True, "True": True, "TRUE": True, "false": False, "False": False, "FALSE": False}


class IsElement:
    """Mark of texts that are symbols of elements, of which YAML reads ``No`` as false."""


ELEMENT = IsElement()


class AsGiven:
    """Mark of mappings that a declaration will read which is not known yet: the settings of engines.

    They stay what YAML or the command line made of them: a text that looks like a number may be meant
    as a text.
    """

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        """Take the place of pydantic's own reading of a mapping."""
        return core_schema.no_info_plain_validator_function(mapping_as_given)

    def __get_pydantic_json_schema__(
        self, schema: CoreSchema, handler: GetJsonSchemaHandler
    ) -> JsonSchemaValue:
        """Say that it is a mapping of texts to anything."""
        return handler(core_schema.dict_schema(core_schema.str_schema(), core_schema.any_schema()))


AS_GIVEN = AsGiven()
EngineSettings = Annotated[dict[str, Any], AS_GIVEN]
# What users name themselves; names become parts of paths.
Name = Annotated[str, StringConstraints(pattern=rf"^{NAME}$")]
Text = Annotated[str, StringConstraints(min_length=1)]
# A file or folder to read: in the working directory or, if it is a file that only the project has, there.
InputPath = Annotated[str, StringConstraints(min_length=1), AfterValidator(located)]


class Section(BaseModel):
    """A section of the configuration, or the settings of one thing.

    Values are read as their keys are declared, whatever YAML 1.1 or Snakemake's command line made of them:
    ``1e-4`` is a number where a number is declared, ``2024`` a text where a text is, and one value stands for
    a list of it.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)

    @field_validator("*", mode="before")
    @classmethod
    def _as_declared(cls, value: Any, info: ValidationInfo) -> Any:
        if info.field_name is None:
            raise TypeError("a validator of fields is called for fields")
        return read_as(value, annotation_of(cls.model_fields[info.field_name]))


def annotation_of(field: FieldInfo) -> Any:
    """Return what a key is declared as, with the mark of settings, which pydantic keeps apart."""
    return EngineSettings if AS_GIVEN in field.metadata else field.annotation


class TruthValueError(Exception):
    """A truth value where a text is meant."""


class NoElementError(TruthValueError):
    """One where the symbol of an element is meant, which only ``No`` can be."""


def read_as(value: Any, declared: Any) -> Any:
    """Read the value of a key as what is declared; see `as_declared`.

    Raises
    ------
    PydanticCustomError
        If a text is declared and YAML read a truth value, or anything is allowed and the value is not plain.
    """
    try:
        return as_declared(value, declared)
    except TruthValueError as error:
        # Which elements were meant is not known: the key's example shows some.
        write = {} if isinstance(error, NoElementError) else {WRITE: _quoted(value)}
        raise PydanticCustomError("truth_value", TRUTH_VALUES, write) from error


def as_declared(value: Any, declared: Any) -> Any:
    """Read a value as what is declared, as far as it can be read so; what is wrong is left for pydantic.

    Parameters
    ----------
    value
        What YAML or the command line gave.
    declared
        Annotation of the key.

    Raises
    ------
    TruthValueError
        If a text is declared and YAML read a truth value.
    PydanticCustomError
        If anything is allowed, and the value is not even plain.
    """
    options = _options(declared)
    if Any in options:
        return plain(value)
    if any(AS_GIVEN in getattr(each, "__metadata__", ()) for each in options):
        return value
    if isinstance(value, str):
        return None if _is_null(value, options) else _text_as_declared(value, options)
    if isinstance(value, Mapping):
        return _mapping_as_declared(value, options)
    if isinstance(value, list | tuple):
        items = _item_of(options)
        return list(value) if items is None else [as_declared(item, items) for item in value]
    return value if value is None else _scalar_as_declared(value, options)


def plain(value: Any) -> Any:
    """Read a value of which nothing is declared: texts that are numbers, truth values or null as these.

    Raises
    ------
    PydanticCustomError
        If it is not made of what JSON has.
    """
    if isinstance(value, str):
        return _plain_text(value)
    if isinstance(value, Mapping):
        return {_encodable(str(key)): plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [plain(item) for item in value]
    if isinstance(value, datetime.date):
        return value.isoformat()
    if value is None or isinstance(value, bool | int) or (isinstance(value, float) and math.isfinite(value)):
        return value
    raise PydanticCustomError("not_plain", PLAIN_VALUES)


def mapping_as_given(value: Any) -> dict[Any, Any]:
    """Check that a value is a mapping of what a configuration can hold, and return it as it is.

    Raises
    ------
    PydanticCustomError
        If it is none, or holds what no declaration could read.
    """
    if isinstance(value, str) and value.startswith("{"):
        with suppress(yaml.YAMLError, RecursionError):
            value = yaml.load(value, Loader=yaml.BaseLoader)  # noqa: S506 - texts, lists and mappings only
    if not isinstance(value, Mapping):
        raise PydanticCustomError("dict_type", "should be keys with values")
    return {_as_given(key): _as_given(item) for key, item in value.items()}


def _as_given(value: Any) -> Any:
    if isinstance(value, Mapping):
        return mapping_as_given(value)
    if isinstance(value, list | tuple):
        return [_as_given(item) for item in value]
    if isinstance(value, str):
        return _encodable(value)
    if not isinstance(value, datetime.date):
        # What `plain` refuses, such as bytes, nothing declared could take.
        plain(value)
    return value


def _plain_text(text: str) -> Any:
    if text in NULL:
        return None
    if text in _TRUTH:
        return _TRUTH[text]
    if text.startswith(("[", "{")):
        with suppress(yaml.YAMLError, RecursionError):
            return plain(yaml.load(text, Loader=yaml.BaseLoader))  # noqa: S506 - texts, lists and mappings only
    return _number(_encodable(text))


def _encodable(text: str) -> str:
    """Refuse half a character, which no file can hold."""
    try:
        text.encode("utf-8")
    except UnicodeEncodeError as error:
        raise PydanticCustomError("not_plain", PLAIN_VALUES) from error
    return text


def _number(text: str) -> float | int | str:
    """Read a number as YAML 1.2 does, ``1e3`` as a whole one; anything else stays the text that it is."""
    if _INTEGER.fullmatch(text):
        return int(text)
    number = float(text) if _FLOAT.fullmatch(text) else math.inf
    if not math.isfinite(number):
        return text
    is_whole = "." not in text and number.is_integer() and abs(number) < FIRST_INEXACT
    return int(number) if is_whole else number


def _is_null(text: str, options: tuple[Any, ...]) -> bool:
    """Say whether a text stands for no value, where it is no text that is declared."""
    return type(None) in options and str not in map(_bare, options) and (not text or text in NULL)


def _text_as_declared(text: str, options: tuple[Any, ...]) -> Any:
    kinds = tuple(map(_bare, options))
    if any(get_origin(kind) is Literal and text in get_args(kind) for kind in kinds):
        return text
    if str in kinds:
        return text
    if _is_collection(kinds) and text.startswith(("[", "{")):
        with suppress(yaml.YAMLError, RecursionError):
            read = yaml.load(text, Loader=yaml.BaseLoader)  # noqa: S506 - texts, lists and mappings only
            return read if isinstance(read, str) else as_declared(read, Union[options])  # noqa: UP007 - made here
    if int in kinds or float in kinds:
        number = _number(text)
        whole = isinstance(number, float) and float not in kinds and number.is_integer()
        return int(number) if whole else number
    items = _item_of(options)
    return text if items is None else [as_declared(text, items)]


def _mapping_as_declared(value: Mapping[Any, Any], options: tuple[Any, ...]) -> Any:
    kinds = tuple(map(_bare, options))
    for kind in kinds:
        if get_origin(kind) is dict:
            names, values = get_args(kind)
            return {as_declared(name, names): as_declared(item, values) for name, item in value.items()}
    items = _item_of(options)
    if any(_is_section(kind) for kind in kinds):
        return {str(name): item for name, item in value.items()}
    return value if items is None else [as_declared(value, items)]


def _scalar_as_declared(value: Any, options: tuple[Any, ...]) -> Any:
    kinds = tuple(map(_bare, options))
    if isinstance(value, bool):
        if bool in kinds:
            return value
        if any(ELEMENT in getattr(each, "__metadata__", ()) for each in options):
            if value:
                raise NoElementError
            return "No"
        if str in kinds:
            raise TruthValueError
        if int in kinds or float in kinds:
            raise PydanticCustomError("number", "should be a number")
    elif str in kinds and isinstance(value, datetime.date) and not isinstance(value, datetime.datetime):
        return value.isoformat()
    elif str in kinds and not {int, float} & set(kinds):
        finite = isinstance(value, int) or (isinstance(value, float) and math.isfinite(value))
        return str(value) if finite else value
    items = _item_of(options)
    alone = items is None or {str, int, float, bool} & set(kinds)
    return value if alone else [as_declared(value, items)]


def _options(declared: Any) -> tuple[Any, ...]:
    """List what a union allows; what is none allows itself."""
    if get_origin(declared) in (Union, types.UnionType):
        return get_args(declared)
    return (declared,)


def _bare(kind: Any) -> Any:
    """Take away what ``Annotated`` says beside the type."""
    return get_args(kind)[0] if get_origin(kind) is Annotated else kind


def _item_of(options: tuple[Any, ...]) -> Any:
    """Return what the items of a list are declared as; None where no list is allowed."""
    for kind in map(_bare, options):
        if get_origin(kind) in (list, tuple):
            return get_args(kind)[0]
    return None


def _is_section(kind: Any) -> bool:
    return isinstance(kind, type) and issubclass(kind, BaseModel)


def _is_collection(kinds: tuple[Any, ...]) -> bool:
    return any(get_origin(kind) in (list, tuple, dict) or _is_section(kind) for kind in kinds)


def _quoted(value: Any) -> Any:
    """Put texts where YAML read truth values, as far as one can know which texts they were."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, list | tuple):
        return [_quoted(item) for item in value]
    if isinstance(value, Mapping):
        return {_quoted(name): _quoted(item) for name, item in value.items()}
    return value


def each_once(items: list[Any]) -> list[Any]:
    """Refuse a list that names something twice.

    Raises
    ------
    PydanticCustomError
        If it does; the error holds the list without the repetition.
    """
    once = [item for i, item in enumerate(items) if item not in items[:i]]
    if len(once) < len(items):
        raise PydanticCustomError("twice", "names something twice", {WRITE: once})
    return items
