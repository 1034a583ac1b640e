"""The packages that results depend on: those that a stage's code imports, and their requirements."""

import re
from importlib.metadata import packages_distributions, version

import pytest
from project import PROJECT

from polyfacet.facets.registry import files_of_makers
from polyfacet.runtime.packages import (
    WITHOUT_EFFECT,
    imported_modules,
    normalized,
    package_versions,
    providers,
    required_packages,
)
from polyfacet.training.engines.registry import engine_files

# Engines that the training script imports by name and that make results depend on further packages.
ENGINES_OF = {"train_cells": ("automm", "classical", "mcvn")}
SCRIPTS = {path.stem: path for path in sorted((PROJECT / "workflow" / "scripts").glob("*.py"))}
# For each package: stages whose results depend on it, and stages whose results do not.
USERS = {
    "jarvis-tools": ({"fit_network", "embed_graphs"}, {"build_graphs", "write_structures", "render_images"}),
    "torch-geometric": ({"fit_network", "embed_graphs"}, {"build_graphs", "sample"}),
    "torch": ({"build_graphs", "embed_graphs", "train_cells"}, {"write_structures", "describe_structures"}),
    "spglib": ({"build_graphs", "describe_structures", "render_images"}, {"draw_composition_legend"}),
    "pymatgen-core": ({"sample", "write_structures", "render_images", "build_graphs"}, {"compare_methods"}),
    "crystal-toolkit": ({"render_images"}, {"write_structures", "build_graphs"}),
    "robocrys": ({"describe_structures"}, {"describe_compositions"}),
    "matminer": ({"build_element_table", "describe_structures"}, {"sample"}),
    "mendeleev": ({"build_element_table"}, {"sample"}),
    "xenonpy": ({"compute_composition_statistics"}, {"draw_composition_images"}),
    "pillow": ({"render_images", "draw_composition_images"}, {"fit_grey_levels"}),
    "scipy": ({"build_graphs", "train_cells", "compare_methods"}, {"draw_composition_images"}),
    "lightning": ({"train_cells"}, {"collect_results"}),
    "transformers": ({"train_cells", "make_local_encoders"}, {"fit_network"}),
    "tokenizers": ({"train_cells", "make_local_encoders"}, {"fit_network"}),
    "timm": ({"train_cells", "make_local_encoders"}, {"fit_network"}),
    "matplotlib": ({"draw_contact_sheet"}, {"draw_composition_images"}),
    "plotly": ({"write_report"}, {"draw_contact_sheet", "compare_methods"}),
    "jinja2": ({"write_report"}, {"draw_contact_sheet", "compare_methods"}),
}  # fmt: skip


def versions_of(script):
    """Return the packages that a stage, including the engines of its cells, depends on."""
    files = [file for engine in ENGINES_OF.get(script, ()) for file in engine_files(engine, {})]
    return package_versions(SCRIPTS[script], *files)


@pytest.fixture(scope="module")
def distributions():
    return packages_distributions()


@pytest.mark.parametrize("script", SCRIPTS.values(), ids=SCRIPTS)
def test_every_package_that_a_stage_imports_is_among_them(script, distributions):
    said = package_versions(script)
    for module in imported_modules(script):
        expected = {normalized(name) for name in distributions[module]}
        found = providers(module)
        assert found
        assert found <= expected
        # Other packages are required by the package with the name of the module.
        assert expected == found or normalized(module) in found
        for name in found - WITHOUT_EFFECT:
            assert f"{name} {version(name)}" in said, module


@pytest.fixture(scope="module")
def installed():
    """Return the packages that each stage depends on, as installed."""
    return {name: versions_of(name) for name in SCRIPTS}


@pytest.mark.parametrize("package", USERS)
def test_a_new_version_is_noticed_where_the_package_is_used(package, installed, install):
    install(package, "999")
    changed = {name for name in SCRIPTS if versions_of(name) != installed[name]}
    users, others = USERS[package]
    assert users <= changed
    assert not others & changed


def test_a_facet_depends_on_the_packages_of_its_function(install):
    script = SCRIPTS["make_facet"]
    before = {name: package_versions(script, *files_of_makers([name])) for name in ("descriptors", "xrd")}
    install("matminer", "999")
    after = {name: package_versions(script, *files_of_makers([name])) for name in before}
    assert [name for name in before if before[name] != after[name]] == ["descriptors"]
    assert "matminer" not in package_versions(script)


def test_requirements_have_normalized_names():
    found = required_packages("pymatgen-core")
    assert {"numpy", "scipy", "spglib", "monty", "networkx"} <= found
    assert not {"torch", "chgnet", "pytest"} & found, "extras that nobody asked for"
    assert "lightning" in required_packages("autogluon-multimodal")


def test_packages_that_are_not_installed_are_ignored(tmp_path):
    script = tmp_path / "script.py"
    script.write_text("import no_such_module\nimport numpy\n")
    assert providers("no_such_module") == frozenset()
    assert re.fullmatch(r"numpy [\d.]+, and \w{8} of 0 that they require", package_versions(script))
