"""Look up the declaration of a key by its path."""

from collections.abc import Sequence
from types import UnionType
from typing import Annotated, Any, Union, get_args, get_origin

from pydantic import BaseModel
from pydantic.fields import FieldInfo

from polyfacet.config.section import EngineSettings, annotation_of

Path = Sequence[str | int]
# The allowed types of a value, without metadata.
Kinds = tuple[Any, ...]


def field_at(section: type[BaseModel], path: Path) -> tuple[FieldInfo | None, int]:
    """Return the innermost declared key on the path to a value, and how many parts of the path lead to it."""
    found, depth, _ = _walk(section, path)
    return found, depth


def keys_at(section: type[BaseModel], path: Path) -> list[str]:
    """List the keys that are declared below a path; a list may be given as its only item."""
    kinds = _walk(section, path)[2]
    items = [item for kind in kinds for item in _values(kind, 0)]
    return list(dict.fromkeys(key for kind in (*kinds, *items) for key in _fields(kind)))


def kinds_below(kinds: Kinds, part: str | int) -> Kinds:
    """Return the allowed types of the value of a key, or of an item of a list."""
    fields = [fields[str(part)] for fields in map(_fields, kinds) if part in fields]
    if fields:
        return tuple(_alternatives(annotation_of(fields[0])))
    return tuple(inner for kind in kinds for inner in _values(kind, part))


def kinds_of_keys(kinds: Kinds) -> Kinds:
    """Return the allowed types of the keys of a mapping whose names users choose."""
    named = [get_args(kind)[0] for kind in kinds if get_origin(kind) is dict]
    return tuple(inner for each in named for inner in _alternatives(each))


def takes_text(kinds: Kinds) -> bool:
    """Return whether a scalar is read as text: a text or a list of texts is allowed, but not a number."""
    if {int, float} & set(kinds):
        return False
    items = [item for kind in kinds for item in _values(kind, 0)]
    return str in kinds or (bool(items) and takes_text(tuple(items)))


def _walk(section: type[BaseModel], path: Path) -> tuple[FieldInfo | None, int, list[Any]]:
    """Follow a path; return the innermost key, its depth, and the allowed types of the value at the end."""
    found: FieldInfo | None = None
    depth = 0
    kinds: list[Any] = [section]
    for i, part in enumerate(path, start=1):
        fields = [fields[str(part)] for fields in map(_fields, kinds) if part in fields]
        if fields:
            found, depth = fields[0], i
            kinds = _alternatives(found.annotation)
        else:
            kinds = [inner for kind in kinds for inner in _values(kind, part)]
    return found, depth, kinds


def _fields(kind: Any) -> dict[str, FieldInfo]:
    if not (isinstance(kind, type) and issubclass(kind, BaseModel)):
        return {}
    return {field.alias or name: field for name, field in kind.model_fields.items()}


def _values(kind: Any, part: str | int) -> list[Any]:
    """List the allowed types of the items of a list, or of the values of a mapping with free names."""
    collections, position = ((list, tuple), 0) if isinstance(part, int) else ((dict,), 1)
    return _alternatives(get_args(kind)[position]) if get_origin(kind) in collections else []


def _alternatives(annotation: Any) -> list[Any]:
    """List the types that an annotation allows, without metadata."""
    if annotation == EngineSettings:
        return [annotation]
    if get_origin(annotation) is Annotated:
        return _alternatives(get_args(annotation)[0])
    if get_origin(annotation) in (Union, UnionType):
        return [kind for each in get_args(annotation) for kind in _alternatives(each)]
    return [annotation]
