"""The code that a rule depends on: its script, the project's modules that it imports, and their assets.

Direct and indirect imports count.  Assets are the files of a package that are not Python (JavaScript, style
sheets, tables), next to its modules or in subfolders that are not packages.  Plug-ins name their assets.

Snakemake notices a change of a script, but not of a module that the script imports.  The digest below is a
parameter of every rule, so that such a change reruns the rules that use the module, and no others.
Comments, docstrings and modules that only produce messages do not count: they do not affect results.  Nor do
declarations of the configuration and of engines: their values reach a rule through its other parameters.
"""

import hashlib
import re
from collections.abc import Iterable, Iterator
from functools import cache
from pathlib import Path

from polyfacet.runtime.files import sha256_of_file
from polyfacet.runtime.parsed_code import ParsedCode, parsed_code

WORKFLOW = Path(__file__).resolve().parents[2]
PACKAGE = "polyfacet"
DECLARED_ENGINE = re.compile(rf"{PACKAGE}\.training\.engines\..*\bdeclaration\b")
UNCOUNTED = tuple(f"{PACKAGE}.{name}" for name in ("config", "runtime.errors", "runtime.progress"))


def code_digest(script: Path, *more: Path) -> str:
    """Return a digest of a script and of all code and assets of the project that it uses (16 hex digits).

    Parameters
    ----------
    script
        Path of the script.
    more
        Files that it uses without importing them by name: plug-ins with their assets, and modules that a
        setting chooses.
    """
    digest = hashlib.sha256()
    code = code_of(script, *more)
    others = {*assets_of(code), *(path.resolve() for path in more if not _is_python(path))}
    # Not in the order of paths, which depends on where the project and plug-ins are.
    for text in (*sorted(map(_meaning, code)), *sorted(map(_asset, others))):
        digest.update(text.encode())
    return digest.hexdigest()[:16]


def code_of(*files: Path, left_out: tuple[str, ...] = UNCOUNTED) -> set[Path]:
    """Return Python files and the modules of the package that they import directly or indirectly.

    Parameters
    ----------
    files
        Paths of a script and of the files that it uses; files that are not Python are left out.
    left_out
        Modules and packages that are not followed.
    """
    found: set[Path] = set()
    waiting = [path.resolve() for path in files if _is_python(path)]
    while waiting:
        path = waiting.pop()
        if path not in found:
            found.add(path)
            waiting.extend(_imported(path, left_out))
    return found


def assets_of(code: Iterable[Path]) -> list[Path]:
    """List the assets of the packages that contain some Python files, in order."""
    # If only the declaration of a package is read, its assets do not matter.
    used = {path for path in code if path.name not in ("declaration.py", "__init__.py")}
    folders = {path.parent for path in used if path.is_relative_to(WORKFLOW)}
    return sorted({asset for folder in folders for asset in _assets(folder)})


def files_of_package(folder: Path) -> Iterator[Path]:
    """Yield all files of an installed package, except those left by editors and Python."""
    for path in folder.iterdir():
        if not _is_left_behind(path):
            yield from files_of_package(path) if path.is_dir() else (path,)


def _is_python(path: Path) -> bool:
    return path.suffix == ".py"


def _is_left_behind(path: Path) -> bool:
    return path.name.startswith((".", "__pycache__")) or path.name.endswith(("~", ".pyc"))


@cache
def _assets(folder: Path) -> tuple[Path, ...]:
    """List a package's files that are not Python, except those of subpackages and those left by editors."""
    found: list[Path] = []
    for path in folder.iterdir():
        if _is_left_behind(path):
            continue
        if path.is_dir():
            found += () if (path / "__init__.py").is_file() else _assets(path)
        elif not _is_python(path):
            found.append(path)
    return tuple(found)


@cache
def _asset(path: Path) -> str:
    return f"{_name(path)}:{sha256_of_file(path)}"


@cache
def _meaning(path: Path) -> str:
    """Return a text that identifies the code of a file, without positions and comments."""
    return f"{_name(path)}:{_parsed(path).digest}"


@cache
def _parsed(path: Path) -> ParsedCode:
    return parsed_code(path)


def _name(path: Path) -> str:
    """Return the path of a file in the project, or only the name of a plug-in, which may be anywhere."""
    return path.relative_to(WORKFLOW).as_posix() if path.is_relative_to(WORKFLOW) else path.name


@cache
def _imported(path: Path, left_out: tuple[str, ...]) -> tuple[Path, ...]:
    return tuple(sorted({file for name in imported_names(path) for file in _files(name, left_out)}))


def imported_names(path: Path) -> frozenset[str]:
    """Return the names that a file imports anywhere in it: modules and their members."""
    return _parsed(path).imports


@cache
def _files(module: str, left_out: tuple[str, ...]) -> tuple[Path, ...]:
    """Return the files that importing a module of the package runs: its own and its parents' ``__init__``."""
    parts = module.split(".")
    if parts[0] != PACKAGE or f"{module}.".startswith(tuple(f"{name}." for name in left_out)):
        return ()
    if DECLARED_ENGINE.match(module):
        return ()
    bases = [WORKFLOW.joinpath(*parts[:depth]) for depth in range(1, len(parts) + 1)]
    files = (file for base in bases for file in (base.with_suffix(".py"), base / "__init__.py"))
    return tuple(file for file in files if file.is_file())
