"""Private and rewritten code of libraries: isolated, and tied to the version that it was written for."""

import ast
import re
import tomllib
from collections.abc import Iterator

import pytest
from project import PROJECT

from polyfacet.facets.registry import FACETS
from polyfacet.runtime import upstream
from polyfacet.runtime.upstream import UpstreamVersionError, written_for
from polyfacet.training.engines.explaining import CAPTUM
from polyfacet.training.engines.registry import ENGINES

PACKAGE = PROJECT / "workflow" / "polyfacet"
MODULES = sorted(PACKAGE.rglob("*.py"))
FENCES = [path for path in MODULES if path.stem.endswith("_compat")]
LOCKED = dict(re.findall(r"^([\w.-]+)==([^\s;]+)", (PROJECT / "requirements.lock").read_text(), re.MULTILINE))
EXTRAS = tomllib.loads((PROJECT / "pyproject.toml").read_text())["project"]["optional-dependencies"]
# Packages of single facets and engines.
OPTIONAL = {
    name: version
    for extra, requirements in EXTRAS.items()
    if extra != "dev"
    for name, version in (requirement.split("==") for requirement in requirements)
}
# Python's own.
KNOWN = {"_exit"}


@pytest.mark.parametrize("path", FENCES, ids=lambda path: path.stem)
def test_compat_modules_are_written_for_the_locked_version(path):
    calls = re.findall(r'^written_for\(__name__, "([\w-]+)", "([\w.]+)"\)$', path.read_text(), re.MULTILINE)
    assert calls, "begins without written_for(__name__, package, version)"
    assert calls == [(package, LOCKED[package]) for package, _ in calls]


def test_optional_packages_are_declared_in_the_pinned_version():
    declared = [
        *(network.package for facet in FACETS.built_in.values() for network in facet.pretrained.values()),
        *(engine.package for engine in ENGINES.built_in.values() if engine.package),
        CAPTUM,
    ]
    assert {package.name: package.version for package in declared} == OPTIONAL
    assert OPTIONAL.items() <= LOCKED.items()
    assert all(
        requirements == [f"{extra}=={OPTIONAL[extra]}"]
        for extra, requirements in EXTRAS.items()
        if extra in OPTIONAL
    )


def test_a_different_version_is_rejected_naming_both(monkeypatch):
    monkeypatch.setattr(upstream, "version", lambda _: "2.0")
    written_for("here", "library", "2.0")
    with pytest.raises(UpstreamVersionError, match=r"here .*library .*version 1\.9, but 2\.0 .*make setup"):
        written_for("here", "library", "1.9")


@pytest.mark.parametrize("path", [path for path in MODULES if path not in FENCES], ids=lambda path: path.stem)
def test_no_other_module_uses_private_code_of_libraries(path):
    assert list(foreign_privacy(ast.parse(path.read_text()))) == []


def is_private(name: str) -> bool:
    return name.startswith("_") and not name.endswith("__")


def foreign_privacy(module: ast.Module) -> Iterator[str]:
    """List the private code of others that a module uses: attributes, imports, replaced classes."""
    own = KNOWN | {
        node.attr if isinstance(node, ast.Attribute) else node.name
        for node in ast.walk(module)
        if isinstance(node, ast.FunctionDef)
        or (isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Store) and is_of_self(node))
    }
    for node in ast.walk(module):
        if isinstance(node, ast.Attribute):
            stored = isinstance(node.ctx, ast.Store)
            if (is_private(node.attr) and node.attr not in own) or (node.attr == "__class__" and stored):
                yield f"line {node.lineno}: .{node.attr}"
            if node.attr in ("__globals__", "__code__"):
                yield f"line {node.lineno}: .{node.attr}"
        elif isinstance(node, ast.ImportFrom):
            parts = [*(node.module or "").split("."), *(alias.name for alias in node.names)]
            yield from (f"line {node.lineno}: {part}" for part in parts if is_private(part))
        elif isinstance(node, ast.Subscript) and isinstance(node.ctx, ast.Store) and is_vars(node.value):
            yield f"line {node.lineno}: vars()"


def is_of_self(node: ast.Attribute) -> bool:
    return isinstance(node.value, ast.Name) and node.value.id == "self"


def is_vars(node: ast.expr) -> bool:
    return isinstance(node, ast.Call) and getattr(node.func, "id", "") == "vars"


def test_private_code_is_detected():
    code = "from a.b import _c\nfrom a._b import c\nx._y\nx.__class__ = y\nvars(x)['y'] = z\nf.__code__"
    assert len(list(foreign_privacy(ast.parse(code)))) == 6
