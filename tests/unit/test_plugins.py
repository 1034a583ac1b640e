"""Plug-ins: found in files and entry points, by what they declare."""

import importlib
import json
import sys

import pandas as pd
import pytest

from polyfacet.config.completion import complete_config
from polyfacet.facets.declaration import Facet
from polyfacet.facets.registry import FACETS, combination_name, facet_named, facets_of
from polyfacet.materials.crystal_objectives import CrystalObjective
from polyfacet.materials.objectives import Objective
from polyfacet.runtime import plugins
from polyfacet.runtime.code_digest import code_digest
from polyfacet.runtime.errors import UserError
from polyfacet.runtime.packages import package_versions
from polyfacet.runtime.plugins import use_plugins
from polyfacet.runtime.resources import Cost
from polyfacet.splits.methods import SPLIT_METHODS, SplitMethod
from polyfacet.training.engines.base import Engine, Resources, Settings
from polyfacet.training.engines.creation import create, load
from polyfacet.training.engines.declaration import EngineDeclaration
from polyfacet.training.engines.registry import ENGINES, engine_files
from polyfacet.training.feasibility import check_feasible
from polyfacet.training.methods import checked_methods
from polyfacet.use.configuration_files import generated_files

FACET = """
from polyfacet.facets.declaration import Facet
from polyfacet.facets.registry import TEXT


def count(formula):
    return [len(formula)]


LENGTH = Facet("length", "length of the formula", "vector", needs="formula", make=count)
"""


@pytest.fixture(autouse=True)
def no_plugins(monkeypatch):
    """Unload the plug-ins that a test has loaded."""
    monkeypatch.setattr(plugins, "_of_run", {})
    plugins._installed.cache_clear()
    yield
    plugins._installed.cache_clear()


def test_declarations_are_at_the_top_level_of_a_file(tmp_path):
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
    # Imported declarations are not its own.
    assert FACETS.files_of(["text"]) == ()
    assert SPLIT_METHODS.files_of(SPLIT_METHODS.all()) == ()


def test_a_file_is_loaded_once(tmp_path):
    (tmp_path / "length.py").write_text(FACET)
    use_plugins([str(tmp_path / "length.py")])
    first = facet_named("length")
    use_plugins(str(tmp_path / "length.py"))
    assert facet_named("length") is first


def install(site, name, files, monkeypatch):
    """Install a package whose entry point is the module of the same name."""
    info = site / f"{name}-1.0.dist-info"
    info.mkdir(parents=True)
    (info / "METADATA").write_text(f"Name: {name}\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text(f"[polyfacet.plugins]\n{name} = {name}\n")
    for path, code in files.items():
        (site / path).parent.mkdir(exist_ok=True)
        (site / path).write_text(code)
        module = path.removesuffix(".py").removesuffix("/__init__").replace("/", ".")
        monkeypatch.delitem(sys.modules, module, raising=False)
    monkeypatch.syspath_prepend(site)
    importlib.invalidate_caches()
    plugins._installed.cache_clear()


def test_an_installed_package_declares_through_an_entry_point(tmp_path, monkeypatch):
    install(tmp_path, "lengths", {"lengths.py": FACET}, monkeypatch)
    assert facet_named("length").label == "length of the formula"
    assert FACETS.files_of(["length"]) == (tmp_path / "lengths.py",)


def test_all_code_of_an_installed_package_counts(tmp_path, monkeypatch):
    code = {"many/__init__.py": "from .inner import LENGTH\n", "many/inner.py": FACET}
    install(tmp_path, "many", code, monkeypatch)
    assert [path.name for path in FACETS.files_of(["length"])] == ["__init__.py", "inner.py"]


PACKAGED_ENGINE = """
from polyfacet.runtime.resources import Cost
from polyfacet.training.engines.base import Settings
from polyfacet.training.engines.declaration import EngineDeclaration
LAB = EngineDeclaration("lab", Settings, "mylab.engine:Lab", looks_at=lambda facet: True, cost=Cost(mb=1))
"""


def test_all_files_of_a_package_count_for_an_engine_that_it_names(tmp_path, monkeypatch):
    """The module of the engine is only one of them."""
    code = {
        "mylab/__init__.py": PACKAGED_ENGINE,
        "mylab/engine.py": "class Lab: ...",
        "mylab/rule.py": "FACTOR = 1",
    }
    install(tmp_path, "mylab", {**code, "mylab/weights.json": "1"}, monkeypatch)
    found = {path.name for path in engine_files("lab", {})}
    assert found == {"__init__.py", "engine.py", "rule.py", "weights.json"}


def test_files_of_an_installed_package_that_are_not_python_count(tmp_path, monkeypatch):
    package = tmp_path / "site"
    (package / "weighed" / "data").mkdir(parents=True)
    (package / "weighed" / "__pycache__").mkdir()
    (package / "weighed" / "__init__.py").write_text(FACET)
    for name in ("weights.json", "data/deep.npz", ".hidden", "left~", "__pycache__/a.pyc", "a.pyc"):
        (package / "weighed" / name).write_text("1")
    (package / "weighed-1.0.dist-info").mkdir()
    (package / "weighed-1.0.dist-info" / "METADATA").write_text("Name: weighed\nVersion: 1.0\n")
    (package / "weighed-1.0.dist-info" / "entry_points.txt").write_text("[polyfacet.plugins]\na = weighed\n")
    monkeypatch.syspath_prepend(package)
    importlib.invalidate_caches()
    monkeypatch.delitem(sys.modules, "weighed", raising=False)
    found = [path.relative_to(package / "weighed").as_posix() for path in FACETS.files_of(["length"])]
    assert sorted(found) == ["__init__.py", "data/deep.npz", "weights.json"]


def test_a_plug_in_names_its_assets(tmp_path):
    (tmp_path / "length.py").write_text(f'{FACET}\nASSETS = ["data/weights.json", "note.txt"]\n')
    (tmp_path / "data").mkdir()
    for name in ("data/weights.json", "note.txt", "other.json"):
        (tmp_path / name).write_text("1")
    use_plugins([str(tmp_path / "length.py")])
    found = [path.relative_to(tmp_path).as_posix() for path in FACETS.files_of(["length"])]
    assert found == ["length.py", "data/weights.json", "note.txt"]


@pytest.mark.parametrize(
    ("assets", "message"),
    [
        ('["weights.json"]', "names 'weights.json', but there is no such file"),
        ('["."]', r"names '\.', but there is no such file"),
        ('"weights.json"', "is 'weights.json', not a list of paths"),
        ("[3]", r"is \[3\], not a list of paths"),
    ],
)
def test_missing_assets_are_rejected(tmp_path, assets, message):
    (tmp_path / "length.py").write_text(f"{FACET}\nASSETS = {assets}\n")
    with pytest.raises(UserError, match=f"ASSETS of the plug-in .*length.py {message}"):
        use_plugins([str(tmp_path / "length.py")])


@pytest.mark.parametrize(
    ("code", "message"),
    [
        (None, "there is no such Python file"),
        ("1 +", "line 1, SyntaxError"),
        ("\n\nraise OSError('no such disk')", "line 3, OSError: no such disk"),
        (FACET.replace('"length"', '"Length of it"'), "line 10, ValueError: a facet cannot be called"),
    ],
)
def test_an_import_error_is_reported_with_its_line(tmp_path, code, message):
    path = tmp_path / "mine.py"
    if code:
        path.write_text(code)
    with pytest.raises(UserError, match=message) as refused:
        use_plugins([str(path)])
    assert "mine.py" in str(refused.value)


def test_a_name_cannot_be_declared_twice(tmp_path):
    (tmp_path / "text.py").write_text(FACET.replace('"length"', '"text"'))
    use_plugins([str(tmp_path / "text.py")])
    with pytest.raises(UserError, match="declares the facet 'text', but that name is already in use"):
        FACETS.all()


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ('"length"', '"none"', "a facet cannot be called 'none'"),
        ('"length"', '"full"', "a facet cannot be called 'full', which is a set of combinations"),
        ('"length"', '"a:b"', "a facet cannot be called 'a:b'"),
        ('"vector"', '"numbers"', "kind of the facet 'length' is 'numbers', not one of text, image, vector"),
        ('"formula"', '"composition"', "needs of the facet 'length' is 'composition'"),
        (", make=count", "", "the facet 'length' has no `make`"),
        ("make=count", "make=3", "make of the facet 'length' must be a function"),
        (
            "make=count",
            'make=count, variants={"a": False}',
            "the facet 'length' has variants and `make`.*Declare one facet per form",
        ),
        ("LENGTH =", "raise SystemExit(3)\n#", "SystemExit: 3"),
    ],
)
def test_an_invalid_declaration_is_rejected(tmp_path, old, new, message):
    (tmp_path / "mine.py").write_text(FACET.replace(old, new))
    with pytest.raises(UserError, match=message):
        use_plugins([str(tmp_path / "mine.py")])


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        # As in a file with only classes and functions.
        ("LENGTH = Facet(", "lambda: Facet(", "mine.py declares nothing. Assign each declaration"),
        ("LENGTH = Facet(", "FACETS = tuple, Facet(", "declares 'length' inside FACETS"),
        ("count)\n", "count)\nMORE = [LENGTH, Facet('width', 'width', 'text', 'formula', make=count)]\n",
         "declares 'width' inside MORE, where it is not found. Assign it to a name of its own"),
    ],
)  # fmt: skip
def test_a_hidden_declaration_is_rejected_with_what_to_write(tmp_path, old, new, message):
    (tmp_path / "mine.py").write_text(FACET.replace(old, new))
    with pytest.raises(UserError, match=message):
        use_plugins([str(tmp_path / "mine.py")])
    assert plugins.files_of_run() == ()


def test_a_list_of_known_declarations_is_accepted(tmp_path):
    (tmp_path / "mine.py").write_text(FACET + "BOTH = [TEXT, LENGTH]\n")
    use_plugins([str(tmp_path / "mine.py")])
    assert plugins.files_of_run() == (tmp_path / "mine.py",)
    assert "length" in FACETS.all()


def test_imported_declarations_are_not_counted(tmp_path):
    (tmp_path / "mine.py").write_text("from polyfacet.facets.registry import TEXT\n")
    with pytest.raises(UserError, match="declares nothing"):
        use_plugins([str(tmp_path / "mine.py")])


def test_an_installed_package_without_declarations_is_rejected(tmp_path, monkeypatch):
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
def test_names_of_declarations_must_be_valid_in_configurations(what, name):
    with pytest.raises(ValueError, match=f"{what} cannot be called"):
        NAMED[what](name)


@pytest.mark.parametrize("what", NAMED)
def test_names_of_lower_case_letters_and_digits_are_accepted(what):
    assert NAMED[what]("x2").name == "x2"
    assert NAMED[what]("x" * 31).name == "x" * 31


@pytest.mark.parametrize("name", ["all", "volume"])
def test_an_objective_cannot_have_the_name_of_an_existing_column(name):
    with pytest.raises(ValueError, match="an objective cannot be called"):
        CrystalObjective(name, "x", "", "x", lambda of: 0.0)


@pytest.mark.parametrize("name", ["gap", "gap_of_mine"])
def test_a_facet_and_an_objective_cannot_share_a_name(tmp_path, name):
    """All columns that begin with a facet's name belong to the facet."""
    (tmp_path / "mine.py").write_text(
        FACET.replace('"length"', '"gap"')
        + "from polyfacet.materials.crystal_objectives import CrystalObjective\n"
        + f'X = CrystalObjective("{name}2", "x", "", "x", lambda of: 0.0)\n'
    )
    use_plugins([str(tmp_path / "mine.py")])
    config = complete_config({})
    methods = checked_methods(config)
    with pytest.raises(UserError, match="the objective 'gap' has the name of a column of the facet 'gap'"):
        check_feasible(config, methods)


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


MODEL = """
import numpy as np

from polyfacet.facets.declaration import Facet
from polyfacet.runtime.resources import Cost
from polyfacet.training.engines.base import Engine, Settings
from polyfacet.training.engines.declaration import EngineDeclaration


class Zero(Engine):
    def learn(self, train, valid, objective):
        pass

    def answer(self, frame):
        return np.zeros(len(frame))

    def write_model(self, folder):
        pass

    def read_model(self, folder):
        pass


LENGTH = Facet("length", "length of the formula", "vector", needs="formula", make=len)
ZERO = EngineDeclaration("zero", Settings, Zero, looks_at=lambda facet: True, cost=Cost(mb=1))
"""


def save_model(folder, name="zero", settings=None):
    engine = create(name, settings or {}, Resources(seed=1))
    engine.fit(pd.DataFrame(), pd.DataFrame(), [facet_named("length")], Objective("y", "Y", "1"))
    engine.save(folder)


def test_a_model_records_the_file_of_its_engine_and_facet(tmp_path, monkeypatch):
    (tmp_path / "mine.py").write_text(MODEL)
    monkeypatch.chdir(tmp_path)
    use_plugins(["mine.py"])
    save_model(tmp_path / "model")
    assert load(tmp_path / "model").predict(pd.DataFrame({"mat_id": ["m"]})).tolist() == [0.0]
    monkeypatch.setattr(plugins, "_of_run", {})
    with pytest.raises(UserError) as refused:
        load(tmp_path / "model")
    for said in (
        f"The model in {tmp_path / 'model'}",
        "the engine 'zero' of the plug-in mine.py",
        "the facet 'length' of the plug-in mine.py",
        "use_plugins(['mine.py'])",
    ):
        assert said in str(refused.value)


def test_a_model_records_the_package_of_its_engine(tmp_path, monkeypatch):
    install(tmp_path / "site", "zeros", {"zeros.py": MODEL}, monkeypatch)
    save_model(tmp_path / "model")
    monkeypatch.setattr(sys, "path", [path for path in sys.path if path != str(tmp_path / "site")])
    plugins._installed.cache_clear()
    with pytest.raises(UserError, match=r"entry point zeros of the package zeros 1\.0") as refused:
        load(tmp_path / "model")
    assert "install zeros 1.0" in str(refused.value)
    assert "use_plugins" not in str(refused.value)


def test_a_model_of_the_project_needs_no_plug_in(tmp_path):
    engine = create("dummy", {}, Resources(seed=1))
    rows = pd.DataFrame({"y": [1.0, 2.0]})
    engine.fit(rows, rows, [], Objective("y", "Y", "1"))
    engine.save(tmp_path / "model")
    assert json.loads((tmp_path / "model" / "engine.json").read_text())["plugins"] == []


def test_generated_files_do_not_depend_on_installed_plug_ins(tmp_path, monkeypatch):
    before = generated_files()
    install(tmp_path, "zeros", {"zeros.py": MODEL}, monkeypatch)
    assert "zero" in ENGINES.all()
    assert generated_files() == before


def test_assets_count_in_digests_and_are_not_parsed_for_packages(tmp_path):
    script, plugin, asset = tmp_path / "script.py", tmp_path / "length.py", tmp_path / "weights.json"
    script.write_text("import json\n")
    plugin.write_text(FACET)
    digests, packages = [code_digest(script, plugin)], {package_versions(script, plugin)}
    for i, content in enumerate(("{}", "import torch", b"\xff\x00")):
        other = tmp_path / str(i) / asset.name
        other.parent.mkdir()
        other.write_bytes(content if isinstance(content, bytes) else content.encode())
        digests.append(code_digest(script, plugin, other))
        packages.add(package_versions(script, plugin, other))
    assert len(set(digests)) == 4
    assert len(packages) == 1
