"""Plug-ins: found in files and entry points, by what they declare."""

import importlib
import sys

import pytest

from polyfacet.config.completion import complete_config
from polyfacet.facets.declaration import Facet
from polyfacet.facets.registry import FACETS, combination_name, facet_named, facets_of
from polyfacet.materials.crystal_objectives import CrystalObjective
from polyfacet.runtime import plugins
from polyfacet.runtime.code_digest import code_digest
from polyfacet.runtime.errors import UserError
from polyfacet.runtime.plugins import use_plugins
from polyfacet.runtime.resources import Cost
from polyfacet.splits.methods import SPLIT_METHODS, SplitMethod
from polyfacet.training.engines.base import Engine, Settings
from polyfacet.training.engines.declaration import EngineDeclaration
from polyfacet.training.feasibility import check_feasible

FACET = """
from polyfacet.facets.declaration import Facet
from polyfacet.facets.registry import TEXT


def count(formula):
    return [len(formula)]


LENGTH = Facet("length", "length of the formula", "vector", needs="formula", make=count)
"""


@pytest.fixture(autouse=True)
def no_plugins(monkeypatch):
    """Undo what a test has loaded."""
    monkeypatch.setattr(plugins, "_of_run", {})
    plugins._installed.cache_clear()
    yield
    plugins._installed.cache_clear()


def test_a_file_declares_by_what_is_at_its_top_level(tmp_path):
    (tmp_path / "length.py").write_text(FACET)
    with pytest.raises(ValueError, match="no facet 'length'"):
        facet_named("length")
    use_plugins([str(tmp_path / "length.py")])
    facet = facet_named("length")
    assert list(FACETS.all())[-1] == "length"
    assert facet.make("NaCl") == [4]
    assert facet.stage.folder == "facets/length"
    assert combination_name([facet, facet_named("text")]) == "text+length"
    assert facets_of("text+length")[1] == facet
    assert FACETS.files_of(["length"]) == (tmp_path / "length.py",)
    # What it imports, it does not declare.
    assert FACETS.files_of(["text"]) == ()
    assert SPLIT_METHODS.files_of(SPLIT_METHODS.all()) == ()


def test_a_file_is_loaded_once(tmp_path):
    (tmp_path / "length.py").write_text(FACET)
    use_plugins([str(tmp_path / "length.py")])
    first = facet_named("length")
    use_plugins(str(tmp_path / "length.py"))
    assert facet_named("length") is first


def test_an_installed_package_declares_by_an_entry_point(tmp_path, monkeypatch):
    package = tmp_path / "site"
    (package / "lengths-1.0.dist-info").mkdir(parents=True)
    (package / "lengths.py").write_text(FACET)
    (package / "lengths-1.0.dist-info" / "METADATA").write_text("Name: lengths\nVersion: 1.0\n")
    (package / "lengths-1.0.dist-info" / "entry_points.txt").write_text(
        "[polyfacet.plugins]\nlengths = lengths\n"
    )
    monkeypatch.syspath_prepend(package)
    importlib.invalidate_caches()
    monkeypatch.delitem(sys.modules, "lengths", raising=False)
    assert facet_named("length").label == "length of the formula"
    assert FACETS.files_of(["length"]) == (package / "lengths.py",)


def test_all_code_of_an_installed_package_counts(tmp_path, monkeypatch):
    package = tmp_path / "site"
    (package / "many_lengths").mkdir(parents=True)
    (package / "many_lengths" / "__init__.py").write_text("from .inner import LENGTH\n")
    (package / "many_lengths" / "inner.py").write_text(FACET)
    (package / "many_lengths-1.0.dist-info").mkdir()
    (package / "many_lengths-1.0.dist-info" / "METADATA").write_text("Name: many-lengths\nVersion: 1.0\n")
    (package / "many_lengths-1.0.dist-info" / "entry_points.txt").write_text(
        "[polyfacet.plugins]\nmany = many_lengths\n"
    )
    monkeypatch.syspath_prepend(package)
    importlib.invalidate_caches()
    monkeypatch.delitem(sys.modules, "many_lengths", raising=False)
    monkeypatch.delitem(sys.modules, "many_lengths.inner", raising=False)
    assert [path.name for path in FACETS.files_of(["length"])] == ["__init__.py", "inner.py"]


@pytest.mark.parametrize(
    ("code", "message"),
    [
        (None, "there is no such Python file"),
        ("1 +", "line 1, SyntaxError"),
        ("\n\nraise OSError('no such disk')", "line 3, OSError: no such disk"),
        (FACET.replace('"length"', '"Length of it"'), "line 10, ValueError: a facet cannot be called"),
    ],
)
def test_what_cannot_be_loaded_is_named_with_its_line(tmp_path, code, message):
    path = tmp_path / "mine.py"
    if code:
        path.write_text(code)
    with pytest.raises(UserError, match=message) as refused:
        use_plugins([str(path)])
    assert "mine.py" in str(refused.value)


def test_a_name_cannot_be_taken_twice(tmp_path):
    (tmp_path / "text.py").write_text(FACET.replace('"length"', '"text"'))
    use_plugins([str(tmp_path / "text.py")])
    with pytest.raises(UserError, match="declares the facet 'text', and there is one of that name already"):
        FACETS.all()


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ('"length"', '"none"', "a facet cannot be called 'none'"),
        ('"length"', '"a:b"', "a facet cannot be called 'a:b'"),
        ('"vector"', '"numbers"', "kind of the facet 'length' is 'numbers', not one of text, image, vector"),
        ('"formula"', '"composition"', "needs of the facet 'length' is 'composition'"),
        (", make=count", "", "the facet 'length' has no `make`"),
        ("make=count", "make=3", "make of the facet 'length' is no function"),
        ("LENGTH =", "raise SystemExit(3)\n#", "SystemExit: 3"),
    ],
)
def test_a_declaration_that_could_not_work_is_refused(tmp_path, old, new, message):
    (tmp_path / "mine.py").write_text(FACET.replace(old, new))
    with pytest.raises(UserError, match=message):
        use_plugins([str(tmp_path / "mine.py")])


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        # As of a file that only has classes and functions.
        ("LENGTH = Facet(", "lambda: Facet(", "mine.py declares nothing. Write what it adds at"),
        ("LENGTH = Facet(", "FACETS = tuple, Facet(", "declares 'length' inside of FACETS"),
        ("count)\n", "count)\nMORE = [LENGTH, Facet('width', 'width', 'text', 'formula', make=count)]\n",
         "declares 'width' inside of MORE, where it is not found. Give it a name of its own"),
    ],
)  # fmt: skip
def test_what_would_not_be_found_is_refused_with_what_to_write(tmp_path, old, new, message):
    (tmp_path / "mine.py").write_text(FACET.replace(old, new))
    with pytest.raises(UserError, match=message):
        use_plugins([str(tmp_path / "mine.py")])
    assert plugins.files_of_run() == ()


def test_a_list_of_what_is_declared_or_built_in_is_no_mistake(tmp_path):
    (tmp_path / "mine.py").write_text(FACET + "BOTH = [TEXT, LENGTH]\n")
    use_plugins([str(tmp_path / "mine.py")])
    assert plugins.files_of_run() == (tmp_path / "mine.py",)
    assert "length" in FACETS.all()


def test_what_is_imported_is_not_declared(tmp_path):
    (tmp_path / "mine.py").write_text("from polyfacet.facets.registry import TEXT\n")
    with pytest.raises(UserError, match="declares nothing"):
        use_plugins([str(tmp_path / "mine.py")])


def test_an_installed_package_that_declares_nothing_is_refused(tmp_path, monkeypatch):
    (tmp_path / "hollow-1.0.dist-info").mkdir()
    (tmp_path / "hollow.py").write_text("FACETS = []\n")
    (tmp_path / "hollow-1.0.dist-info" / "METADATA").write_text("Name: hollow\nVersion: 1.0\n")
    (tmp_path / "hollow-1.0.dist-info" / "entry_points.txt").write_text(
        "[polyfacet.plugins]\nhollow = hollow\n"
    )
    monkeypatch.syspath_prepend(tmp_path)
    importlib.invalidate_caches()
    with pytest.raises(UserError, match="plug-in hollow of an installed package .* declares nothing"):
        FACETS.all()
    monkeypatch.delitem(sys.modules, "hollow")


NAMED = {
    "a facet": lambda name: Facet(name, "x", "text", needs="formula", make=str),
    "an objective": lambda name: CrystalObjective(name, "x", "", "x", lambda of: 0.0),
    "an engine": lambda name: EngineDeclaration(name, Settings, Engine, lambda facet: True, Cost(mb=1)),
    "a way to split": lambda name: SplitMethod(name, "x", lambda materials, settings: {}),
}


@pytest.mark.parametrize("what", NAMED)
@pytest.mark.parametrize(
    "name", ["Bad Name", "bad/name", "Bad", "1st", "", "x" * 32, "bad-name", "name\n", None]
)
def test_what_is_declared_has_a_name_that_configurations_can_ask_for(what, name):
    with pytest.raises(ValueError, match=f"{what} cannot be called"):
        NAMED[what](name)


@pytest.mark.parametrize("what", NAMED)
def test_names_of_small_letters_and_digits_are_fine(what):
    assert NAMED[what]("x2").name == "x2"
    assert NAMED[what]("x" * 31).name == "x" * 31


@pytest.mark.parametrize("name", ["all", "volume"])
def test_an_objective_cannot_be_called_like_a_column_that_is_there(name):
    with pytest.raises(ValueError, match="an objective cannot be called"):
        CrystalObjective(name, "x", "", "x", lambda of: 0.0)


@pytest.mark.parametrize("name", ["gap", "gap_of_mine"])
def test_a_facet_and_an_objective_have_names_of_their_own(tmp_path, name):
    """All columns that begin with a facet's name are the facet's."""
    (tmp_path / "mine.py").write_text(
        FACET.replace('"length"', '"gap"')
        + "from polyfacet.materials.crystal_objectives import CrystalObjective\n"
        + f'X = CrystalObjective("{name}2", "x", "", "x", lambda of: 0.0)\n'
    )
    use_plugins([str(tmp_path / "mine.py")])
    with pytest.raises(UserError, match="the objective 'gap' is called like a column of the facet 'gap'"):
        check_feasible(complete_config({}))


def test_its_code_counts_in_digests_and_its_comments_do_not(tmp_path):
    script, plugin = tmp_path / "script.py", tmp_path / "length.py"
    script.write_text("import json\n")
    plugin.write_text(FACET)
    digests = [code_digest(script), code_digest(script, plugin)]
    for text in (f"{FACET}\n# more", f"{FACET}\nMORE = 1"):
        other = tmp_path / f"{len(digests)}" / "length.py"
        other.parent.mkdir()
        other.write_text(text)
        digests.append(code_digest(script, other))
    assert digests[1] == digests[2]
    assert len(set(digests)) == 3
