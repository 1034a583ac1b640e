"""Values of the configuration are read as meant, whatever YAML 1.1 or the command line made of them."""

import pytest
import yaml

from polyfacet.config.assignments import with_nulls
from polyfacet.config.completion import complete_config
from polyfacet.config.source_text import check_source_text, holds_only
from polyfacet.runtime.errors import UserError
from polyfacet.training.methods import checked_methods

TABLE = {"file": "a.csv", "composition": {"formula": "F"}, "objectives": {"hv": {"column": "HV"}}}


def read(text):
    """Read lines of a configuration file."""
    return complete_config(yaml.safe_load(text))


@pytest.mark.parametrize(
    ("line", "keys", "value"),
    [
        # Numbers.
        ("graphs: {training: {learning_rate: 1e-4}}", "graphs.training.learning_rate", 1e-4),
        ("graphs: {training: {learning_rate: 1E-4}}", "graphs.training.learning_rate", 1e-4),
        ("graphs: {training: {learning_rate: '0.01'}}", "graphs.training.learning_rate", 0.01),
        ("n_materials: 1e3", "n_materials", 1000),
        ("n_materials: 1_000", "n_materials", 1000),
        ("n_materials: '200'", "n_materials", 200),
        ("shard_size: 100.0", "shard_size", 100),
        ("download: {stall_timeout_s: 1:30}", "download.stall_timeout_s", 90.0),
        # Truth values.
        ("images: {bonds: no}", "images.bonds", False),
        ("images: {bonds: on}", "images.bonds", True),
        ("images: {bonds: 'off'}", "images.bonds", False),
        ("images: {bonds: 0}", "images.bonds", False),
        # Null.
        ("shards: ~", "shards", None),
        ("shards:", "shards", None),
        ("images: {browser: null}", "images.browser", None),
        ("shards: 'null'", "shards", None),
        # Texts.
        ("run_name: 2024", "run_name", "2024"),
        ("run_name: '001'", "run_name", "001"),
        ("run_name: 2024-01-31", "run_name", "2024-01-31"),
        ("run_name: 'yes'", "run_name", "yes"),
        ("images: {browser: 'null'}", "images.browser", "null"),
        ("sources: '[a].json'", "sources", ["[a].json"]),
        ("filters: {elements_required: [No, Y, N]}", "filters.elements_required", ["No", "Y", "N"]),
        # One value in place of a list.
        ("objectives: gap", "objectives", ["gap"]),
        ("sources: a.json", "sources", ["a.json"]),
        ("images: {views: x}", "images.views", ["x"]),
        ("combinations: text+image", "combinations", ["text+image"]),
        ("combinations: full", "combinations", "full"),
        ("filters: {space_groups: 225}", "filters.space_groups", [225]),
        ("filters: {elements_excluded: No}", "filters.elements_excluded", ["No"]),
        ("methods: {mcvn: {combinations: {a: graph}}}", "methods.mcvn.combinations.a", ["graph"]),
    ],
)
def test_a_value_is_read_as_meant(line, keys, value):
    found = read(line)
    for key in keys.split("."):
        found = found[key]
    assert found == value
    assert type(found) is type(value)


@pytest.mark.parametrize(
    ("section", "keys", "value"),
    [
        ("id: 2024", "id", "2024"),
        ("id: ~", "id", None),
        ("id: 'null'", "id", "null"),
        ("composition: {columns: [C, No]}", "composition.columns", {"C": "C", "No": "No"}),
        ("composition: {columns: {No: 3, C: 1.5}}", "composition.columns", {"No": "3", "C": "1.5"}),
        ("composition: {columns: C}", "composition.columns", {"C": "C"}),
        ("composition: {columns: [C], balance: No, unit: atomic_percent}", "composition.balance", "No"),
        ("process: 900", "process", ["900"]),
        ("process: [2024-01-31, 20.5]", "process", ["2024-01-31", "20.5"]),
        ("objectives: {hv: {column: 1}}", "objectives.hv.column", "1"),
        ("objectives: {hv: {column: a, classes: [0, 1]}}", "objectives.hv.classes", ["0", "1"]),
        ("objectives: {hv: {column: a, label: ''}}", "objectives.hv.label", ""),
    ],
)
def test_names_of_columns_and_classes_are_read_as_meant(section, keys, value):
    found = complete_config({"tables": {"a": {**TABLE, **yaml.safe_load(section)}}})["tables"]["a"]
    for key in keys.split("."):
        found = found[key]
    assert found == value


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("run_name: 001", r"YAML drops leading zeros(.|\n)*run_name: run_1"),
        ("run_name: yes", r"run_name = True: YAML reads yes(.|\n)*run_name: 'yes'"),
        ("run_name:", r"run_name = None: has no value(.|\n)*run_name: default"),
        ("run_name: 2024-01-31 10:00:00", r"run_name = datetime(.|\n)*run_name: default"),
        ("run_name: [a]", r"run_name = \['a'\](.|\n)*run_name: a"),
        ("n_materials: [200]", r"n_materials = \[200\](.|\n)*n_materials: 200"),
        ("n_materials: 20.5", r"n_materials = 20.5(.|\n)*n_materials: all"),
        ("seed: yes", r"seed = True: should be a number(.|\n)*seed: 42"),
        ("seed: .inf", r"seed = inf: should be a finite number(.|\n)*seed: 42"),
        ("graphs: {min_radius: .nan}", r"graphs.min_radius = nan: should be a finite number"),
        ("graphs: {min_radius: 0,5}", r"unknown key graphs.5"),
        ("images: {size: 64px}", r"images.size = '64px'(.|\n)*images: {size: 128}"),
        ("images: {bonds: maybe}", r"images.bonds = 'maybe'(.|\n)*images: {bonds: true}"),
        ("images: {bonds: 2}", r"images.bonds = 2(.|\n)*images: {bonds: true}"),
        ("objectives: {gap: 1}", r"objectives"),
        ("splits: [random]", r"splits = \['random'\](.|\n)*splits:\s+formula:"),
        ("methods: {automm: {settings: [1]}}", r"methods.automm.settings = \[1\](.|\n)*settings: {}"),
        ("methods: {automm: {settings: {a: !!binary aGk=}}}", "should consist of texts, numbers"),
    ],
)
def test_what_cannot_be_read_as_meant_shows_the_line_to_write(line, message):
    with pytest.raises(UserError, match=message):
        read(line)


@pytest.mark.parametrize("key", [2024, 2.5, "2024", "1st", "", "ä", "My Method", "x" * 40, "No 1"])
@pytest.mark.parametrize(
    ("section", "item"),
    [("methods", {"engine": "dummy"}), ("splits", {"method": "random"}), ("tables", TABLE)],
)
def test_an_invalid_name_is_rejected_with_a_valid_one(section, item, key):
    with pytest.raises(UserError, match=rf"{section}\.(.|\n)*Write for example") as refused:
        complete_config({section: {key: item}})
    ((name, _),) = yaml.safe_load(str(refused.value).split("Write for example")[1])[section].items()
    assert name in complete_config({section: {name: item}})[section]


def test_a_name_of_digits_keeps_its_digits():
    with pytest.raises(UserError, match=r"methods: \{method2024: '...'\}"):
        read("methods: {2024: {engine: dummy}}")


def test_classes_that_are_truth_values_need_quotes():
    section = {"objectives": {"ok": yaml.safe_load("{column: A, classes: [yes, no]}")}}
    with pytest.raises(UserError, match=r"YAML reads yes, no(.|\n)*classes: \['yes', 'no'\]"):
        complete_config({"tables": {"a": {**TABLE, **section}}})


def test_values_in_sections_on_the_command_line_are_texts():
    named = {"optim.lr": "1e-3", "x": "true", "y": "null", "z": "[1, a]", "d": "2024-01-31"}
    settings = {"hyperparameters": named}
    given = {
        "images": {"size": "64", "bonds": "false", "browser": "null", "views": "[z, a]"},
        "splits": {"random": {"train_fraction": "0.8"}},
        "filters": {"space_groups": ["225"], "elements_required": ["No"], "sites_max": "null"},
        "methods": {"automm": {"settings": settings, "sources": "[crystals]"}},
    }
    config = complete_config(with_nulls(given, given))
    images = {"size": 64, "bonds": False, "browser": None, "views": ["z", "a"]}
    assert config["images"] | images == config["images"]
    assert config["splits"]["random"]["train_fraction"] == 0.8
    filters = {"space_groups": [225], "elements_required": ["No"], "sites_max": None}
    assert config["filters"] | filters == config["filters"]
    method = config["methods"]["automm"]
    assert method["sources"] == ["crystals"]
    completed = checked_methods({**config, "sources": ["a.json"]})["crystals"]["automm"]["settings"]
    assert completed["hyperparameters"] == {
        "optim.lr": 1e-3,
        "x": True,
        "y": None,
        "z": [1, "a"],
        "d": "2024-01-31",
    }


def test_null_in_files_and_on_the_command_line():
    given = {"images": {"browser": "~"}, "tables": {"a": {**TABLE, "id": "null", "process": ["null"]}}}
    config = with_nulls(given, {"images": {"browser": "~"}, "absent": "null"})
    assert config == {**given, "images": {"browser": None}}


def test_an_entire_section_may_be_given_as_text():
    assert complete_config({"splits": "{formula: {repeats: 2}}"})["splits"]["formula"]["repeats"] == 2
    assert complete_config({"images": "{size: 64}"})["images"]["size"] == 64


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("n_materials: 0100", 'line 2: YAML reads 0100 as 64. Write "0100" for a name, 100 for a number'),
        ("seed: 017", "YAML reads 017 as 15"),
        ("n_materials: 1:40", "YAML reads 1:40 as 100"),
        ("run_name: 12:30:45", "YAML reads 12:30:45 as 45045"),
        ("run_name: 0x1F", "YAML reads 0x1F as 31"),
        ("classes: [001, x]", "YAML reads 001 as 1"),
        (
            "run_name: 2024_01",
            'reads 2024_01 as 202401. Write "2024_01" for a name, 202401 for a number',
        ),
        ("tables: {a: {id: 1_0}}", "YAML reads 1_0 as 10"),
    ],
)
def test_numbers_that_yaml_reads_differently_are_reported_with_their_line(tmp_path, line, message):
    path = tmp_path / "run.yaml"
    path.write_text(f"# a run\n{line}\n")
    with pytest.raises(UserError) as refused:
        check_source_text([path])
    assert message in str(refused.value)
    assert str(path) in str(refused.value)


def test_a_duplicate_key_is_reported_with_both_lines(tmp_path):
    path = tmp_path / "run.yaml"
    path.write_text(
        "methods:\n  trees: {engine: classical}\n  trees: {engine: dummy}\nseed: 1\nmethods: {}\n"
    )
    with pytest.raises(UserError) as refused:
        check_source_text([path])
    assert f"{path}, line 5: the key methods is also in line 1" in str(refused.value)
    assert f"{path}, line 3: the key trees is also in line 2" in str(refused.value)


def test_merge_keys_override_as_yaml_specifies(tmp_path):
    path = tmp_path / "run.yaml"
    path.write_text("a: &a {x: 1}\nb: &b {y: 1}\nc: {<<: *a, x: 2}\nd: {<<: [*a, *b]}\n")
    check_source_text([path])


@pytest.mark.parametrize(
    "line",
    [
        "n_materials: 100",
        "seed: 0",
        'run_name: "0100"',
        "a: 0.5",
        "b: 1e-4",
        "c: [1, -2, 1_000, 5_000_000]",
        "d: &x {e: 08}",
    ],
)
def test_other_numbers_are_accepted(tmp_path, line):
    path = tmp_path / "run.yaml"
    path.write_text(f"{line}\n")
    check_source_text([path, tmp_path / "absent.yaml"])


@pytest.mark.parametrize(
    "arguments",
    [
        ["--config", "run_name=2024_02"],
        ["--cores", "2", "-C", "n_materials=20", "run_name=2024_02", "--dry-run"],
        ["--config=run_name=2024_02"],
    ],
)
def test_numbers_on_the_command_line_are_checked_as_well(arguments):
    with pytest.raises(UserError, match="--config run_name=2024_02: YAML reads 2024_02 as 202402"):
        check_source_text([], ["snakemake", *arguments])


@pytest.mark.parametrize(
    ("text", "line", "written"),
    [
        ("tables: {a: {objectives: {k: {column: K, classes:\n [-1, +1]}}}}", 2, "+1"),
        ("tables: {a: {objectives: {k: {column: 1.50}}}}", 1, "1.50"),
        ("tables: {a: {process: [T, 1.0e+3]}}", 1, "1.0e+3"),
        ("tables: {a: {process: 1.50}}", 1, "1.50"),
        ("tables: {a: {id: 1_000}}", 1, "1_000"),
        ("tables: {a: {composition: {columns: {Fe: .5}}}}", 1, ".5"),
        ("report: {published: [{published_in: 2022.10}]}", 1, "2022.10"),
        ("run_name: +1", 1, "+1"),
        ("methods: {+1: {engine: dummy}}", 1, "+1"),
        ("download: {files: [1.50]}", 1, "1.50"),
        ("x: &x {process: [+1]}\ntables: {a: *x}", 1, "+1"),
        ("x: &x {process: [+1]}\ntables: {a: {<<: *x}}", 1, "+1"),
        ("x: &x {process: [+1]}\ntables: {a: {<<: [*x]}, b: *x}", 1, "+1"),
    ],
)
def test_numbers_in_place_of_texts_are_reported_if_their_spelling_changes(tmp_path, text, line, written):
    path = tmp_path / "run.yaml"
    path.write_text(text)
    with pytest.raises(UserError) as refused:
        check_source_text([path])
    (problem,) = str(refused.value).splitlines()[1:]
    assert f"run.yaml, line {line}: YAML reads {written} as the number" in problem
    assert f'but a text is expected. Write "{written}"' in problem


@pytest.mark.parametrize(
    "text",
    [
        "tables: {a: {process: [2024, 20.5, -1, '+1', \"1.50\"], objectives: {k: {classes: [0, 1]}}}}",
        "graphs: {min_radius: 1.50, training: {learning_rate: 1.0e-3}}",
        "report: {published: [{value: [0.90, +1]}]}",
        "filters: {space_groups: [+1], e_hull_max: .10}",
        "seed: +1",
        "methods: {a: {engine: classical, settings: {hyperparameters: {alpha: 1.50}}}}",
        "zebra: [1.50]",
        "&a [*a]",
        "tables: &t {a: {process: *t}}",
    ],
)
def test_declared_numbers_may_have_any_spelling(tmp_path, text):
    path = tmp_path / "run.yaml"
    path.write_text(text)
    check_source_text([path])


@pytest.mark.parametrize("given", ["run_name=1.50", "run_name=+1", "sources=1e5", "objectives=1_000"])
def test_texts_on_the_command_line_that_snakemake_reads_as_numbers_are_reported(given):
    written = given.partition("=")[2]
    with pytest.raises(UserError) as refused:
        check_source_text([], ["snakemake", "--config", given])
    assert f"--config {given}: YAML reads {written} as the number" in str(refused.value)
    assert f'Write "{written}"' in str(refused.value)


@pytest.mark.parametrize(
    "given",
    [
        'run_name="1.50"',
        "tables={a: {objectives: {k: {column: 1.50, classes: [+1, 001]}}}}",
        "seed=+1",
        "n_materials=1e3",
    ],
)
def test_texts_inside_values_on_the_command_line_stay_texts(given):
    check_source_text([], ["snakemake", "--config", given])


@pytest.mark.parametrize(
    "arguments",
    [
        ["--config", 'run_name="2024_02"', "n_materials=1_000"],
        ["results/2024_02/x=1_2"],
        ["--config", "base64//YQ=="],
    ],
)
def test_other_words_on_the_command_line_are_ignored(arguments):
    check_source_text([], ["snakemake", *arguments])


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("download: {files: {a.json: {}}}", r"unknown key download.files.a.json. Known keys: url, sha256\."),
        ("report: {published: {a: 1}}", "unknown key report.published.a. Known keys: source, method"),
        ("filters: {elements_excluded: [On, Off]}", r"YAML reads yes, no(.|\n)*elements_excluded: \[Fe, O\]"),
        ("filters: {elements_required: yes}", r"YAML reads yes, no(.|\n)*elements_required: \[Fe, O\]"),
    ],
)
def test_errors_list_the_known_keys(line, message):
    with pytest.raises(UserError, match=message):
        read(line)


def test_a_configuration_in_json_may_be_indented_with_tabs(tmp_path):
    """Snakemake reads JSON first; YAML does not allow tabs there."""
    path = tmp_path / "config.json"
    path.write_text('{\n\t"run_name": "x",\n\t"other": 1\n}')
    assert not holds_only([path], {"run_name"})
    assert holds_only([path], {"run_name", "other"})
