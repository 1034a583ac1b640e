"""Conda environments and the lock file have the same versions, and rules find the packages they import."""

import ast
import re
import sys
from collections.abc import Iterable, Iterator
from functools import cache
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest
import yaml
from project import PROJECT

from polyfacet.facets.registry import FACETS, files_of_makers
from polyfacet.runtime.code_digest import code_of
from polyfacet.training.engines.registry import ENGINES


def normalized(name: str) -> str:
    """Return the normalized name of a package, as used by the package index."""
    return re.sub(r"[-_.]+", "-", name).lower()


LOCKED = {
    normalized(name): version
    # If the lock has several versions by Python, the first one is for the oldest, used by the environments.
    for name, version in reversed(
        re.findall(r"^([\w.-]+)==([^\s;]+)", (PROJECT / "requirements.lock").read_text(), re.MULTILINE)
    )
}


@pytest.mark.parametrize("path", sorted((PROJECT / "envs").glob("*.yaml")), ids=lambda path: path.stem)
def test_environments_are_pinned_to_the_locked_versions(path):
    environment = yaml.safe_load(path.read_text())
    assert environment["channels"] == ["conda-forge", "nodefaults"]
    packages = [item for item in environment["dependencies"] if isinstance(item, str)]
    assert all("=" in item for item in packages)
    for requirement in (
        item for part in environment["dependencies"] if isinstance(part, dict) for item in part["pip"]
    ):
        name, version = requirement.split("==")
        assert LOCKED[normalized(name)] == version, name


def test_every_environment_is_used():
    rules = "".join(path.read_text() for path in PROJECT.rglob("*.smk")) + "".join(
        path.read_text() for path in (PROJECT / "embedded").rglob("Snakefile")
    )
    for path in (PROJECT / "envs").glob("*.yaml"):
        assert path.name in rules, path.name


def rules_with_environments() -> Iterator[tuple[str, str]]:
    """List the script of every rule with the environments in which it may run."""
    for path in (PROJECT / "rules").glob("*.smk"):
        for block in path.read_text().split("\nrule ")[1:]:
            # Targets have neither.
            scripts = re.findall(r'script_path\("(\w+)"\)', block)
            environments = re.findall(r"envs/(\w+)\.yaml", block)
            assert len(scripts) == bool(environments or "script:" in block)
            yield from ((script, environment) for script in scripts for environment in environments)


@cache
def imports(path: Path) -> set[str]:
    """List the packages that a file imports anywhere in it."""
    nodes = list(ast.walk(ast.parse(path.read_text())))
    modules = {alias.name for node in nodes if isinstance(node, ast.Import) for alias in node.names}
    modules |= {node.module for node in nodes if isinstance(node, ast.ImportFrom) and node.module}
    return {module.split(".")[0] for module in modules} - sys.stdlib_module_names - {"polyfacet"}


# Only command lines, which no rule runs, need this module and its imports.
COMMAND_LINES = ("polyfacet.config.command_line",)
# Pydantic installs its core, and AutoGluon Lightning; XenonPy is imported only if it is the chosen back end.
# TabICL is optional: whoever uses it adds it.
NOT_NEEDED = {("*", "pydantic_core"), ("*", "lightning"), ("crystals", "xenonpy"), ("*", "tabicl")}


@pytest.fixture(scope="module")
def distributions():
    return packages_distributions()


@pytest.mark.parametrize("environment", ["crystals", "predict"])
def test_an_environment_has_all_packages_that_make_facets(environment, distributions):
    makers = files_of_makers(FACETS.built_in)
    assert makers
    _check_has_packages(environment, makers, distributions)


@pytest.mark.parametrize("environment", ["training", "predict"])
def test_an_environment_has_all_packages_that_engines_import(environment, distributions):
    engines = [declared.file for declared in ENGINES.built_in.values()]
    assert all(engines)
    _check_has_packages(environment, engines, distributions)


@pytest.mark.parametrize(("script", "environment"), sorted(rules_with_environments()))
def test_an_environment_has_all_packages_that_its_rules_import(script, environment, distributions):
    _check_has_packages(environment, [PROJECT / "workflow" / "scripts" / f"{script}.py"], distributions)


def _check_has_packages(environment: str, files: Iterable[Path], distributions: dict[str, list[str]]) -> None:
    dependencies = yaml.safe_load((PROJECT / "envs" / f"{environment}.yaml").read_text())["dependencies"]
    (pip,) = [part["pip"] for part in dependencies if isinstance(part, dict)]
    there = {normalized(requirement.split("==")[0]) for requirement in pip}
    for path in code_of(*files, left_out=COMMAND_LINES):
        for package in imports(path):
            if not NOT_NEEDED & {("*", package), (environment, package)}:
                assert there & set(map(normalized, distributions[package])), f"{path.name} imports {package}"
