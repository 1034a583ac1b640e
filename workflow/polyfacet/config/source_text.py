"""The text of a configuration: numbers that YAML 1.1 reads as others than those that are written."""

import re
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

import yaml

from polyfacet.runtime.errors import UserError

# Octal, hexadecimal and binary numbers, and numbers to the base of 60: 0100, 0x1F, 12:30.
_OTHER_BASES = re.compile(r"[-+]?(0[0-9_]+|0[xb][0-9a-fA-F_]+|[1-9][0-9_]*(:[0-5]?[0-9])+(\.[0-9_]*)?)")
# Digits that are joined by underscores, but not in thousands: 2024_01 is a name, 10_000 a number.
_JOINED_DIGITS = re.compile(r"[-+]?(?!\d{1,3}(_\d{3})+$)\d[\d_]*_[\d_]*")
_NUMBERS = ("tag:yaml.org,2002:int", "tag:yaml.org,2002:float")


def check_source_text(paths: Iterable[str | Path], arguments: Sequence[str] = ()) -> None:
    """Refuse a configuration with numbers that YAML reads as others.

    Parameters
    ----------
    paths
        Its files; what is no YAML is left to Snakemake, which has read it.
    arguments
        The command line, of which the values of ``--config`` belong to the configuration.

    Raises
    ------
    UserError
        If there are such numbers; names the file and the line, and shows what to write.
    """
    problems = [problem for path in paths for problem in _problems_of_file(Path(path))]
    for assignment in _assignments(arguments):
        value = assignment.partition("=")[2]
        problems += [f"--config {assignment}: {problem}" for _, problem in _problems(value)]
    if problems:
        lines = "\n".join(f"  - {problem}" for problem in problems)
        raise UserError(f"The configuration has numbers that YAML reads as others:\n{lines}")


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
    """Yield the line of each such number, and what to write."""
    try:
        document = yaml.compose(text, Loader=yaml.SafeLoader)
    except yaml.YAMLError:
        return
    for node in _scalars(document, set()):
        if node.style is None and node.tag in _NUMBERS and _is_misread(node.value):
            meant = node.value.lstrip("+-").lstrip("0").replace("_", "") or "0"
            number = meant if meant.isdigit() else "a decimal number"
            read = yaml.safe_load(node.value)
            advice = f'Write "{node.value}" for a name, {number} for a number'
            yield node.start_mark.line + 1, f"{node.value} is {read} to YAML. {advice}"


def _is_misread(number: str) -> bool:
    return bool(_OTHER_BASES.fullmatch(number) or _JOINED_DIGITS.fullmatch(number))


def _scalars(node: yaml.Node | None, seen: set[int]) -> Iterator[yaml.ScalarNode]:
    """Go through the scalars of a document, what is referred to several times once."""
    if node is None or id(node) in seen:
        return
    seen.add(id(node))
    if isinstance(node, yaml.ScalarNode):
        yield node
    elif isinstance(node, yaml.SequenceNode):
        for item in node.value:
            yield from _scalars(item, seen)
    elif isinstance(node, yaml.MappingNode):
        for pair in node.value:
            for item in pair:
                yield from _scalars(item, seen)
