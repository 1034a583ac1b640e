"""Parse Python files for digests of code: their imports, and their code without comments.

Parsing the package takes seconds, and planning a run needs the digests.  So results are stored in Snakemake's
folder of the working directory, by the content of the file: they are never out of date and can be deleted at
any time.
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

# In the folder where Snakemake stores its own data; without this folder, nothing is stored.
NOTES = Path(".snakemake") / "polyfacet-code.jsonl"
IMPORTING_FUNCTIONS = frozenset({"find_spec", "import_module"})


class ParsedCode(NamedTuple):
    """The names that a Python file imports anywhere, and a digest of its code without comments."""

    imports: frozenset[str]
    digest: str


def parsed_code(path: Path) -> ParsedCode:
    """Parse a Python file, or look up the stored result for its content.

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
    """Yield the names that a statement or call imports: modules and their members."""
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
    """Identify the parser: results depend on the version of Python and of this module."""
    return hashlib.sha256(sys.version.encode() + Path(__file__).read_bytes()).digest()


@cache
def _notes(path: Path) -> dict[str, ParsedCode]:
    """Read the stored results; incomplete lines are left by killed processes and skipped."""
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
        # Complete lines, appended by one call: several processes may write at the same time.
        with NOTES.open("ab", buffering=0) as stream:
            stream.write(line.encode())
    except OSError as error:
        logger.warning("%s cannot be written; code will be parsed again next time: %s", NOTES, error)
