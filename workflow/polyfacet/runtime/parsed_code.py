"""What digests of code need to know of a Python file: what it imports, and what it says without comments.

Parsing the package takes seconds, and every plan of a run needs the digests.  So what was found is noted in
Snakemake's folder of the working directory, by the content of the file: no note is ever out of date, and the
notes may be deleted at any time.
"""

import ast
import hashlib
import json
import logging
import sys
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import NamedTuple

logger = logging.getLogger(__name__)

# Beside what Snakemake itself keeps of a run; without its folder, nothing is noted.
NOTES = Path(".snakemake") / "polyfacet-code.jsonl"
IMPORTING_FUNCTIONS = frozenset({"find_spec", "import_module"})


class ParsedCode(NamedTuple):
    """What a Python file imports, wherever in it, and a digest of what it says besides comments."""

    imports: frozenset[str]
    digest: str


def parsed_code(path: Path) -> ParsedCode:
    """Parse a Python file, or look up what is noted of a file with this content.

    Raises
    ------
    SyntaxError
        If it is not Python.
    """
    content = path.read_bytes()
    key = hashlib.sha256(_parser() + content).hexdigest()
    notes = _notes(NOTES.absolute())
    if key not in notes:
        notes[key] = _parse(content, path)
        _note(key, notes[key])
    return notes[key]


def _parse(content: bytes, path: Path) -> ParsedCode:
    tree = ast.parse(content, filename=str(path))
    imports: set[str] = set()
    for node in ast.walk(tree):
        body = getattr(node, "body", None)
        if isinstance(body, list) and body and _is_docstring(body[0]):
            node.body = body[1:]  # type: ignore[attr-defined]
        imports.update(_modules(node))
    # The dump has no positions and no comments.
    return ParsedCode(frozenset(imports), hashlib.sha256(ast.dump(tree).encode()).hexdigest())


def _is_docstring(node: ast.AST) -> bool:
    return (
        isinstance(node, ast.Expr)
        and isinstance(node.value, ast.Constant)
        and isinstance(node.value.value, str)
    )


def _modules(node: ast.AST) -> Iterator[str]:
    """Name what a statement or call imports: modules, and what is taken from them."""
    if isinstance(node, ast.Import):
        yield from (alias.name for alias in node.names)
    elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
        yield node.module
        yield from (f"{node.module}.{alias.name}" for alias in node.names)
    elif isinstance(node, ast.Call) and node.args and isinstance(node.args[0], ast.Constant):
        called = getattr(node.func, "id", getattr(node.func, "attr", ""))
        if called in IMPORTING_FUNCTIONS and isinstance(node.args[0].value, str):
            yield node.args[0].value


@cache
def _parser() -> bytes:
    """Identify what parses: another Python, or another version of this module, finds other things."""
    return hashlib.sha256(sys.version.encode() + Path(__file__).read_bytes()).digest()


@cache
def _notes(path: Path) -> dict[str, ParsedCode]:
    """Read the notes; lines that are not whole are of a process that was killed."""
    found: dict[str, ParsedCode] = {}
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError):
        return found
    for line in lines:
        try:
            key, imports, digest = json.loads(line)
        except (ValueError, TypeError):
            continue
        found[key] = ParsedCode(frozenset(imports), digest)
    return found


def _note(key: str, parsed: ParsedCode) -> None:
    if not NOTES.parent.is_dir():
        return
    line = json.dumps([key, sorted(parsed.imports), parsed.digest]) + "\n"
    try:
        # Whole lines, added by one call: several processes may write at a time.
        with NOTES.open("ab", buffering=0) as stream:
            stream.write(line.encode())
    except OSError as error:
        logger.warning("%s cannot be written, code is parsed again next time: %s", NOTES, error)
