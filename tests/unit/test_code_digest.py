"""The code digest changes only with the code that a rule uses."""

import importlib
import re
import shutil
from pathlib import Path
from typing import get_origin

import pytest
from project import PROJECT

from polyfacet.runtime import code_digest as module

IMPORTED = re.compile(r"from polyfacet\.config\.(\w+) import (\([^)]*\)|.*)")
SCRIPT = (
    "from polyfacet.config.images import SIZE\n"
    "from polyfacet.configuration import SIZE as OTHER\n"
    "from polyfacet.runtime import progress\n"
    "from polyfacet.used import f\n\ndef main():\n    return f()\n"
)


@pytest.fixture
def tree(tmp_path, monkeypatch):
    package = tmp_path / "polyfacet"
    package.mkdir()
    (tmp_path / "scripts").mkdir()
    (package / "__init__.py").write_text("")
    (package / "used.py").write_text("from polyfacet import deep\n\ndef f():\n    return deep.g()\n")
    (package / "deep.py").write_text('"""Doc."""\n\ndef g():\n    return 1\n')
    (package / "other.py").write_text("x = 1\n")
    (package / "runtime").mkdir()
    (package / "runtime" / "progress.py").write_text('WORDS = "so far"\n')
    (package / "config").mkdir()
    (package / "config" / "images.py").write_text("SIZE = 1\n")
    (package / "configuration.py").write_text("SIZE = 1\n")
    (tmp_path / "scripts" / "rule.py").write_text(SCRIPT)
    monkeypatch.setattr(module, "WORKFLOW", tmp_path)
    return tmp_path


def forget() -> None:
    for function in vars(module).values():
        getattr(function, "cache_clear", lambda: None)()


def digest(tree: Path) -> str:
    forget()
    return module.code_digest(tree / "scripts" / "rule.py")


@pytest.mark.parametrize(
    ("file", "text", "changes"),
    [
        ("polyfacet/deep.py", "def g():\n    return 2\n", True),
        ("polyfacet/used.py", "def f():\n    return 1\n", True),
        ("scripts/rule.py", SCRIPT + "\nmain()\n", True),
        ("polyfacet/__init__.py", "y = 1\n", True),
        ("polyfacet/other.py", "x = 2\n", False),
        ("polyfacet/runtime/progress.py", 'WORDS = "by now"\n', False),
        ("polyfacet/config/images.py", "SIZE = 2\n", False),
        ("polyfacet/configuration.py", "SIZE = 2\n", True),
        (
            "polyfacet/deep.py",
            '"""Other words."""\n\n\ndef g():\n    """Say one."""\n    return 1  # one\n',
            False,
        ),
    ],
)
def test_the_digest_follows_only_the_code(tree, file, text, changes):
    before = digest(tree)
    (tree / file).write_text(text)
    assert (digest(tree) != before) is changes


@pytest.mark.parametrize(
    ("file", "changes"),
    [
        ("polyfacet/table.csv", True),
        ("polyfacet/assets/page.css", True),
        ("polyfacet/assets/deep/font.woff2", True),
        ("polyfacet/part/data.yaml", True),
        ("polyfacet/unused/data.yaml", False),
        ("polyfacet/assets/.page.css.swp", False),
        ("polyfacet/assets/page.css~", False),
        ("polyfacet/__pycache__/used.cpython-311.pyc", False),
    ],
)
def test_the_digest_follows_the_assets_of_imported_packages(tree, file, changes):
    for package in ("part", "unused"):
        (tree / "polyfacet" / package).mkdir()
        (tree / "polyfacet" / package / "__init__.py").write_text("")
    (tree / "polyfacet" / "part" / "a.py").write_text("")
    (tree / "polyfacet" / "deep.py").write_text("import polyfacet.part.a\n")
    path = tree / file
    path.parent.mkdir(parents=True, exist_ok=True)
    digests = [digest(tree)]
    for content in (b"\x00", b"\xff"):
        path.write_bytes(content)
        digests.append(digest(tree))
    assert len(set(digests)) == (3 if changes else 1)


ASSETS = sorted(
    path.relative_to(PROJECT).as_posix()
    for path in (PROJECT / "workflow" / "polyfacet").rglob("*")
    if path.is_file() and path.suffix not in (".py", ".pyc")
)


@pytest.fixture(scope="module")
def rules_of_assets(tmp_path_factory):
    """Return the rules whose digest changes with each asset."""
    folder = tmp_path_factory.mktemp("project")
    shutil.copytree(PROJECT / "workflow", folder / "workflow", ignore=shutil.ignore_patterns("__pycache__"))
    scripts = sorted((folder / "workflow" / "scripts").glob("*.py"))

    def digests():
        module._asset.cache_clear()
        return {script.stem: module.code_digest(script) for script in scripts}

    found = {}
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "WORKFLOW", folder / "workflow")
        forget()
        before = digests()
        for asset in ASSETS:
            content = (folder / asset).read_bytes()
            (folder / asset).write_bytes(content + b"\n// changed")
            found[asset] = {rule for rule, digest in digests().items() if digest != before[rule]}
            (folder / asset).write_bytes(content)
    forget()
    return found


@pytest.mark.parametrize("asset", ASSETS)
def test_every_asset_of_the_project_belongs_to_the_code_of_a_rule(rules_of_assets, asset):
    changed = rules_of_assets[asset]
    assert changed
    if asset.endswith("capture.js"):
        assert "render_images" in changed
        assert not {"write_structures", "build_graphs", "train_cells"} & changed


# What other packages use of `config` besides types and models: it runs before any job starts, or rejects
# sources.
DECIDED_BEFORE_JOBS = {
    "CRYSTALS",
    "TAKEN_BY_CRYSTALS",
    "TAKEN_BY_TABLES",
    "USED_BY",
    "checked_section",
    "column_like_facet",
}


def test_counted_code_uses_only_types_and_models_of_the_configuration():
    """Other code of `config` would not be part of any digest."""
    used = {
        (match[1], name.strip())
        for path in (PROJECT / "workflow" / "polyfacet").rglob("*.py")
        if path.relative_to(PROJECT / "workflow" / "polyfacet").parts[0] not in ("config", "use")
        for match in IMPORTED.finditer(path.read_text())
        for name in match[2].strip("()").split(",")
        if name.strip()
    }
    assert len(used) > 20
    values = {name: getattr(importlib.import_module(f"polyfacet.config.{of}"), name) for of, name in used}
    others = {name for name, value in values.items() if not (isinstance(value, type) or get_origin(value))}
    assert others - {"with_generated", "run"} <= DECIDED_BEFORE_JOBS


def test_the_digest_does_not_depend_on_where_a_plug_in_is(tree):
    """Before or after the project in the order of paths."""
    digests = set()
    for folder in (tree.with_name("0"), tree.with_name("zzz")):
        folder.mkdir()
        (folder / "plug.py").write_text("FACTOR = 2\n")
        digests.add(module.code_digest(tree / "scripts" / "rule.py", folder / "plug.py"))
    assert len(digests) == 1
