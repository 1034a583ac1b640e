"""Messages on what is wrong with a configuration, showing what to write instead."""

import difflib
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, get_args, get_origin

import yaml
from pydantic import BaseModel, ValidationError
from pydantic.fields import FieldInfo
from pydantic_core import PydanticUndefined

from polyfacet.config.declarations import field_at, keys_at
from polyfacet.config.section import WRITE

# Keys of version 1 and their replacements.
RENAMED = {
    "targets": "It is now called `objectives`.",
    "split": "There can now be several splits. Write for example\n"
    "      splits:\n"
    "        random: {train_fraction: 0.85}",
    "engine": "Engines and their settings are now part of `methods`. Write for example\n"
    "      methods:\n"
    "        automm: {engine: automm, settings: {max_epochs: 15}}",
    "comparison": "Its keys are now `methods`, `splits` and `report`.",
    "facets": "It is now called `combinations`.",
    "settings_of_tables": "It is now called `settings_of_sources`.",
}
LONGEST_VALUE = 200
LONGEST_NAME = 31
# What the names below a key denote, where that is not the singular of the key.
NAMED = {"combinations": "table", "settings_of_sources": "table", "settings_of_objectives": "objective"}
KEY = "[key]"
SECTION_TYPES = ("model_type", "dict_type")


@dataclass(frozen=True)
class Problem:
    """A wrong value: its location and the details from pydantic.

    Parameters
    ----------
    path
        Keys and positions that lead to it.
    is_name
        Whether the last key itself is wrong.
    of_union
        Whether the error is about one of several allowed types.
    details
        Error details from pydantic.
    """

    path: tuple[str | int, ...]
    is_name: bool
    of_union: bool
    details: Mapping[str, Any]


def explain(
    error: ValidationError,
    section: type[BaseModel],
    given: Mapping[Any, Any],
    where: Sequence[str | int] = (),
) -> Iterator[str]:
    """Yield a message for each wrong key, with the line to write.

    Parameters
    ----------
    error
        Error from pydantic.
    section
        Model of the section.
    given
        Values of the section, as given.
    where
        Keys of the configuration that lead to the section.
    """
    problems = [_located(details, given) for details in error.errors(include_url=False)]
    reported: set[tuple[str | int, ...]] = set()
    for problem in problems:
        inner = any(_is_inside(other.path, problem.path) for other in problems)
        if problem.path in reported or (problem.of_union and inner):
            continue
        reported.add(problem.path)
        alike = [other for other in problems if other.path == problem.path]
        yield _sentence(alike, section, where)


def _located(details: Mapping[str, Any], given: Any) -> Problem:
    """Separate the keys of a path from the union branches that pydantic adds to it."""
    path: list[str | int] = []
    of_union = False
    value = given
    location = details["loc"]
    absent = details["type"] in ("missing", "extra_forbidden")
    for i, part in enumerate(location):
        is_last = i == len(location) - 1
        if isinstance(value, Mapping):
            keys = {str(key): key for key in value}
            if str(part) in keys:
                path.append(str(part))
                value = value[keys[str(part)]]
                continue
        elif isinstance(value, list | tuple) and isinstance(part, int) and part < len(value):
            path.append(part)
            value = value[part]
            continue
        if is_last and absent:
            path.append(str(part))
        elif part != KEY and not isinstance(part, int):
            of_union = True
    return Problem(tuple(path), location[-1:] == (KEY,), of_union, details)


def _is_inside(path: tuple[str | int, ...], other: tuple[str | int, ...]) -> bool:
    return len(path) > len(other) and path[: len(other)] == other


def _sentence(problems: Sequence[Problem], section: type[BaseModel], where: Sequence[str | int]) -> str:
    if isinstance(problems[0].details["input"], Mapping):
        # Where a text or a section is allowed, a section was meant.
        problems = [each for each in problems if each.details["type"] != "string_type"] or problems
    problem = problems[0]
    kind, value = problem.details["type"], problem.details["input"]
    name = ".".join(map(str, [*where, *problem.path])) or "the configuration"
    if kind == "extra_forbidden":
        return _about_unknown_key(problem, section, where, name)
    if problem.is_name:
        write = _write_name(problem, where) if kind == "string_pattern_mismatch" else ""
        return f"{name}: the name {value!r} {_reason(problem.details)}.{write}"
    found, _ = field_at(section, problem.path)
    described = found is not None and found.description and kind != "value_error"
    meaning = f" {found.description}" if found is not None and described else ""
    write = _write(problem, section, where)
    if kind == "missing":
        return f"{name} is missing.{meaning}{write}"
    reason = "; or ".join(dict.fromkeys(_reason(each.details) for each in problems))
    shown = "" if isinstance(value, Mapping) else f" = {_shown(value)}"
    return f"{name}{shown}: {reason}.{meaning}{write}"


def _about_unknown_key(
    problem: Problem, section: type[BaseModel], where: Sequence[str | int], name: str
) -> str:
    key, parent = str(problem.path[-1]), problem.path[:-1]
    known = keys_at(section, parent)
    near = difflib.get_close_matches(key, known, n=1)
    if key in RENAMED:
        return f"unknown key {name}. {RENAMED[key]}"
    if near:
        snippet = _snippet([*where, *parent, near[0]], problem.details["input"])
        return f"unknown key {name}. Did you mean\n      {snippet}"
    there = f"Known keys: {', '.join(known)}" if known else "No keys are allowed here"
    return f"unknown key {name}. {there}. Remove it."


def _reason(details: Mapping[str, Any]) -> str:
    if details["input"] is None and details["type"] not in ("missing", "value_error"):
        return "has no value"
    if details["type"] in SECTION_TYPES:
        return "should be keys with values"
    message = str(details["msg"])
    for begin in ("Value error, ", "Input ", "String ", "Dictionary ", "List "):
        message = message.removeprefix(begin)
    return message.split(", unable to parse")[0]


def _write(problem: Problem, section: type[BaseModel], where: Sequence[str | int]) -> str:
    """Show the line to write: from the error if it holds one, otherwise an example of the key."""
    context = problem.details.get("ctx", {})
    path = [*where, *problem.path]
    if WRITE in context:
        return _write_snippet(path, context[WRITE])
    found, depth = field_at(section, problem.path)
    if found is None or problem.details["type"] == "value_error":
        return ""
    kind, value = problem.details["type"], problem.details["input"]
    if isinstance(value, list) and len(value) == 1 and kind.endswith("_type") and kind not in SECTION_TYPES:
        return _write_snippet(path, value[0])
    return _write_snippet([*where, *problem.path[:depth]], _example(found))


def _write_name(problem: Problem, where: Sequence[str | int]) -> str:
    """Show a valid name to write instead."""
    *parent, name = problem.path
    possible = re.sub(r"[^a-z0-9]", "", str(name).lower())
    if not possible[:1].isalpha():
        above = str(parent[-1])
        possible = NAMED.get(above, above.removesuffix("s")) + possible
    return _write_snippet([*where, *parent, possible[:LONGEST_NAME]], "...")


def _write_snippet(path: Sequence[str | int], value: Any) -> str:
    return f" Write for example\n      {_snippet(path, value)}"


def _example(field: FieldInfo) -> Any:
    """Return an allowed value of a key: its example if it has one, otherwise its default."""
    if field.examples:
        return field.examples[0]
    default = field.get_default(call_default_factory=False)
    if default is PydanticUndefined:
        return get_args(field.annotation)[0] if get_origin(field.annotation) is Literal else "..."
    return _dumped(default)


def _dumped(value: Any) -> Any:
    if isinstance(value, BaseModel):
        return value.model_dump(mode="json", exclude_defaults=True)
    if isinstance(value, dict):
        return {key: _dumped(item) for key, item in value.items()}
    if isinstance(value, set | frozenset):
        return sorted(value, key=str)
    return value


def _shown(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= LONGEST_VALUE else f"{text[:LONGEST_VALUE]}..."


def _snippet(path: Sequence[str | int], value: Any) -> str:
    nested: Any = value
    for key in reversed(path):
        nested = [nested] if isinstance(key, int) else {key: nested}
    is_flat = isinstance(nested, dict) and not any(isinstance(each, dict | list) for each in nested.values())
    try:
        written = yaml.safe_dump(nested, sort_keys=False, default_flow_style=False if is_flat else None)
    except yaml.YAMLError:  # a value of a type that no configuration can hold
        return _snippet(path, "...")
    return written.strip().replace("\n", "\n      ")
