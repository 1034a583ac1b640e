"""Base of all sections of the configuration: unknown keys are errors, values are read as declared."""

import datetime
import json
import math
import re
import types
from collections.abc import Mapping, Sequence
from contextlib import suppress
from itertools import zip_longest
from typing import Annotated, Any, Literal, Union, get_args, get_origin

import yaml
from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    GetCoreSchemaHandler,
    GetJsonSchemaHandler,
    SerializerFunctionWrapHandler,
    StringConstraints,
    ValidationInfo,
    field_validator,
    model_serializer,
)
from pydantic.fields import FieldInfo
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema, PydanticCustomError, core_schema

from polyfacet.runtime.names import NAME
from polyfacet.runtime.project_files import located

# Key in the context of an error: what to write instead of the value.
WRITE = "write"
TRUTH_WORDS = (("yes", "no"), ("on", "off"), ("true", "false"))
TRUTH_VALUES = "YAML reads yes, no, on, off, true and false without quotes as truth values"
PLAIN_VALUES = "should consist of texts, numbers, true, false, null, lists and mappings"

# From here on, neighbouring floats differ by more than 1.
FIRST_INEXACT = 2.0**53
_INTEGER = re.compile(r"[-+]?[0-9][0-9_]*")
_FLOAT = re.compile(r"[-+]?([0-9][0-9_]*\.?[0-9]*|\.[0-9]+)([eE][-+]?[0-9]+)?")
_POWER_OF_TEN = re.compile(rf"{_FLOAT.pattern.removesuffix('?')}")
NULL = ("null", "~")
_TRUTH = {"true": True, "True": True, "TRUE": True, "false": False, "False": False, "FALSE": False}


# Types that a configuration holds as a list.
LISTS = (list, tuple, set, frozenset)


class IsElement:
    """Mark of texts that are element symbols; YAML reads the symbol ``No`` as false."""


ELEMENT = IsElement()


class AsGiven:
    """Mark of mappings whose declaration is not known yet: the settings of engines.

    They stay as YAML or the command line read them: a text that looks like a number may be meant as
    text.
    """

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        """Replace pydantic's own validation of a mapping."""
        return core_schema.no_info_plain_validator_function(mapping_as_given)

    def __get_pydantic_json_schema__(
        self, schema: CoreSchema, handler: GetJsonSchemaHandler
    ) -> JsonSchemaValue:
        """Describe it as a mapping of texts to anything."""
        return handler(core_schema.dict_schema(core_schema.str_schema(), core_schema.any_schema()))


AS_GIVEN = AsGiven()
EngineSettings = Annotated[dict[str, Any], AS_GIVEN]
# Names that users choose; they become parts of paths.
Name = Annotated[str, StringConstraints(pattern=rf"^{NAME}$")]
Text = Annotated[str, StringConstraints(min_length=1)]
# A file or folder to read, in the working directory; files that only the project has are found there.
InputPath = Annotated[str, StringConstraints(min_length=1), AfterValidator(located)]


class Section(BaseModel):
    """A section of the configuration, or the settings of an engine.

    Values are read as their keys are declared, whatever YAML 1.1 or Snakemake's command line made of them:
    ``1e-4`` is a number where a number is declared, ``2024`` a text where a text is declared, and a single
    value is accepted where a list is declared.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)

    @field_validator("*", mode="before")
    @classmethod
    def _as_declared(cls, value: Any, info: ValidationInfo) -> Any:
        if info.field_name is None:
            raise TypeError("the field validator was called without a field name")
        return read_as(value, annotation_of(cls.model_fields[info.field_name]))

    @model_serializer(mode="wrap", when_used="json")
    def _with_sorted_sets(self, dump: SerializerFunctionWrapHandler) -> dict[str, Any]:
        """Sort sets, whose order differs between processes."""
        dumped: dict[str, Any] = dump(self)
        for name, field in type(self).model_fields.items():
            key = name if name in dumped else field.serialization_alias
            if key in dumped and isinstance(getattr(self, name), set | frozenset):
                dumped[key] = sorted(dumped[key], key=json.dumps)
        return dumped


def annotation_of(field: FieldInfo) -> Any:
    """Return the declared type of a key, including the mark of settings, which pydantic stores separately."""
    return EngineSettings if AS_GIVEN in field.metadata else field.annotation


class TruthValueError(Exception):
    """A truth value where a text is expected."""


class NoElementError(TruthValueError):
    """A truth value, other than that of ``No``, where an element symbol is expected."""


def read_as(value: Any, declared: Any) -> Any:
    """Read the value of a key as its declared type; see `as_declared`.

    Raises
    ------
    PydanticCustomError
        If a text is declared and YAML read a truth value, or if anything is allowed and the value is not
        plain.
    """
    try:
        return as_declared(value, declared)
    except TruthValueError as error:
        # The intended elements are unknown: the message shows the key's example.
        write = {} if isinstance(error, NoElementError) else {WRITE: _quoted(value)}
        raise PydanticCustomError("truth_value", TRUTH_VALUES, write) from error


def as_declared(value: Any, declared: Any) -> Any:
    """Convert a value to its declared type where possible; pydantic reports what is still wrong.

    Parameters
    ----------
    value
        Value as read by YAML or the command line.
    declared
        Annotation of the key.

    Raises
    ------
    TruthValueError
        If a text is declared and YAML read a truth value.
    PydanticCustomError
        If anything is allowed and the value is not plain.
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
        return _items_as_declared(value, options)
    return value if value is None else _scalar_as_declared(value, options)


def plain(value: Any) -> Any:
    """Read an undeclared value; texts that spell numbers, truth values or null become these.

    Raises
    ------
    PydanticCustomError
        If it cannot be represented in JSON.
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
    """Check that a value is a mapping that a configuration can hold, and return it unchanged.

    Raises
    ------
    PydanticCustomError
        If it is not a mapping, or holds values that no declaration could read.
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
        # No declaration accepts what `plain` rejects, such as bytes.
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
    """Reject lone surrogates, which cannot be written to a file."""
    try:
        text.encode("utf-8")
    except UnicodeEncodeError as error:
        raise PydanticCustomError("not_plain", PLAIN_VALUES) from error
    return text


def _number(text: str) -> float | int | str:
    """Read a number as YAML 1.2 does, but ``1e3`` as an integer; return any other text unchanged."""
    if _INTEGER.fullmatch(text):
        return int(text)
    number = float(text) if _FLOAT.fullmatch(text) else math.inf
    if not math.isfinite(number):
        return text
    is_whole = "." not in text and number.is_integer() and abs(number) < FIRST_INEXACT
    return int(number) if is_whole else number


def _is_null(text: str, options: tuple[Any, ...]) -> bool:
    """Return whether a text means null, for keys that allow null and are not declared as text."""
    return type(None) in options and str not in map(_bare, options) and (not text or text in NULL)


def _text_as_declared(text: str, options: tuple[Any, ...]) -> Any:
    kinds = tuple(map(_bare, options))
    choices = [choice for kind in kinds if get_origin(kind) is Literal for choice in get_args(kind)]
    if text in choices:
        return text
    if choices and (number := _plain_text(text)) in choices:
        # Numbers are texts on the command line.
        return number
    if str in kinds:
        # YAML 1.1 reads 0.001 as a number, but 1e-3 as a text.
        return _number(text) if float in kinds and _POWER_OF_TEN.fullmatch(text) else text
    if _is_collection(kinds) and text.startswith(("[", "{")):
        with suppress(yaml.YAMLError, RecursionError):
            read = yaml.load(text, Loader=yaml.BaseLoader)  # noqa: S506 - texts, lists and mappings only
            return read if isinstance(read, str) else as_declared(read, Union[options])  # noqa: UP007 - made here
    items = _item_of(options)
    number = _number(text) if int in kinds or float in kinds else text
    if not isinstance(number, str):
        whole = isinstance(number, float) and float not in kinds and number.is_integer()
        return int(number) if whole else number
    is_number = (int in kinds or float in kinds) and str not in map(_bare, _options(items))
    return text if items is None or is_number else [as_declared(text, items)]


def _items_as_declared(values: Sequence[Any], options: tuple[Any, ...]) -> list[Any]:
    """Read the items of a list; those of a tuple may each have a type of their own."""
    for kind in map(_bare, options):
        types_of_items = get_args(kind)
        if get_origin(kind) is tuple and Ellipsis not in types_of_items:
            each = zip_longest(values, types_of_items[: len(values)], fillvalue=Any)
            return [as_declared(item, declared) for item, declared in each]
    items = _item_of(options)
    return list(values) if items is None else [as_declared(item, items) for item in values]


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
        read = _truth_value_as_declared(value, options)
        if read is not value:
            return read
    elif str in kinds and isinstance(value, datetime.date) and not isinstance(value, datetime.datetime):
        return value.isoformat()
    elif str in kinds and not {int, float} & set(kinds):
        finite = isinstance(value, int) or (isinstance(value, float) and math.isfinite(value))
        return str(value) if finite else value
    items = _item_of(options)
    alone = items is None or {str, int, float, bool} & set(kinds)
    return value if alone else [as_declared(value, items)]


def _truth_value_as_declared(value: bool, options: tuple[Any, ...]) -> Any:
    kinds = tuple(map(_bare, options))
    choices = [choice for kind in kinds if get_origin(kind) is Literal for choice in get_args(kind)]
    # 0 == False, but it is not a choice of `false`.
    if bool in kinds or any(choice is value for choice in choices):
        return value
    if meant := [words[not value] for words in TRUTH_WORDS if words[not value] in choices]:
        return meant[0]
    if any(ELEMENT in getattr(each, "__metadata__", ()) for each in options):
        if value:
            raise NoElementError
        return "No"
    if str in kinds:
        raise TruthValueError
    if int in kinds or float in kinds:
        raise PydanticCustomError("number", "should be a number")
    return value


def _options(declared: Any) -> tuple[Any, ...]:
    """Return the members of a union; any other type is its own only member."""
    if get_origin(declared) in (Union, types.UnionType):
        return get_args(declared)
    return (declared,)


def _bare(kind: Any) -> Any:
    """Return a type without the metadata of ``Annotated``."""
    return get_args(kind)[0] if get_origin(kind) is Annotated else kind


def _item_of(options: tuple[Any, ...]) -> Any:
    """Return the declared type of the items of a list; None if lists are not allowed."""
    for kind in map(_bare, options):
        if get_origin(kind) in LISTS and get_args(kind):
            return get_args(kind)[0]
    return None


def _is_section(kind: Any) -> bool:
    return isinstance(kind, type) and issubclass(kind, BaseModel)


def _is_collection(kinds: tuple[Any, ...]) -> bool:
    return any(get_origin(kind) in (*LISTS, dict) or _is_section(kind) for kind in kinds)


def _quoted(value: Any) -> Any:
    """Replace truth values that YAML read by the texts that were most likely written."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, list | tuple):
        return [_quoted(item) for item in value]
    if isinstance(value, Mapping):
        return {_quoted(name): _quoted(item) for name, item in value.items()}
    return value


def each_once(items: list[Any]) -> list[Any]:
    """Reject a list with repeated items.

    Raises
    ------
    PydanticCustomError
        If an item is repeated; the error holds the list without repetitions.
    """
    once = [item for i, item in enumerate(items) if item not in items[:i]]
    if len(once) < len(items):
        raise PydanticCustomError("twice", "has repeated items", {WRITE: once})
    return items
