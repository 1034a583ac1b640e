"""Methods side by side: scores from cards, mean and spread, wins, tables and sentences."""

import pandas as pd
import pytest
import yaml
from PIL import Image
from project import PROJECT

from polyfacet.config.completion import complete_config
from polyfacet.evaluation.scores import SCORES, collect_scores, compare, with_means_over_targets
from polyfacet.reporting.comparison import document
from polyfacet.reporting.comparison.figure import comparison_figure
from polyfacet.reporting.comparison.findings import findings
from polyfacet.reporting.comparison.sections import overall, section_markdown, sections
from polyfacet.reporting.figures import save
from polyfacet.runtime.errors import UserError
from polyfacet.training.cards import (
    Card,
    ClassMetrics,
    ClassScores,
    Counts,
    Metrics,
    describe_origin,
    measure_cost,
    write_card,
)
from polyfacet.training.methods import checked_methods

PUBLISHED = [
    {"table": "steel", "method": "ours", "target": "hv", "metric": "r2", "value": 0.85, "source": "Yu"},
    {"table": "steel", "method": "base", "metric": "r2", "value": [0.92, 0.94], "source": "Yu"},
]


def row(method, repeat, value, split="random", target="hv", metric="r2", name="all", reason=None):
    return dict(
        zip(SCORES.names, ("steel", split, repeat, method, target, name, metric, value, reason), strict=True)
    )


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


def card(metrics, target, classes=(), reason=None):
    return Card(
        status="failed" if reason else "ok",
        reason=reason,
        engine="dummy",
        settings={},
        facets=["tabular"],
        target=target,
        unit="",
        classes=list(classes),
        split="x",
        seed=0,
        contains_answer=False,
        counts=Counts(n_train=1, n_valid=1, n_test=1, n_missing=0),
        tested="0" * 64,
        metrics=metrics,
        encoders={},
        cost=measure_cost(0.0, 1),
        origin=describe_origin(),
    )


def test_cards_become_scores(tmp_path):
    cells = tmp_path / "steel" / "formula-3" / "cells" / "dummy"
    numbers = Metrics(mae=1.0, mase=0.5, rmse=2.0, r2=0.75)
    per_class = {"BMG": ClassScores(precision=0.5, recall=1.0, f1=2 / 3, support=4)}
    classes = ClassMetrics(accuracy=0.9, macro_f1=0.8, per_class=per_class)
    write_card(cells / "mean" / "hv" / "card.json", card(numbers, "hv"))
    write_card(cells / "mean" / "gfa" / "card.json", card(classes, "gfa", ["BMG"]))
    write_card(cells / "mean" / "uts" / "card.json", card(None, "uts", reason="too few rows"))
    found = pd.DataFrame(collect_scores(cells)).set_index(["target", "class", "metric"])
    assert set(found["table"]) == {"steel"}
    assert set(found["split"]) == {"formula"}
    assert set(found["repeat"]) == {3}
    assert found["value"]["hv", "all", "r2"] == 0.75
    assert found["value"]["gfa", "all", "macro_f1"] == 0.8
    assert found["value"]["gfa", "BMG", "recall"] == 1.0
    assert found["reason"]["uts", "all", "r2"] == "too few rows"
    assert pd.isna(found["value"]["uts", "all", "r2"])


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


def test_the_mean_over_targets_is_of_r2_and_only_of_several_targets(scores):
    assert len(with_means_over_targets(scores)) == len(scores)
    more = pd.DataFrame([row("ours", 0, 0.4, target="uts"), row("ours", 0, 0.9)])
    means = with_means_over_targets(more).query("target == 'all'")
    assert means["value"].tolist() == pytest.approx([0.65])
    assert list(means["method"]) == ["ours"]


def test_tables_show_scores_wins_and_published_values(scores):
    comparison = compare(scores, "base")
    (section,) = sections(comparison)
    assert section.title == "steel: hv"
    head, rule, base, ours = section_markdown(section, comparison, PUBLISHED, "base").splitlines()
    assert head.split(" | ")[1:3] == ["R2, random", "R2, grouped"]
    assert rule.count("---:") == head.count("|") - 2
    assert base.split(" | ")[1] == "0.800 ± 0.100"
    assert base.endswith("| 0.92 to 0.94 |")
    assert "| 2 of 3 |" in ours
    assert ours.endswith("| 0.85 |")


def test_sections_of_classes_lead_with_f1_and_the_mean_over_them_decides():
    rows = [row("ours", 0, 0.5, name="BMG", metric=metric) for metric in ("precision", "recall", "f1")]
    rows += [row("ours", 0, 0.5, metric=metric) for metric in ("macro_f1", "accuracy")]
    found = sections(compare(pd.DataFrame(rows), None))
    assert {section.title: section.metrics[0] for section in found} == {
        "steel: hv, BMG": "f1",
        "steel: hv": "macro_f1",
    }
    assert [section.title for section in overall(found)] == ["steel: hv"]


def test_findings_follow_from_the_numbers(scores):
    said = "\n".join(findings(compare(scores, "base"), PUBLISHED, "base"))
    assert "random split: `ours` is best, R2 0.833 ± 0.153 over 3 repeats; `base` has" in said
    assert "beaten in 2 of 3" in said
    assert "R2 is lower by 0.300 in the median" in said
    assert (
        "published R2 of `ours` 0.85, ours 0.833 ± 0.153 on the random split: ours is lower by 0.017" in said
    )
    assert "published R2 of `base` 0.92 to 0.94" in said


def verdict(values, value, split="random", **declared):
    """Compare one published score with the scores of our repeats."""
    table = compare(pd.DataFrame([row("ours", n, score, split) for n, score in enumerate(values)]), None)
    (said,) = [
        s for s in findings(table, [{**PUBLISHED[0], "value": value, **declared}], None) if "published" in s
    ]
    return said.split(" split: ", 1)[1]


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


def test_a_published_score_may_be_of_the_split_of_published_code(tmp_path):
    table = pd.DataFrame([row("ours", n, 0.85 + n / 100, "scikit_learn") for n in range(3)])
    entry = {**PUBLISHED[0], "value": 0.86, "split": "scikit_learn", "differs": []}
    (said,) = [s for s in findings(compare(table, None), [entry], None) if "published" in s]
    assert "on the scikit-learn split: reproduced" in said
    assert not [s for s in findings(compare(table, None), [PUBLISHED[0]], None) if "published" in s]
    save(comparison_figure(compare(table, None), [entry]), tmp_path / "figure.png")


def test_no_method_of_the_study_was_tuned_on_its_splits_and_every_published_score_says_what_differs():
    for name in ("mcvn", "mcvn_steel"):
        study = yaml.safe_load((PROJECT / "config" / f"{name}.yaml").read_text(encoding="utf-8"))
        comparison = complete_config(study)["comparison"]
        assert "members" not in str(comparison["methods"])
        assert all("differs" in entry for entry in comparison["published"])


def test_the_figure_shows_every_section(scores, tmp_path):
    save(comparison_figure(compare(scores, None), PUBLISHED), tmp_path / "figure.png")
    with Image.open(tmp_path / "figure.png") as picture:
        assert min(picture.size) > 200


def test_results_of_a_run_get_into_the_document(tmp_path):
    written = (PROJECT / "docs" / "mcvn.md").read_text(encoding="utf-8")
    (tmp_path / "mcvn.md").write_text(written, encoding="utf-8")
    (tmp_path / "tables.md").write_text("| method |\n", encoding="utf-8")
    document.main(tmp_path / "tables.md", tmp_path / "mcvn.md")
    changed = (tmp_path / "mcvn.md").read_text(encoding="utf-8")
    begin, end = "polyfacet.reporting.comparison.document -->\n", "<!-- end: results -->"
    assert f"{begin}| method |\n{end}" in changed
    assert changed.split(begin)[0] == written.split(begin)[0]
    assert changed.split(end)[1] == written.split(end)[1]


TABLE = {"file": "a.csv", "composition": {"formula": "F"}, "targets": {"hv": {"column": "HV"}}}


@pytest.mark.parametrize(
    ("comparison", "message"),
    [
        ({}, "comparison.methods. is empty"),
        ({"methods": {"a": {"engine": "dummy"}}, "reference": "b"}, "'b', which is none of the methods: a"),
        ({"methods": {"a": {"engine": "dummy", "tables": ["b"]}}}, r"methods.a.tables names the table 'b'"),
        (
            {"methods": {"a": {"engine": "automm", "settings": {"presets": "x"}}}},
            r"settings of comparison.methods.a(.|\n)*engine.automm.presets. Did you mean",
        ),
        (
            {"methods": {"a": {"engine": "dummy"}}, "published": [{**PUBLISHED[0], "table": "b"}]},
            "published names the table 'b'",
        ),
    ],
)
def test_a_comparison_that_cannot_be_made_says_what_to_mend(comparison, message):
    with pytest.raises(UserError, match=message):
        checked_methods(complete_config({"tables": {"steel": TABLE}, "comparison": comparison}))


def test_methods_have_the_defaults_of_their_engine():
    own = {"steel": {"patience": 9}}
    method = {"engine": "mcvn", "settings": {"max_epochs": 3}, "settings_of_tables": own}
    only = {"engine": "dummy", "settings": {"statistic": "mean"}, "tables": ["glass"]}
    comparison = {"methods": {"a": method, "b": only}}
    tables = {"steel": TABLE, "glass": TABLE}
    methods = checked_methods(complete_config({"tables": tables, "comparison": comparison}))
    assert {table: list(names) for table, names in methods.items()} == {"steel": ["a"], "glass": ["a", "b"]}
    settings = {table: methods[table]["a"]["settings"] for table in tables}
    assert settings["glass"] | {"max_epochs": 3, "variant": "published", "patience": 100} == settings["glass"]
    assert settings["steel"] == {**settings["glass"], "patience": 9}


def test_names_of_classes_have_no_effect_as_markup_or_formula(tmp_path):
    rows = [row("ours", n, 0.5, name="<b>$x_{1 | a", metric="f1") for n in range(2)]
    rows += [row("ours", n, 0.5, metric="macro_f1") for n in range(2)]
    table = compare(pd.DataFrame(rows), None)
    entry = {**PUBLISHED[0], "class": "<b>$x_{1 | a", "metric": "f1"}
    (said,) = [sentence for sentence in findings(table, [entry], None) if "published" in sentence]
    assert said.startswith(r"steel: hv, &lt;b&gt;\$x\_{1 \| a: published F1")
    save(comparison_figure(table, [entry]), tmp_path / "figure.png")
