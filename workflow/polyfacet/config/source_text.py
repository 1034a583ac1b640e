"""Check the text of a configuration for values that YAML 1.1 reads differently from how they are written."""

import json
import re
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

import yaml

from polyfacet.config.assignments import assignments
from polyfacet.config.declarations import Kinds, kinds_below, kinds_of_keys, takes_text
from polyfacet.config.run import Configuration
from polyfacet.config.section import EngineSettings, Section
from polyfacet.runtime.errors import UserError

# Octal, hexadecimal, binary and sexagesimal numbers: 0100, 0x1F, 12:30.
_OTHER_BASES = re.compile(r"[-+]?(0[0-9_]+|0[xb][0-9a-fA-F_]+|[1-9][0-9_]*(:[0-5]?[0-9])+(\.[0-9_]*)?)")
# Digits joined by underscores, but not as thousands separators: 2024_01 is a name, 10_000 a number.
_JOINED_DIGITS = re.compile(r"[-+]?(?!\d{1,3}(_\d{3})+$)\d[\d_]*_[\d_]*")
MERGE = "tag:yaml.org,2002:merge"
_NUMBERS = ("tag:yaml.org,2002:int", "tag:yaml.org,2002:float")


@dataclass(frozen=True)
class KnownSettings:
    """Declared settings of engines.

    Attributes
    ----------
    engines
        By name of the engine.
    methods
        By name of the method, for those whose engine is named elsewhere.
    """

    engines: Mapping[str, type[Section]] = field(default_factory=dict)
    methods: Mapping[str, type[Section]] = field(default_factory=dict)


NOT_KNOWN_YET = KnownSettings()


def check_source_text(
    paths: Iterable[str | Path], arguments: Sequence[str] = (), known: KnownSettings = NOT_KNOWN_YET
) -> None:
    """Reject a configuration that YAML reads differently from how it is written.

    This concerns numbers in other bases, numbers in place of a declared text that would be spelled
    differently (``+1``, ``1.50``), and duplicate keys, of which YAML uses the last.

    Parameters
    ----------
    paths
        Its files; Snakemake, which has read them, reports those that are not valid YAML.
    arguments
        The command line; the values of ``--config`` belong to the configuration.
    known
        Declared settings of engines, once plug-ins are loaded.

    Raises
    ------
    UserError
        If there is such a number or key; the message has the file, the line and what to write.
    """
    problems = [problem for path in paths for problem in _problems_of_file(Path(path), known)]
    for key, value in assignments(arguments):
        problems += [f"--config {key}={value}: {problem}" for problem in _problems_of_assignment(key, value)]
    if problems:
        lines = "\n".join(f"  - {problem}" for problem in problems)
        raise UserError(f"YAML reads the configuration differently from how it is written:\n{lines}")


def holds_only(paths: Iterable[str | Path], keys: Collection[str]) -> bool:
    """Return whether files have only these keys, and so do not configure another workflow as well.

    Parameters
    ----------
    paths
        YAML files that Snakemake has read.
    keys
        Keys of the configuration.
    """
    return all(_keys_of_file(Path(path)) <= set(keys) for path in paths)


def _keys_of_file(path: Path) -> set[str]:
    text = path.read_text(encoding="utf-8")
    try:
        content = yaml.safe_load(text)
    except yaml.YAMLError:
        # Snakemake reads JSON first, which may be indented with tabs.
        content = json.loads(text)
    return set(content) if isinstance(content, dict) else set()


def _problems_of_file(path: Path, known: KnownSettings) -> list[str]:
    try:
        document = yaml.compose(path.read_text(encoding="utf-8"), Loader=yaml.SafeLoader)
    except (OSError, UnicodeDecodeError, yaml.YAMLError):
        return []
    nodes = list(_walk(document, (Configuration,), None, known, {}))
    return [f"{path}, line {line}: {problem}" for line, problem in _problems(nodes)]


def _problems_of_assignment(key: str, value: str) -> list[str]:
    """Check a value of ``--config``; Snakemake reads it as an integer or truth value, otherwise as text."""
    try:
        node = yaml.compose(value, Loader=yaml.SafeLoader)
    except yaml.YAMLError:
        return []
    kinds = kinds_below((Configuration,), key)
    if not isinstance(node, yaml.ScalarNode):
        mappings = [each for each, _ in _walk(node, (), None, NOT_KNOWN_YET, {})]
        return [problem for each in mappings for _, problem in _keys_given_twice(each)]
    for read_number in (int, float):
        with suppress(ValueError):
            return list(_problem_of_number(value, read_number(value), kinds))
    return list(_problem_of_scalar(node, kinds))


def _problems(nodes: Sequence[tuple[yaml.Node, Kinds]]) -> Iterator[tuple[int, str]]:
    """Yield the line of each such key or number, and what to write."""
    for node in dict.fromkeys(node for node, _ in nodes):
        yield from _keys_given_twice(node)
    reported: set[int] = set()
    for node, kinds in nodes:
        if isinstance(node, yaml.ScalarNode) and id(node) not in reported:
            for problem in _problem_of_scalar(node, kinds):
                reported.add(id(node))
                yield node.start_mark.line + 1, problem


def _problem_of_scalar(node: yaml.ScalarNode, kinds: Kinds) -> Iterator[str]:
    if node.style is None and node.tag in _NUMBERS:
        yield from _problem_of_number(node.value, yaml.safe_load(node.value), kinds)


def _problem_of_number(written: str, read: float, kinds: Kinds) -> Iterator[str]:
    """Yield what to write if a number is read differently from how it is written."""
    if _OTHER_BASES.fullmatch(written) or _JOINED_DIGITS.fullmatch(written):
        meant = written.lstrip("+-").lstrip("0").replace("_", "") or "0"
        number = meant if meant.isdigit() else "a decimal number"
        yield f'YAML reads {written} as {read}. Write "{written}" for a name, {number} for a number'
    elif takes_text(kinds) and str(read) != written:
        yield f'YAML reads {written} as the number {read}, but a text is expected. Write "{written}"'


def _keys_given_twice(node: yaml.Node) -> Iterator[tuple[int, str]]:
    lines: dict[str, int] = {}
    for key, _ in node.value if isinstance(node, yaml.MappingNode) else ():
        line = key.start_mark.line + 1
        # Merge keys may be repeated: none overrides another.
        if not isinstance(key, yaml.ScalarNode) or key.tag == MERGE:
            continue
        if key.value in lines:
            yield line, f"the key {key.value} is also in line {lines[key.value]}. Write it once"
        lines[key.value] = line


def _walk(
    node: yaml.Node | None,
    kinds: Kinds,
    settings: type[Section] | None,
    known: KnownSettings,
    seen: dict[tuple[int, ...], Kinds],
) -> Iterator[tuple[yaml.Node, Kinds]]:
    """Yield a node and all nodes below it; nodes with several references once per declaration.

    `settings` are the declared settings of the engine that a key above names.
    """
    if EngineSettings in kinds:
        kinds = (settings,) if settings else ()
    place = (id(node), id(settings), *map(id, kinds))
    if node is None or place in seen:
        return
    seen[place] = kinds
    yield node, kinds
    if isinstance(node, yaml.SequenceNode):
        for item in node.value:
            yield from _walk(item, kinds_below(kinds, 0), settings, known, seen)
    elif isinstance(node, yaml.MappingNode):
        engine = _engine_of(node)
        for key, value in node.value:
            name = str(key.value)
            yield from _walk(key, kinds_of_keys(kinds), settings, known, seen)
            if key.tag == MERGE:
                merged = value.value if isinstance(value, yaml.SequenceNode) else [value]
                for each in merged:
                    yield from _walk(each, kinds, settings, known, seen)
            else:
                own = known.engines.get(engine) if engine else settings or known.methods.get(name)
                yield from _walk(value, kinds_below(kinds, name), own, known, seen)


def _engine_of(mapping: yaml.MappingNode) -> str | None:
    """Return the value of the key ``engine`` of a mapping, if it has one."""
    return next((str(value.value) for key, value in mapping.value if key.value == "engine"), None)
