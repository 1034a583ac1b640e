"""The packages that the code of a rule depends on, and their installed versions.

These are the packages that the code imports, and their direct and indirect requirements.  All of this is read
from the names and metadata of installed packages: importing them would take a minute, and
``importlib.metadata.packages_distributions`` more than a second, each time a run is planned.
"""

import hashlib
import re
import sys
from collections.abc import Iterator
from functools import cache
from pathlib import Path

from polyfacet.runtime.code_digest import PACKAGE, code_of, imported_names

# They carry data, show progress or start programs: their versions do not affect results.
WITHOUT_EFFECT = frozenset(
    {
        "anyio",
        "certifi",
        "charset-normalizer",
        "click",
        "colorama",
        "filelock",
        "h11",
        "httpcore",
        "httpx",
        "idna",
        "jsonargparse",
        "packaging",
        "pip",
        "psutil",
        "requests",
        "rich",
        "setuptools",
        "six",
        "tenacity",
        "tqdm",
        "typing-extensions",
        "urllib3",
        "wheel",
    }
)
REQUIREMENT = re.compile(r"Requires-Dist: ([\w.-]+)\s*(?:\[([^\]]*)\])?([^;\n]*)(?:;(.*))?")
EXTRA = re.compile(r"extra\s*==\s*[\"']([\w.-]+)[\"']")


def package_versions(script: Path, *more: Path) -> str:
    """Return one line with the packages, and their versions, that a script and other files depend on.

    Imported packages are named; their requirements, which are many, are summarized by one digest.
    """
    named = imported_versions(script, *more)
    others = set().union(*map(required_packages, named)) - named.keys() - WITHOUT_EFFECT
    required = " ".join(f"{package} {_version(package)}" for package in sorted(others))
    digest = hashlib.sha256(required.encode()).hexdigest()[:8]
    lines = [f"{package} {version}" for package, version in named.items()]
    return ", ".join([*lines, f"and {digest} of {len(others)} that they require"])


def imported_versions(*files: Path) -> dict[str, str]:
    """Return the installed versions of the packages that Python files import, sorted by name.

    Imports by the project's modules that they use count too; packages without effect on results do not.
    """
    imported = {package for module in imported_modules(*files) for package in providers(module)}
    return {package: _version(package) for package in sorted(imported - WITHOUT_EFFECT)}


def _version(package: str) -> str:
    folder = _installed()[package]
    parts = folder.name.removesuffix(folder.suffix).split("-")
    return parts[1] if len(parts) > 1 else ""


@cache
def required_packages(package: str) -> frozenset[str]:
    """Return the names of the installed packages that a package requires directly or indirectly."""
    waiting, found = [(package, "")], set()
    while waiting:
        one = waiting.pop()
        if one not in found and one[0] in _installed():
            found.add(one)
            waiting.extend(_required(*one))
    return frozenset(name for name, _ in found)


def imported_modules(*files: Path) -> set[str]:
    """Return the modules of packages that Python files import, directly or through the project's modules."""
    names = {name.split(".", 1)[0] for path in code_of(*files) for name in imported_names(path)}
    return names - sys.stdlib_module_names - {PACKAGE}


@cache
def providers(module: str) -> frozenset[str]:
    """Return the names of the installed packages that provide a top-level module, if any."""
    of_that_name = normalized(module)
    if of_that_name in _installed():
        return frozenset({of_that_name})
    # A package, a module, and compiled modules.
    lines = [f"\n{module}{ending}".encode() for ending in ("/", ".py,", ".cpython-", ".abi3.so,")]
    return frozenset(name for name in _installed() if any(line in _files_of(name) for line in lines))


@cache
def _files_of(package: str) -> bytes:
    """Read the list of a package's files, one per line."""
    for listing in ("RECORD", "SOURCES.txt", "installed-files.txt"):
        path = _installed()[package] / listing
        if path.is_file():
            return b"\n" + path.read_bytes()
    return b""


@cache
def _required(package: str, extra: str) -> tuple[tuple[str, str], ...]:
    """List the requirements of a package, or of one of its extras, as pairs of name and extra (or "")."""
    found: list[tuple[str, str]] = []
    for name, extras, _, marker in REQUIREMENT.findall(_metadata(package)):
        needed_by = EXTRA.findall(marker)
        if (normalized(extra) in map(normalized, needed_by)) if extra else not needed_by:
            # The package itself, then its extras.
            found += [(normalized(name), part) for part in ["", *re.findall(r"[\w.-]+", extras)]]
    return tuple(found)


@cache
def _metadata(package: str) -> str:
    """Read the fields of a package's metadata, without the description after them."""
    for name in ("METADATA", "PKG-INFO"):
        path = _installed()[package] / name
        if path.is_file():
            return path.read_text(encoding="utf-8", errors="replace").split("\n\n", 1)[0]
    return ""


@cache
def _installed() -> dict[str, Path]:
    """Map every installed package to the folder of its metadata, as Python would find it."""
    found: dict[str, Path] = {}
    for folder in sys.path:
        for path in _metadata_folders(Path(folder)):
            found.setdefault(normalized(path.name.split("-", 1)[0].removesuffix(path.suffix)), path)
    return found


def _metadata_folders(folder: Path) -> Iterator[Path]:
    if folder.is_dir():
        yield from (path for path in folder.iterdir() if path.suffix in (".dist-info", ".egg-info"))


def normalized(name: str) -> str:
    """Return the normalized name of a package, as used by the package index."""
    return re.sub(r"[-_.]+", "-", name).lower()
