"""The text of a configuration: what YAML 1.1 reads otherwise than it is written."""

import re
from collections.abc import Collection, Iterable, Iterator, Sequence
from pathlib import Path

import yaml

from polyfacet.runtime.errors import UserError

# Octal, hexadecimal and binary numbers, and numbers to the base of 60: 0100, 0x1F, 12:30.
_OTHER_BASES = re.compile(r"[-+]?(0[0-9_]+|0[xb][0-9a-fA-F_]+|[1-9][0-9_]*(:[0-5]?[0-9])+(\.[0-9_]*)?)")
# Digits that are joined by underscores, but not in thousands: 2024_01 is a name, 10_000 a number.
_JOINED_DIGITS = re.compile(r"[-+]?(?!\d{1,3}(_\d{3})+$)\d[\d_]*_[\d_]*")
MERGE = "tag:yaml.org,2002:merge"
_NUMBERS = ("tag:yaml.org,2002:int", "tag:yaml.org,2002:float")


def check_source_text(paths: Iterable[str | Path], arguments: Sequence[str] = ()) -> None:
    """Refuse a configuration with numbers that YAML reads as others, or with keys that are given twice.

    Parameters
    ----------
    paths
        Its files; what is no YAML is left to Snakemake, which has read it.
    arguments
        The command line, of which the values of ``--config`` belong to the configuration.

    Raises
    ------
    UserError
        If there are such numbers, or keys that are given twice, of which YAML takes the last; names the file
        and the line, and shows what to write.
    """
    problems = [problem for path in paths for problem in _problems_of_file(Path(path))]
    for assignment in _assignments(arguments):
        value = assignment.partition("=")[2]
        problems += [f"--config {assignment}: {problem}" for _, problem in _problems(value)]
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


def _problems_of_file(path: Path) -> list[str]:
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError):
        return []
    return [f"{path}, line {line}: {problem}" for line, problem in _problems(text)]


def _assignments(arguments: Sequence[str]) -> Iterator[str]:
    """Yield what follows ``--config`` on a command line, as far as the next option."""
    is_config = False
    for argument in arguments:
        if argument.startswith("-"):
            option, _, attached = argument.partition("=")
            is_config = option in ("--config", "-C")
            if is_config and attached:
                yield attached
        elif is_config and "=" in argument:
            yield argument


def _problems(text: str) -> Iterator[tuple[int, str]]:
    """Yield the line of each such number or key, and what to write."""
    try:
        document = yaml.compose(text, Loader=yaml.SafeLoader)
    except yaml.YAMLError:
        return
    nodes = list(_nodes(document, set()))
    for mapping in nodes:
        if isinstance(mapping, yaml.MappingNode):
            yield from _keys_given_twice(mapping)
    for node in nodes:
        if not isinstance(node, yaml.ScalarNode):
            continue
        if node.style is None and node.tag in _NUMBERS and _is_misread(node.value):
            meant = node.value.lstrip("+-").lstrip("0").replace("_", "") or "0"
            number = meant if meant.isdigit() else "a decimal number"
            read = yaml.safe_load(node.value)
            advice = f'Write "{node.value}" for a name, {number} for a number'
            yield node.start_mark.line + 1, f"{node.value} is {read} to YAML. {advice}"


def _is_misread(number: str) -> bool:
    return bool(_OTHER_BASES.fullmatch(number) or _JOINED_DIGITS.fullmatch(number))


def _keys_given_twice(mapping: yaml.MappingNode) -> Iterator[tuple[int, str]]:
    lines: dict[str, int] = {}
    for key, _ in mapping.value:
        line = key.start_mark.line + 1
        # Of several merges, none overrides another.
        if not isinstance(key, yaml.ScalarNode) or key.tag == MERGE:
            continue
        if key.value in lines:
            yield line, f"{key.value} stands in line {lines[key.value]} as well. Write it once"
        lines[key.value] = line


def _nodes(node: yaml.Node | None, seen: set[int]) -> Iterator[yaml.Node]:
    """Go through the nodes of a document, what is referred to several times once."""
    if node is None or id(node) in seen:
        return
    seen.add(id(node))
    yield node
    if isinstance(node, yaml.SequenceNode):
        for item in node.value:
            yield from _nodes(item, seen)
    elif isinstance(node, yaml.MappingNode):
        for pair in node.value:
            for item in pair:
                yield from _nodes(item, seen)
