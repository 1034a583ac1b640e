"""The settings of a plug-in engine are read as the engine declares them."""

import json

import pytest
import yaml

from polyfacet.config.assignments import with_nulls
from polyfacet.config.completion import complete_config
from polyfacet.config.source_text import check_source_text
from polyfacet.runtime import plugins
from polyfacet.runtime.errors import UserError
from polyfacet.runtime.plugins import use_plugins
from polyfacet.training.engines.registry import complete_settings
from polyfacet.training.method_settings import known_settings
from polyfacet.training.methods import checked_methods

ENGINE = """
from typing import Any, Literal
from pydantic import Field
from polyfacet.config.elements import Element
from polyfacet.training.engines.base import Settings
from polyfacet.training.engines.declaration import EngineDeclaration
from polyfacet.runtime.resources import Cost

class Inner(Settings):
    name: str = "a"

class Chosen(Settings):
    code: str = "a"
    codes: list[str] = []
    maybe: str | None = "a"
    n: int = 1
    x: float = 0.5
    flag: bool = True
    either: int | str = 1
    number_or_text: float | str = 1.0
    level: Literal[1, 2, "auto"] = 1
    light: Literal["on", "off"] = "on"
    pair: tuple[float, bool] = (1.0, True)
    steps: tuple[float, ...] = ()
    names: set[str] = {"c", "b", "a"}
    others: frozenset[str] = Field(frozenset({"c", "b", "a"}), alias="from")
    weights: dict[str, float] = {}
    elements: dict[Element, float] = {}
    by_name: dict[str, str] = {}
    inner: Inner = Inner()
    inners: list[Inner] = []
    anything: dict[str, Any] = {}

CHOSEN = EngineDeclaration(
    "chosen",
    Chosen,
    "json:x",
    looks_at=lambda facet: True,
    cost=Cost(mb=100),
    classes=True,
    probabilities=True,
)
"""


@pytest.fixture(autouse=True)
def plugin(tmp_path, monkeypatch):
    monkeypatch.setattr(plugins, "_of_run", {})
    path = tmp_path / "chosen.py"
    path.write_text(ENGINE)
    use_plugins([str(path)])


def config_with(line, key="settings"):
    """Read a line of settings as in a configuration file."""
    value = f"{{{line}}}" if key == "settings" else f"{{crystals: {{{line}}}}}"
    text = f"combinations: [text]\nmethods:\n  m: {{engine: chosen, {key}: {value}}}\n"
    return complete_config(yaml.safe_load(text)), text


def read(line, key="settings"):
    config, _ = config_with(line, key)
    assert complete_config(config) == config
    settings = checked_methods(config)["crystals"]["m"]["settings"]
    assert json.loads(json.dumps(settings)) == settings
    assert complete_settings("chosen", settings) == settings
    return settings


NUMBERS = ("001", "1e-4", "1.50", "1_0", "+5", "0x1F", " 1 ")
TEXTS = (*NUMBERS, "null", "~", "true", "no", "[a]", "[1", "{a: 1}", "")


@pytest.mark.parametrize("key", ["settings", "settings_of_sources"])
@pytest.mark.parametrize("text", TEXTS)
@pytest.mark.parametrize(
    ("line", "found"),
    [
        ("code: %s", lambda settings, text: settings["code"] == text),
        ("codes: [%s, x]", lambda settings, text: settings["codes"] == [text, "x"]),
        ("maybe: %s", lambda settings, text: settings["maybe"] == text),
        ("either: %s", lambda settings, text: settings["either"] == text),
        ("by_name: {%s: %s}", lambda settings, text: settings["by_name"] == {text: text}),
        ("inner: {name: %s}", lambda settings, text: settings["inner"] == {"name": text}),
        ("inners: [{name: %s}]", lambda settings, text: settings["inners"] == [{"name": text}]),
    ],
)
def test_a_quoted_text_stays_text(key, text, line, found):
    quoted = json.dumps(text)
    settings = read(line.replace("%s", quoted), key)
    assert found(settings, text), settings


@pytest.mark.parametrize(
    ("line", "name", "value"),
    [
        ("n: '3'", "n", 3),
        ("n: 1e3", "n", 1000),
        ("x: 1e-4", "x", 1e-4),
        ("flag: 'no'", "flag", False),
        ("flag: off", "flag", False),
        ("maybe: null", "maybe", None),
        ("maybe: ~", "maybe", None),
        ("code: 2024", "code", "2024"),
        ("code: 2024-01-31", "code", "2024-01-31"),
        ("codes: '007'", "codes", ["007"]),
        ("elements: {No: 1, Y: 2}", "elements", {"No": 1.0, "Y": 2.0}),
        ("pair: [1e-3, 'no']", "pair", [1e-3, False]),
        ("pair: '[1e-3, no]'", "pair", [1e-3, False]),
        ("steps: [1e-3, '2']", "steps", [1e-3, 2.0]),
        ("names: [b, 007, a, '1e1']", "names", ["1e1", "7", "a", "b"]),
        ("names: c", "names", ["c"]),
        ("x: 1", "names", ["a", "b", "c"]),
        ("x: 1", "from", ["a", "b", "c"]),
        ("number_or_text: 1e-3", "number_or_text", 1e-3),
        ("number_or_text: -1.5E3", "number_or_text", -1500.0),
        ("number_or_text: 0.001", "number_or_text", 1e-3),
        ("number_or_text: '007'", "number_or_text", "007"),
        ("number_or_text: e-3", "number_or_text", "e-3"),
        ("level: '2'", "level", 2),
        ("level: auto", "level", "auto"),
        ("weights: {1: '2'}", "weights", {"1": 2.0}),
        ("anything: {a: '1e-4', b: 1e1, c: 'null', d: '[1, x]'}", "anything", None),
    ],
)
def test_other_values_are_read_as_they_are_declared(line, name, value):
    expected = {"a": 1e-4, "b": 10, "c": None, "d": [1, "x"]} if name == "anything" else value
    assert read(line)[name] == expected


@pytest.mark.parametrize(
    ("text", "value"),
    [("1e1", 10), ("10e-1", 1), ("1E+2", 100), ("-2e1", -20), ("1.0e+1", 10.0), ("1e30", 1e30)],
)
def test_undeclared_integers_with_an_exponent_are_integers(text, value):
    found = read(f"anything: {{a: {text}}}")["anything"]["a"]
    assert (found, type(found)) == (value, type(value))


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("weights: {No: 1, Y: 2}", r"settings.weights(.|\n)*YAML reads yes, no"),
        ("code: no", r"settings.code = False: YAML reads yes, no(.|\n)*code: 'no'"),
        ("codes: [null]", r"settings.codes.0 = None: has no value"),
        ("code: 2024-01-31 10:00:00", "settings.code = datetime"),
        ("anything: {a: .nan}", "should consist of texts, numbers"),
        ("code: {a: .inf}", "should consist of texts, numbers"),
        ("code: !!binary aGk=", "should consist of texts, numbers"),
        ('by_name: {"\\ud800": a}', "should consist of texts, numbers"),
        ("codes: " + "[" * 30 + "]" * 30, "nested too deeply"),
    ],
)
def test_values_that_no_setting_can_have_are_rejected(line, message):
    with pytest.raises(UserError, match=message):
        read(line)


def test_settings_on_the_command_line_are_texts():
    texts = {"code": "1.50", "n": "2", "maybe": "null", "flag": "false"}
    given = {"m": {"engine": "chosen", "settings": texts}}
    config = {"combinations": ["text"], "methods": given}
    completed = complete_config(with_nulls(config, {"methods": given}))
    settings = checked_methods(completed)["crystals"]["m"]["settings"]
    expected = {"code": "1.50", "n": 2, "maybe": None, "flag": False}
    assert {name: settings[name] for name in expected} == expected
    whole = {**config, "methods": {"m": {"engine": "chosen", "settings": "{code: 001, n: 1e1}"}}}
    settings = checked_methods(complete_config(whole))["crystals"]["m"]["settings"]
    assert (settings["code"], settings["n"]) == ("001", 10)


@pytest.mark.parametrize("key", ["settings", "settings_of_sources"])
@pytest.mark.parametrize(
    ("line", "written"),
    [
        ("code: 1.50", "1.50"),
        ("codes: [x, +1]", "+1"),
        ("by_name: {1.0e+3: x}", "1.0e+3"),
        ("inners: [{name: 1_000}]", "1_000"),
        ("n: 1_000", None),
        ("x: 1.50", None),
        ("either: +1", None),
        ("anything: {a: 1.50, b: [+1]}", None),
    ],
)
def test_numbers_in_place_of_texts_in_settings_are_reported(tmp_path, key, line, written):
    config, text = config_with(line, key)
    path = tmp_path / "run.yaml"
    other = tmp_path / "other.yaml"
    path.write_text(text)
    # The engine of the method may be named in another file.
    other.write_text(text.replace("engine: chosen, ", ""))
    check_source_text([path, other])
    for each in (path, other):
        if written is None:
            check_source_text([each], known=known_settings(config))
            continue
        with pytest.raises(UserError) as refused:
            check_source_text([each], known=known_settings(config))
        assert f"line 3: YAML reads {written} as the number" in str(refused.value)
        assert f'Write "{written}"' in str(refused.value)


@pytest.mark.parametrize("pair", ["[1]", "[1, true, 2]"])
def test_a_tuple_of_another_length_is_reported(pair):
    config, _ = config_with(f"pair: {pair}")
    with pytest.raises(UserError, match=r"methods\.m\.settings\.pair"):
        checked_methods(config)


def test_a_set_is_shown_as_a_sorted_list():
    config, _ = config_with("names: {a: 1}")
    with pytest.raises(UserError, match=r"names:\n? *(- a\n *- b\n *- c|\[a, b, c\])"):
        checked_methods(config)


def test_settings_of_members_are_those_of_their_own_engine(tmp_path):
    path = tmp_path / "run.yaml"
    members = "[{engine: chosen, settings: {code: 1.50}}, {engine: classical, settings: {pca_variance: .90}}]"
    path.write_text(f"methods: {{m: {{engine: ensemble, settings: {{members: {members}}}}}}}")
    config = complete_config(yaml.safe_load(path.read_text()))
    with pytest.raises(UserError, match="YAML reads 1.50 as the number 1.5") as refused:
        check_source_text([path], known=known_settings(config))
    assert ".90" not in str(refused.value)
    quoted = [{"engine": "chosen", "settings": {"code": "1.50", "elements": {"Y": "1"}}}]
    (member,) = complete_settings("ensemble", {"members": quoted})["members"]
    assert member["settings"] == quoted[0]["settings"]


UNWRITABLE = """
from pydantic import Field, computed_field
from polyfacet.training.engines.base import Settings
from polyfacet.training.engines.declaration import EngineDeclaration
from polyfacet.runtime.resources import Cost

class Unlimited(Settings):
    limit: float | None = float("inf")

class Doubled(Settings):
    n: int = 1

    @computed_field
    def twice(self) -> int:
        return 2 * self.n

class Hidden(Settings):
    n: int = Field(1, exclude=True)

def engine(name, settings):
    return EngineDeclaration(name, settings, "json:x", looks_at=lambda facet: True, cost=Cost(mb=100))

UNLIMITED, DOUBLED = engine("unlimited", Unlimited), engine("doubled", Doubled)
HIDDEN = engine("hidden", Hidden)
"""


@pytest.mark.parametrize(
    ("engine", "settings", "named"),
    [("unlimited", {}, "limit"), ("doubled", {}, "twice"), ("hidden", {"n": 7}, "n")],
)
def test_settings_that_jobs_would_read_differently_are_rejected(tmp_path, engine, settings, named):
    path = tmp_path / "unwritable.py"
    path.write_text(UNWRITABLE)
    use_plugins([str(path)])
    with pytest.raises(UserError, match=rf"JSON cannot hold them: {named}\."):
        complete_settings(engine, settings)


@pytest.mark.parametrize("written", ["on", "off", "'on'", "'off'"])
def test_a_truth_value_is_the_word_that_the_setting_allows(written):
    assert read(f"light: {written}")["light"] == written.strip("'")
