"""The text of configuration files: numbers that YAML 1.1 reads as others than those that are written."""

import re
from collections.abc import Iterable, Iterator
from pathlib import Path

import yaml

from polyfacet.runtime.errors import UserError

# Octal, hexadecimal and binary numbers, and numbers to the base of 60: 0100, 0x1F, 12:30.
_OTHER_BASES = re.compile(r"[-+]?(0[0-9_]+|0[xb][0-9a-fA-F_]+|[1-9][0-9_]*(:[0-5]?[0-9])+(\.[0-9_]*)?)")
_NUMBERS = ("tag:yaml.org,2002:int", "tag:yaml.org,2002:float")


def check_source_text(paths: Iterable[str | Path]) -> None:
    """Refuse configuration files with numbers that YAML reads as others.

    Parameters
    ----------
    paths
        The files; what is no YAML is left to Snakemake, which has read it.

    Raises
    ------
    UserError
        If there are such numbers; names the file and the line, and shows what to write.
    """
    problems = [problem for path in paths for problem in _problems(Path(path))]
    if problems:
        lines = "\n".join(f"  - {problem}" for problem in problems)
        raise UserError(f"The configuration has numbers that YAML reads as others:\n{lines}")


def _problems(path: Path) -> Iterator[str]:
    try:
        text = path.read_text(encoding="utf-8")
        document = yaml.compose(text, Loader=yaml.SafeLoader)
    except (OSError, UnicodeDecodeError, yaml.YAMLError):
        return
    for node in _scalars(document, set()):
        if node.style is None and node.tag in _NUMBERS and _OTHER_BASES.fullmatch(node.value):
            meant = node.value.lstrip("+-").lstrip("0") or "0"
            yield (
                f"{path}, line {node.start_mark.line + 1}: {node.value} is {yaml.safe_load(node.value)} to "
                f'YAML. Write "{node.value}" for a name, '
                f"{meant if meant.isdigit() else 'a decimal number'} for a number"
            )


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
