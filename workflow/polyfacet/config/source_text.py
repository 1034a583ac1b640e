"""The text of a configuration: what YAML 1.1 reads otherwise than it is written."""

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

# Octal, hexadecimal and binary numbers, and numbers to the base of 60: 0100, 0x1F, 12:30.
_OTHER_BASES = re.compile(r"[-+]?(0[0-9_]+|0[xb][0-9a-fA-F_]+|[1-9][0-9_]*(:[0-5]?[0-9])+(\.[0-9_]*)?)")
# Digits that are joined by underscores, but not in thousands: 2024_01 is a name, 10_000 a number.
_JOINED_DIGITS = re.compile(r"[-+]?(?!\d{1,3}(_\d{3})+$)\d[\d_]*_[\d_]*")
MERGE = "tag:yaml.org,2002:merge"
_NUMBERS = ("tag:yaml.org,2002:int", "tag:yaml.org,2002:float")


@dataclass(frozen=True)
class KnownSettings:
    """What is declared of the settings of engines.

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
    """Refuse a configuration that YAML reads otherwise than it is written.

    These are numbers to other bases, numbers where a text is declared that would be spelled otherwise
    (``+1``, ``1.50``), and keys that are given twice, of which YAML takes the last.

    Parameters
    ----------
    paths
        Its files; what is no YAML is left to Snakemake, which has read it.
    arguments
        The command line, of which the values of ``--config`` belong to the configuration.
    known
        What is declared of the settings of engines, once plug-ins are loaded.

    Raises
    ------
    UserError
        If there is such a number or key; names the file and the line, and shows what to write.
    """
    problems = [problem for path in paths for problem in _problems_of_file(Path(path), known)]
    for key, value in assignments(arguments):
        problems += [f"--config {key}={value}: {problem}" for problem in _problems_of_assignment(key, value)]
    if problems:
        lines = "\n".join(f"  - {problem}" for problem in problems)
        raise UserError(f"The configuration is read by YAML as something else than it says:\n{lines}")


def holds_only(paths: Iterable[str | Path], keys: Collection[str]) -> bool:
    """Say whether files have no other keys than these: not what a workflow configures beside this one.

    Parameters
    ----------
    paths
        Files in YAML that Snakemake has read.
    keys
        Keys of the configuration.
    """
    return all(_keys_of_file(Path(path)) <= set(keys) for path in paths)


def _keys_of_file(path: Path) -> set[str]:
    content = yaml.safe_load(path.read_text(encoding="utf-8"))
    return set(content) if isinstance(content, dict) else set()


def _problems_of_file(path: Path, known: KnownSettings) -> list[str]:
    try:
        document = yaml.compose(path.read_text(encoding="utf-8"), Loader=yaml.SafeLoader)
    except (OSError, UnicodeDecodeError, yaml.YAMLError):
        return []
    nodes = list(_walk(document, (Configuration,), None, known, {}))
    return [f"{path}, line {line}: {problem}" for line, problem in _problems(nodes)]


def _problems_of_assignment(key: str, value: str) -> list[str]:
    """Check a value of ``--config``, of which Snakemake reads a whole number or truth value, else texts."""
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
    told: set[int] = set()
    for node, kinds in nodes:
        if isinstance(node, yaml.ScalarNode) and id(node) not in told:
            for problem in _problem_of_scalar(node, kinds):
                told.add(id(node))
                yield node.start_mark.line + 1, problem


def _problem_of_scalar(node: yaml.ScalarNode, kinds: Kinds) -> Iterator[str]:
    if node.style is None and node.tag in _NUMBERS:
        yield from _problem_of_number(node.value, yaml.safe_load(node.value), kinds)


def _problem_of_number(written: str, read: float, kinds: Kinds) -> Iterator[str]:
    """Say what to write instead of a number that is read otherwise than it is written, if it is."""
    if _OTHER_BASES.fullmatch(written) or _JOINED_DIGITS.fullmatch(written):
        meant = written.lstrip("+-").lstrip("0").replace("_", "") or "0"
        number = meant if meant.isdigit() else "a decimal number"
        yield f'{written} is {read} to YAML. Write "{written}" for a name, {number} for a number'
    elif takes_text(kinds) and str(read) != written:
        yield f'{written} is the number {read} to YAML, and a text is meant here. Write "{written}"'


def _keys_given_twice(node: yaml.Node) -> Iterator[tuple[int, str]]:
    lines: dict[str, int] = {}
    for key, _ in node.value if isinstance(node, yaml.MappingNode) else ():
        line = key.start_mark.line + 1
        # Of several merges, none overrides another.
        if not isinstance(key, yaml.ScalarNode) or key.tag == MERGE:
            continue
        if key.value in lines:
            yield line, f"{key.value} stands in line {lines[key.value]} as well. Write it once"
        lines[key.value] = line


def _walk(
    node: yaml.Node | None,
    kinds: Kinds,
    settings: type[Section] | None,
    known: KnownSettings,
    seen: dict[tuple[int, ...], Kinds],
) -> Iterator[tuple[yaml.Node, Kinds]]:
    """Go through what is below a node, what is referred to several times once for each declaration.

    `settings` are those of the engine that the keys above name.
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
    """Return what the key ``engine`` of a mapping says, if it has one."""
    return next((str(value.value) for key, value in mapping.value if key.value == "engine"), None)
