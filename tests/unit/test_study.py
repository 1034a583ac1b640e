"""A study: scores that are kept repeat by repeat, and the page that is written from them."""

from pathlib import Path

import pandas as pd
import pytest
from evaluated_run import MadeUpRun
from project import PROJECT

from polyfacet.config.completion import complete_config
from polyfacet.evaluation.choices import CHOICES, choose
from polyfacet.evaluation.losses import losses_on_test, with_validation_losses
from polyfacet.evaluation.verdicts import compare_roles
from polyfacet.runtime.errors import UserError
from polyfacet.runtime.parquet import read_table, write_table
from polyfacet.use.study.curve import learning_curve
from polyfacet.use.study.page import write_page
from polyfacet.use.study.records import CONFIGURATION, SCORED, TABLES, Records
from polyfacet.use.study.running import baseline_of, places_of

GIVEN = {"run_name": "made_up", "sources": ["entries.json"], "splits": {"formula": {"repeats": 5}}}


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> MadeUpRun:
    return MadeUpRun(tmp_path_factory.mktemp("run"), methods={"ridge": 3, "boosting": 3}).write()


def scores_of(run: MadeUpRun, repeat: int, folder: Path) -> Path:
    """Write the tables of one repeat alone."""
    target = folder / f"formula-{repeat}"
    target.mkdir()
    for name, schema in SCORED.items():
        table = read_table(run.evaluation / f"{name}.parquet", schema)
        write_table(target / f"{name}.parquet", table[table["repeat"] == repeat], schema)
    return target


@pytest.fixture
def records(run: MadeUpRun, tmp_path: Path) -> Records:
    """Return the kept scores of all repeats; the last was added first."""
    kept = Records(tmp_path / "kept")
    for repeat in (2, 0, 1):
        kept.add(scores_of(run, repeat, tmp_path), GIVEN)
    return kept


def test_a_repeat_is_finished_once_its_scores_are_kept(run: MadeUpRun, tmp_path: Path):
    kept = Records(tmp_path / "kept")
    assert kept.finished() == set()
    kept.add(scores_of(run, 1, tmp_path), GIVEN)
    assert kept.finished() == {("crystals", "formula", 1)}


def test_kept_scores_give_the_choices_and_verdicts_of_the_run(run: MadeUpRun, records: Records):
    cells = records["cells"]
    chosen = choose(with_validation_losses(cells, records["validation"]), losses_on_test(records["scores"]))
    expected = read_table(run.evaluation / "choices.parquet", CHOICES)
    keys = ["objective", "repeat", "role"]
    pd.testing.assert_frame_equal(
        chosen[CHOICES.names].sort_values(keys, ignore_index=True),
        expected.sort_values(keys, ignore_index=True),
    )
    tests = compare_roles(chosen, cells).set_index(["objective", "comparison"])
    theirs = read_table(run.evaluation / "tests.parquet").set_index(["objective", "comparison"])
    assert tests["verdict"].to_dict() == theirs["verdict"].to_dict()
    assert tests["p_holm"].to_dict() == pytest.approx(theirs["p_holm"].to_dict(), nan_ok=True)


def test_adding_a_repeat_again_replaces_it(run: MadeUpRun, records: Records, tmp_path: Path):
    before = {name: len(records[name]) for name in TABLES}
    records.add(tmp_path / "formula-1", GIVEN)
    assert {name: len(records[name]) for name in TABLES} == before


def test_cells_that_lack_a_repeat_are_no_candidates(run: MadeUpRun, tmp_path: Path):
    slow = MadeUpRun(tmp_path / "slow", methods={"ridge": 3, "boosting": 1}).write()
    kept = Records(tmp_path / "kept")
    kept.add(scores_of(slow, 0, tmp_path), GIVEN)
    kept.add(scores_of(slow, 1, tmp_path), GIVEN)
    assert set(kept["validation"]["method"]) == {"ridge", "mean"}
    repeats = kept["cells"].groupby("method")["n_repeats"].unique().map(list).to_dict()
    assert repeats == {"ridge": [2], "boosting": [1], "mean": [2]}


def test_the_page_says_what_is_finished_and_compares_with_the_baseline(records: Records):
    config = complete_config(GIVEN)
    places = places_of(config)
    path = write_page(records, config, places, "polyfacet study made_up.yaml", ("ridge", "graph"))
    page = path.read_text()
    assert "| crystals | `formula` | 3 of 5 |" in page
    tested = losses_on_test(records["scores"])
    own = tested[(tested["method"] == "ridge") & (tested["combination"] == "graph")]
    mean = own.groupby("objective")["loss"].mean().mean()
    assert f"| ridge: graph | {mean:.3f} |" in page
    assert "ratio of the second to the first" in page
    assert (records.folder / "crystals-formula.svg").read_text().count("<text") > 0
    again = path.read_bytes(), (records.folder / "crystals-formula.svg").read_bytes()
    write_page(records, config, places, "polyfacet study made_up.yaml", ("ridge", "graph"))
    assert (path.read_bytes(), (records.folder / "crystals-formula.svg").read_bytes()) == again


def test_everything_is_compared_over_the_repeats_of_the_baseline(run: MadeUpRun, tmp_path: Path):
    slow = MadeUpRun(tmp_path / "slow", methods={"ridge": 1, "boosting": 3}).write()
    kept = Records(tmp_path / "kept")
    for repeat in range(3):
        kept.add(scores_of(slow, repeat, tmp_path), GIVEN)
    config = complete_config(GIVEN)
    page = write_page(kept, config, places_of(config), "polyfacet study", ("ridge", "graph")).read_text()
    assert "Comparisons with ridge: graph are over its own repeats, 1 of 3." in page
    assert "| mean loss over the objectives (1 of 3 repeats) |" in page
    tested = losses_on_test(kept["scores"]).query("repeat == 0")
    chosen = choose(with_validation_losses(kept["cells"], kept["validation"]), losses_on_test(kept["scores"]))
    first = chosen[(chosen["role"] == "any") & (chosen["repeat"] == 0)]["test_loss"].mean()
    own = tested[(tested["method"] == "ridge") & (tested["combination"] == "graph")]["loss"].mean()
    assert f"| ratio of the second to the first | **{first / own:.3f}** |" in page


def test_a_repeat_of_which_only_some_tables_were_written_is_not_finished(records: Records):
    path = records.folder / "cells.parquet"
    cells = read_table(path, TABLES["cells"])
    before = records["validation"]
    write_table(path, cells[cells["repeat"] < 2], TABLES["cells"])
    assert records.finished() == {("crystals", "formula", 0), ("crystals", "formula", 1)}
    for name in TABLES:
        assert set(records[name]["repeat"]) == {0, 1}
    assert len(records["validation"]) == (before["repeat"] < 2).sum()


def test_scores_of_another_configuration_are_not_continued(records: Records):
    records.check_configuration(GIVEN)
    records.check_configuration({**GIVEN, "splits": {"formula": {"repeats": 9}}})
    with pytest.raises(UserError, match="scores of another configuration"):
        records.check_configuration({**GIVEN, "splits": {"formula": {"train_fraction": 0.5}}})


def test_a_source_without_the_baseline_has_no_ratio(records: Records):
    config = complete_config(GIVEN)
    path = write_page(records, config, places_of(config), "polyfacet study", ("ridge", "image"))
    assert "ratio of the second" not in path.read_text()


def test_an_unknown_baseline_is_rejected():
    with pytest.raises(UserError, match="the run has no such cell. It has .*ridge:text"):
        baseline_of("rigde:text", complete_config(GIVEN))
    with pytest.raises(UserError, match="there is no facet 'grahp'"):
        baseline_of("ridge:grahp", complete_config(GIVEN))
    assert baseline_of("mean", complete_config(GIVEN)) == ("mean", "none")
    with pytest.raises(UserError, match=r"must be written 'text\+graph'"):
        baseline_of("ridge:graph+text", complete_config(GIVEN))
    assert baseline_of("ridge:text+graph", complete_config(GIVEN)) == ("ridge", "text+graph")


def test_means_over_objectives_are_of_methods_that_have_all(run: MadeUpRun, tmp_path: Path):
    kept = Records(tmp_path / "kept")
    for repeat in range(3):
        kept.add(scores_of(run, repeat, tmp_path), GIVEN)
    for name in TABLES:
        table = read_table(kept.folder / f"{name}.parquet", TABLES[name])
        lacks = (table["method"] == "boosting") & (table["objective"] == "e_form")
        write_table(kept.folder / f"{name}.parquet", table[~lacks], TABLES[name])
    config = complete_config(GIVEN)
    page = write_page(kept, config, places_of(config), "polyfacet study", None).read_text()
    head = page.index("| mean loss over the objectives | ridge | boosting | mean |")
    (line,) = [each for each in page[head:].splitlines() if each.startswith("| text + graph |")]
    assert [bool(each.strip()) for each in line.split("|")[2:5]] == [True, False, False]


def test_cells_that_show_the_answer_are_marked(tmp_path: Path):
    made = MadeUpRun(tmp_path / "run", objectives=("gap", "vol_atom"), facets="graph+compimage").write()
    kept = Records(tmp_path / "kept")
    for repeat in range(3):
        kept.add(scores_of(made, repeat, tmp_path), GIVEN)
    config = complete_config(GIVEN)
    page = write_page(kept, config, places_of(config), "polyfacet study", ("ridge", "graph")).read_text()
    (line,) = [each for each in page.splitlines() if each.startswith("| ridge: graph |")][:1]
    assert [each.strip().endswith("†") for each in line.split("|")[3:5]] == [False, True]


def test_facets_that_an_objective_lacks_have_no_mean_contribution(tmp_path: Path):
    failed = [(method, "text+graph+compimage", "gap") for method in ("ridge", "boosting")]
    made = MadeUpRun(tmp_path / "run", facets="text+graph+compimage", failed=failed).write()
    kept = Records(tmp_path / "kept")
    for repeat in range(3):
        kept.add(scores_of(made, repeat, tmp_path), GIVEN)
    config = complete_config(GIVEN)
    page = write_page(kept, config, places_of(config), "polyfacet study", None).read_text()
    table = page[page.index("| Shapley value") :]
    lines = {line.split("|")[1].strip(): line.split("|")[2:-1] for line in table.splitlines()[:5]}
    assert [each.strip()[:3] for each in lines["compimage"][:2]] == ["n/a", ""]
    assert "\nNot shown: values over text + compimage; graph + compimage, of which" in table
    assert "nan" not in page


def test_kept_studies_of_the_project_can_be_read():
    # Other experiments keep their results beside them, without a configuration.
    studies = sorted((PROJECT / "docs" / "results").glob(f"*/{CONFIGURATION}"))
    assert studies
    for path in studies:
        kept = Records(path.parent)
        assert kept.finished()
        assert all(len(kept[name]) for name in TABLES)


def test_splits_of_different_sizes_are_a_learning_curve(records: Records, tmp_path: Path):
    cells, validation, scores = (records[name] for name in TABLES)
    smaller = cells.assign(split="small", n_train=cells["n_train"] // 2)
    both = pd.concat([cells, smaller], ignore_index=True)
    validated = with_validation_losses(
        both, pd.concat([validation, validation.assign(split="small")], ignore_index=True)
    )
    tested = losses_on_test(pd.concat([scores, scores.assign(split="small")], ignore_index=True))
    page = "\n".join(learning_curve(tmp_path, both, validated, tested))
    assert "| facets | 22 trained on | 44 trained on |" in page
    assert "## Learning curve: crystals" in page
    (line,) = [line for line in page.splitlines() if line.startswith("| text + graph |")]
    first, second = line.split("|")[2:4]
    assert float(first) == float(second) > 0
    assert (tmp_path / "learning-curve-crystals.svg").exists()
    assert learning_curve(tmp_path, cells, validated, tested) == []
    failed = tested[(tested["split"] != "small") | (tested["objective"] != "gap")]
    part = validated[(validated["split"] != "small") | (validated["objective"] != "gap")]
    page = "\n".join(learning_curve(tmp_path, both, part, failed))
    (line,) = [line for line in page.splitlines() if line.startswith("| text + graph |")]
    assert line.split("|")[2].strip() == "n/a"
    nothing = validated[validated["split"] != "small"]
    assert learning_curve(tmp_path, both, nothing, tested[tested["split"] != "small"])


def test_the_first_repeats_of_all_splits_come_first():
    splits = {"formula": {"repeats": 2}, "random": {"repeats": 1}}
    config = complete_config({"sources": ["entries.json"], "splits": splits})
    assert places_of(config) == [
        ("crystals", "formula", 0),
        ("crystals", "random", 0),
        ("crystals", "formula", 1),
    ]
