"""The layout reflects the architecture: packages import only earlier ones, and modules form no cycles."""

import graphlib
from pathlib import Path

import pytest
from project import PROJECT

from polyfacet.runtime.code_digest import imported_names

PACKAGE = PROJECT / "workflow" / "polyfacet"
# docs/architecture.md describes each of them.
ORDER = (
    "runtime",
    "elements",
    "config",
    "materials",
    "sources",
    "splits",
    "networks",
    "facets",
    "encodings",
    "training",
    "evaluation",
    "reporting",
    "use",
)


def module_name(path: Path) -> str:
    return ".".join(path.relative_to(PACKAGE.parent).with_suffix("").parts).removesuffix(".__init__")


MODULES = {module_name(path): path for path in sorted(PACKAGE.rglob("*.py"))}
IMPORTS = {name: imported_names(path) & MODULES.keys() - {name} for name, path in MODULES.items()}


def room(module: str) -> str:
    return module.split(".")[1]


def test_every_module_is_in_a_known_package():
    assert {room(name) for name in MODULES if "." in name} == set(ORDER)
    assert [name for name, path in MODULES.items() if path.parent == PACKAGE] == ["polyfacet"]


@pytest.mark.parametrize("package", ORDER)
def test_a_package_imports_only_packages_before_it(package):
    allowed = ORDER[: ORDER.index(package) + 1]
    upward = [
        f"{name} -> {imported}"
        for name in MODULES
        if "." in name and room(name) == package
        for imported in IMPORTS[name]
        if "." in imported and room(imported) not in allowed
    ]
    assert upward == []


def test_facets_and_sources_do_not_import_each_other():
    """A facet can be removed without the others."""
    siblings = [
        f"{name} -> {imported}"
        for parent in ("facets", "sources")
        for name in MODULES
        for imported in IMPORTS[name]
        if name.startswith(f"polyfacet.{parent}.") and imported.startswith(f"polyfacet.{parent}.")
        if MODULES[name].parent != PACKAGE / parent and MODULES[imported].parent != PACKAGE / parent
        if name.split(".")[2] != imported.split(".")[2]
    ]
    assert siblings == []


def test_modules_form_no_import_cycles():
    # A package's `__init__` runs before its modules; importing the package does not import these.
    modules = {name: imports - {name.rpartition(".")[0]} for name, imports in IMPORTS.items()}
    list(graphlib.TopologicalSorter(modules).static_order())
