"""Methods side by side: scores from predictions, mean and spread, wins, tables and sentences."""

import inspect

import numpy as np
import pandas as pd
import pytest
from grid_cells import card_of, sample_of, tables_of_run
from project import PROJECT

import collect_results
from polyfacet.evaluation.means import compare
from polyfacet.evaluation.scores import with_means_over_objectives
from polyfacet.evaluation.tables import KEYS, SCORES
from polyfacet.reporting import document
from polyfacet.reporting.findings import comparison_findings
from polyfacet.reporting.section_tables import section_markdown
from polyfacet.reporting.sections import overall, sections
from polyfacet.runtime.parquet import read_table, write_table
from polyfacet.training.cards import write_card
from polyfacet.training.cells import PREDICTIONS

PUBLISHED = [
    {
        "source": "steel",
        "method": "ours",
        "objective": "hv",
        "metric": "r2",
        "value": 0.85,
        "published_in": "Yu",
    },
    {"source": "steel", "method": "base", "metric": "r2", "value": [0.92, 0.94], "published_in": "Yu"},
]


def row(
    method,
    repeat,
    value,
    split="random",
    objective="hv",
    metric="r2",
    name="all",
    reason=None,
    combination="composition",
):
    place = ("test", "steel", split, repeat, method, combination, objective, name, metric, value, reason)
    return dict(zip(SCORES.names, (*place, 4, 3, None, None), strict=True))


def cells_of(table, **split_methods):
    """Make the cells of these scores; a split is made by the method of its name, unless another is given."""
    own = table[KEYS].drop_duplicates()
    methods = [split_methods.get(split, split) for split in own["split"]]
    labels = own["objective"].map(lambda name: {"hv": "Hardness", "uts": "Strength"}.get(name, name))
    return own.assign(split_method=methods, label=labels, untrained=[[]] * len(own))


def findings(table, published, reference, **split_methods):
    """Return the findings of these scores."""
    cells = cells_of(table, **split_methods)
    return comparison_findings(cells, compare(table, reference), published, reference)


def test_a_reference_with_several_combinations_is_beaten_where_the_best_of_them_is():
    values = {"graph": (0.9, 0.1, 0.9, 0.1), "text": (0.1, 0.9, 0.1, 0.7)}
    rows = [
        row("base", repeat, value, combination=combination)
        for combination, own in values.items()
        for repeat, value in enumerate(own)
    ]
    rows += [row("ours", repeat, 0.8, combination="text") for repeat in range(4)]
    said = findings(pd.DataFrame(rows), [], "base")[0]
    assert "`ours` is best" in said
    assert (
        "`base: graph` has 0.500 ± 0.462; the best combination of `base` in each repeat is beaten in 1 of 4"
    ) in said


def test_a_control_is_no_reference():
    rows = [row("base", repeat, value, combination="graph") for repeat, value in enumerate((0.1, 0.9))]
    rows += [row("ours", repeat, 0.8) for repeat in range(2)]
    table = pd.DataFrame(rows)
    cells = cells_of(table)
    cells["untrained"] = [["graph"] if combination == "graph" else [] for combination in cells["combination"]]
    (said,) = comparison_findings(cells, compare(table, "base"), [], "base")
    assert "`ours` is best" in said
    assert "base" not in said


def test_methods_that_lack_a_score_are_named_where_the_best_over_all_is_stated():
    values = {("base", "text"): 0.5, ("ours", "text"): 0.8, ("ours", "graph"): 0.9, ("other", "text"): 0.95}
    rows = [
        row(method, repeat, value, objective=objective, combination=combination)
        for (method, combination), value in values.items()
        for objective in ("hv", "uts")
        for repeat in range(2)
        # Not trained on it, and failed once.
        if (method, objective) != ("other", "uts")
    ]
    rows[4 + 4 + 1] |= {"value": np.nan, "reason": "diverged"}
    table = with_means_over_objectives(pd.DataFrame(rows).astype({"value": float}))
    (said, *_) = findings(table, [], None)
    assert "all objectives, split `random`: `ours: text` is best" in said
    assert said.endswith("; left out, without a score of every objective or repeat: `ours: graph`, `other`.")


@pytest.fixture
def scores():
    values = {"base": (0.7, 0.8, 0.9), "ours": (0.8, 0.7, 1.0)}
    rows = [row(method, repeat, value) for method in values for repeat, value in enumerate(values[method])]
    rows += [
        row(method, repeat, 10 - 10 * value, metric="mae")
        for method in values
        for repeat, value in enumerate(values[method])
    ]
    rows += [
        row(method, repeat, value - 0.3, split="formula")
        for method in values
        for repeat, value in enumerate(values[method])
    ]
    return pd.DataFrame(rows)


def write_cell(folder, predictions, **card):
    """Write the files of a cell; its predictions are of numbers, or of classes where these are texts."""
    made = card_of(source="steel", split="formula", repeat=3, method="mean", combination="none", **card)
    rows = pd.DataFrame(predictions).assign(
        **{name: getattr(made, name) for name in PREDICTIONS.names if hasattr(made, name)}
    )
    write_card(folder / "card.json", made)
    rows = rows.reindex(columns=PREDICTIONS.names).astype({"probabilities": object})
    write_table(folder / "predictions.parquet", rows, PREDICTIONS)


def test_predictions_become_scores_of_their_cells(tmp_path):
    parts = {"mat_id": list("abc"), "part": ["train", "test", "test"]}
    numbers = {**parts, "y_true": [9.0, 1.0, 3.0], "y_pred": [0.0, 1.0, 4.0]}
    classes = {**parts, "true_class": ["x", "x", "y"], "predicted_class": ["y", "x", "x"]}
    failed = {**parts, "y_true": [9.0, 1.0, 3.0], "y_pred": [np.nan] * 3}
    folder = tmp_path / "cells"
    # What a folder is called does not matter: the card says which cell it is of.
    write_cell(folder / "1", numbers, objective="hv")
    write_cell(folder / "2" / "deep", classes, objective="gfa", classes=["x", "y"])
    # An engine may call a file of its model like a card.
    (folder / "1" / "model").mkdir()
    (folder / "1" / "model" / "card.json").write_text("{}")
    write_cell(folder / "3", failed, objective="uts", status="failed", reason="too few rows")
    tables = tables_of_run(tmp_path / "tables")
    sample = sample_of("abc", tmp_path)
    shown = {name: {"label": name, "unit": ""} for name in ("hv", "gfa", "uts")}
    collect_results.main([folder], [sample], **tables, reference=None, objectives={"steel": shown})
    found = read_table(tables["scores"], SCORES).set_index(["objective", "class", "metric"])
    assert set(zip(found["source"], found["split"], found["repeat"], found["method"], strict=True)) == {
        ("steel", "formula", 3, "mean")
    }
    assert found["value"]["hv", "all", "mae"] == 0.5
    assert found["value"]["hv", "all", "r2"] == 0.5
    assert found["value"]["gfa", "all", "accuracy"] == 0.5
    assert found["value"]["gfa", "x", "recall"] == 1.0
    assert found["reason"]["uts", "all", "mase"] == "too few rows"
    assert pd.isna(found["value"]["uts", "all", "mase"])
    assert len(read_table(tables["predictions"], PREDICTIONS)) == 9


def test_mean_spread_and_wins_follow_from_the_repeats(scores):
    table = compare(scores, "base").set_index(["split", "method", "metric"])
    ours = table.loc[("random", "ours", "r2")]
    assert ours["mean"] == pytest.approx(2.5 / 3)
    assert ours["std"] == pytest.approx(0.1527525)
    # Better in the first and the last repeat; for MAE, smaller is better.
    assert (ours["n"], ours["wins"]) == (3, 2)
    assert table.loc[("random", "ours", "mae"), "wins"] == 2
    assert table.loc[("random", "base", "r2"), "wins"] == 0


def test_without_a_reference_there_are_no_wins(scores):
    assert "wins" not in compare(scores, None)
    assert compare(scores, "absent")["wins"].isna().all()


def test_a_failed_repeat_leaves_no_mean(scores):
    scores.loc[0, "value"] = float("nan")
    table = compare(scores, None).set_index(["split", "method", "metric"])["mean"]
    assert pd.isna(table["random", "base", "r2"])
    assert not pd.isna(table["random", "ours", "r2"])


def test_a_failed_repeat_does_not_win_and_one_of_the_reference_leaves_no_wins(scores):
    failed = scores.set_index(["split", "method", "metric", "repeat"]).sort_index()
    failed.loc[("random", "ours", "r2", 0), "value"] = float("nan")
    failed.loc[("formula", "base", "r2", 1), "value"] = float("nan")
    wins = compare(failed.reset_index(), "base").set_index(["split", "method", "metric"])["wins"]
    assert wins["random", "ours", "r2"] == 1
    assert pd.isna(wins["formula", "ours", "r2"])


def test_the_mean_over_objectives_is_only_of_several(scores):
    assert len(with_means_over_objectives(scores)) == len(scores)
    more = pd.DataFrame([row("ours", 0, 0.4, objective="uts"), row("ours", 0, 0.9)])
    means = with_means_over_objectives(more).query("objective == 'all'")
    assert means["value"].tolist() == pytest.approx([0.65])
    assert list(means["method"]) == ["ours"]


def test_the_mean_over_objectives_is_only_of_methods_that_have_all():
    some = [row("some", 0, 0.9), row("ours", 0, 0.9), row("ours", 0, 0.4, objective="uts")]
    means = with_means_over_objectives(pd.DataFrame(some)).query("objective == 'all'")
    assert list(means["method"]) == ["ours"]


def test_tables_show_scores_wins_and_published_values(scores):
    comparison = compare(scores, "base")
    (section,) = sections(cells_of(scores), comparison)
    assert section.title == "steel: Hardness"
    head, rule, base, ours = section_markdown(section, comparison, PUBLISHED, "base").splitlines()
    assert head.split(" | ")[1:3] == ["R2, random", "R2, formula"]
    assert rule.count("---:") == head.count("|") - 2
    assert base.split(" | ")[1] == "0.800 ± 0.100"
    assert base.endswith("| 0.92 to 0.94 |")
    assert "| 2 of 3 |" in ours
    assert ours.endswith("| 0.85 |")


def test_sections_of_classes_lead_with_f1_and_the_mean_over_them_decides():
    rows = [row("ours", 0, 0.5, name="BMG", metric=metric) for metric in ("precision", "recall", "f1")]
    rows += [row("ours", 0, 0.5, metric=metric) for metric in ("macro_f1", "accuracy")]
    table = pd.DataFrame(rows)
    found = sections(cells_of(table), compare(table, None))
    assert {section.title: section.metrics[0] for section in found} == {
        "steel: Hardness, BMG": "f1",
        "steel: Hardness": "macro_f1",
    }
    assert [section.title for section in overall(found)] == ["steel: Hardness"]


def test_findings_follow_from_the_numbers(scores):
    said = "\n".join(findings(scores, PUBLISHED, "base"))
    assert "split `random`: `ours` is best, R2 0.833 ± 0.153 over 3 repeats; `base` has" in said
    assert "beaten in 2 of 3" in said
    assert "R2 is lower by 0.300 in the median" in said
    assert (
        "published R2 of `ours` 0.85, ours 0.833 ± 0.153 on the split `random`: ours is lower by 0.017"
        in said
    )
    assert "published R2 of `base` 0.92 to 0.94" in said


def verdict(values, value, split="random", **declared):
    """Compare one published score with the scores of our repeats."""
    table = pd.DataFrame([row("ours", n, score, split) for n, score in enumerate(values)])
    (said,) = [
        s for s in findings(table, [{**PUBLISHED[0], "value": value, **declared}], None) if "published" in s
    ]
    return said.split("`: ", 1)[1]


def test_there_is_a_verdict_only_where_settings_are_declared_the_same():
    close = (0.84, 0.85, 0.86)
    assert verdict(close, 0.855, differs=[]) == (
        "reproduced within 2 standard deviations, ours is lower by 0.005."
    )
    assert verdict(close, 0.9, differs=[]) == "not reproduced, ours is lower by 0.050."
    assert verdict(close, [0.3, 0.4], differs=[]) == "not reproduced, ours is higher by 0.450."
    assert verdict(close, [0.8, 0.9], differs=[]).endswith("ours is in the range.")
    said = verdict(close, 0.855, differs=["epochs", "the split"])
    assert said == "ours is lower by 0.005; not comparable, differs in epochs, the split."
    assert "not declared whether the settings are the same" in verdict(close, 0.855)


def test_a_method_that_scatters_does_not_reproduce_everything():
    assert "no verdict, ours scatters by more than 0.02" in verdict((0.7, 0.8, 0.9), 0.85, differs=[])
    assert "no spread to judge by" in verdict((0.85,), 0.85, differs=[])
    assert "ours failed" in verdict((0.85, float("nan")), 0.85, differs=[])


def test_a_published_score_may_be_of_the_split_of_published_code():
    table = pd.DataFrame([row("ours", n, 0.85 + n / 100, "scikit_learn") for n in range(3)])
    entry = {**PUBLISHED[0], "value": 0.86, "split": "scikit_learn", "differs": []}
    (said,) = [s for s in findings(table, [entry], None) if "published" in s]
    assert "on the split `scikit_learn`: reproduced" in said
    (said,) = [s for s in findings(table, [PUBLISHED[0]], None) if "published" in s]
    assert said.endswith("not comparable, differs in the way to split.")


def test_a_published_score_is_compared_with_its_own_combination_only():
    values = {"composition": 0.85, "composition+compimage": 0.95}
    table = pd.DataFrame(
        [row("ours", n, value, combination=name) for name, value in values.items() for n in range(2)]
    )
    entry = {**PUBLISHED[0], "value": 0.95, "combination": "composition+compimage", "differs": []}
    (said,) = [s for s in findings(table, [entry], None) if "published" in s]
    assert (
        "of `ours: composition+compimage` 0.95, ours 0.950 ± 0.000 on the split `random`: reproduced" in said
    )
    comparison = compare(table, None)
    (section,) = sections(cells_of(table), comparison)
    lines = section_markdown(section, comparison, [entry], None).splitlines()
    assert lines[2].endswith("|  |")
    assert lines[3].endswith("| 0.95 |")
    # Without a combination it is nobody's, as the method has two.
    vague = {name: value for name, value in entry.items() if name != "combination"}
    assert not [s for s in findings(table, [vague], None) if "published" in s]
    assert "published" not in section_markdown(section, comparison, [vague], None)


def test_every_published_score_of_a_cell_is_shown(scores):
    others = [{**PUBLISHED[0], "value": 0.7, "metric": "rmse"}, {**PUBLISHED[0], "value": 0.8}]
    table = pd.concat([scores, pd.DataFrame([row("ours", 0, 0.7, metric="rmse")])])
    said = "\n".join(findings(table, [PUBLISHED[0], *others], None))
    assert "published R2 of `ours` 0.85" in said
    assert "published R2 of `ours` 0.8," in said
    assert "published RMSE of `ours` 0.7, ours 0.700" in said
    comparison = compare(scores, None)
    (section,) = sections(cells_of(scores), comparison)
    assert section_markdown(section, comparison, [PUBLISHED[0], *others], None).endswith("| 0.85; 0.8 |")


def test_splits_are_told_by_how_they_were_made_and_not_by_their_names(scores):
    named = scores.replace({"split": {"random": "apart", "formula": "whole"}})
    said = "\n".join(findings(named, PUBLISHED, None, apart="random", whole="formula"))
    assert "held out (`whole` instead of `apart`), R2 is lower by 0.300 in the median" in said
    assert "published R2 of `ours` 0.85, ours 0.833 ± 0.153 on the split `apart`" in said
    swapped = "\n".join(findings(scores, PUBLISHED, None, random="formula", formula="random"))
    assert "R2 is higher by 0.300 in the median" in swapped
    folds = "\n".join(findings(scores, PUBLISHED, None, random="folds", formula="folds"))
    assert "held out" not in folds
    published = [sentence for sentence in folds.splitlines() if "published" in sentence]
    assert published
    assert all("differs in the way to split" in sentence for sentence in published)


def test_the_document_and_the_tables_are_sought_in_the_project():
    defaults = {name: each.default for name, each in inspect.signature(document.main).parameters.items()}
    assert defaults == {
        "tables": PROJECT / "results" / "mcvn" / "report" / "tables.md",
        "document": PROJECT / "docs" / "mcvn.md",
    }
    assert defaults["document"].is_file()


def test_results_of_a_run_get_into_the_document(tmp_path):
    written = (PROJECT / "docs" / "mcvn.md").read_text(encoding="utf-8")
    (tmp_path / "mcvn.md").write_text(written, encoding="utf-8")
    (tmp_path / "tables.md").write_text("| method |\n", encoding="utf-8")
    document.main(tmp_path / "tables.md", tmp_path / "mcvn.md")
    changed = (tmp_path / "mcvn.md").read_text(encoding="utf-8")
    begin, end = "polyfacet.reporting.document -->\n", "<!-- end: results -->"
    assert f"{begin}| method |\n{end}" in changed
    assert changed.split(begin)[0] == written.split(begin)[0]
    assert changed.split(end)[1] == written.split(end)[1]


def test_names_of_classes_have_no_effect_as_markup():
    rows = [row("ours", n, 0.5, name="<b>$x_{1 | a", metric="f1") for n in range(2)]
    rows += [row("ours", n, 0.5, metric="macro_f1") for n in range(2)]
    table = pd.DataFrame(rows)
    entry = {**PUBLISHED[0], "class": "<b>$x_{1 | a", "metric": "f1"}
    (said,) = [sentence for sentence in findings(table, [entry], None) if "published" in sentence]
    assert said.startswith(r"- steel: Hardness, &lt;b&gt;\$x\_{1 \| a: published F1")
