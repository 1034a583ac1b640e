"""What code a rule depends on: its script and the project's modules that it imports, directly or not.

Snakemake sees a change of a script, but not of a module that the script imports.  The digest below is a
parameter of every rule, so that such a change reruns the rules that use the module, and no others.
Comments, docstrings and modules that only speak to the user do not count: they change no result.
"""

import ast
import hashlib
from collections.abc import Iterator
from functools import cache
from pathlib import Path

WORKFLOW = Path(__file__).resolve().parents[1]
PACKAGE = "polyfacet"
SPEAKING_MODULES = frozenset({f"{PACKAGE}.errors", f"{PACKAGE}.progress"})


def code_digest(script: Path) -> str:
    """Return a digest of a script and of everything of the package that it imports (16 hex digits)."""
    digest = hashlib.sha256()
    for path in sorted(code_of(script)):
        digest.update(_meaning(path).encode())
    return digest.hexdigest()[:16]


def code_of(script: Path) -> set[Path]:
    """Return the script and the files of the package's modules that it imports, directly or not."""
    found: set[Path] = set()
    waiting = [script.resolve()]
    while waiting:
        path = waiting.pop()
        if path not in found:
            found.add(path)
            waiting.extend(_imported(path))
    return found


@cache
def _tree(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"), filename=str(path))


@cache
def _meaning(path: Path) -> str:
    """Dump the syntax tree without positions, comments and docstrings."""
    tree = ast.parse(path.read_text(encoding="utf-8"), filename=str(path))
    for node in ast.walk(tree):
        body = getattr(node, "body", None)
        if isinstance(body, list) and body and _is_docstring(body[0]):
            node.body = body[1:]  # type: ignore[attr-defined]
    return f"{path.relative_to(WORKFLOW).as_posix()}:{ast.dump(tree)}"


def _is_docstring(node: ast.AST) -> bool:
    return (
        isinstance(node, ast.Expr)
        and isinstance(node.value, ast.Constant)
        and isinstance(node.value.value, str)
    )


@cache
def _imported(path: Path) -> tuple[Path, ...]:
    names = {name for node in ast.walk(_tree(path)) for name in _modules(node)}
    return tuple(sorted(file for name in names for file in _files(name)))


def _modules(node: ast.AST) -> Iterator[str]:
    if isinstance(node, ast.Import):
        yield from (alias.name for alias in node.names)
    elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
        yield node.module
        yield from (f"{node.module}.{alias.name}" for alias in node.names)


def _files(module: str) -> Iterator[Path]:
    """Find the files that importing a module of the package runs: itself and its parents' ``__init__``."""
    parts = module.split(".")
    if parts[0] != PACKAGE or ".".join(parts[:2]) in SPEAKING_MODULES:
        return
    for depth in range(1, len(parts) + 1):
        base = WORKFLOW.joinpath(*parts[:depth])
        for file in (base.with_suffix(".py"), base / "__init__.py"):
            if file.is_file():
                yield file
