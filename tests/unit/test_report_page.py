"""The page of a report: sentences follow from tests, figures have captions, texts of users have no effect."""

import re
from itertools import pairwise
from pathlib import Path

import pandas as pd
import pytest
from evaluated_run import MadeUpRun
from PIL import Image
from report_page import ReportPage

import compare_methods
from polyfacet.evaluation.losses import VALIDATION
from polyfacet.evaluation.tables import CELLS, SCORES
from polyfacet.reporting.numbers import number_range
from polyfacet.reporting.page.csv_tables import CHOSEN, write_csv_tables
from polyfacet.reporting.page.document import sections_of_report
from polyfacet.reporting.page.parts import MAX_ROWS, Paragraph, Section, Table, Value
from polyfacet.reporting.page.published import published_scores
from polyfacet.reporting.page.rendering import render, script_json, specs_of
from polyfacet.reporting.page.results import Results
from polyfacet.runtime.parquet import write_table

SECTIONS = [
    *("summary", "scores", "heatmap", "contributions", "tests", "parity", "errors", "worst", "leakage"),
    *("intervals", "costs", "materials", "provenance"),
]
ABOUT = {"run": "made up", "seed": 1, "configuration": {"seed": 1}}
HOSTILE = "</script><img src=x onerror=alert(1)>"


def page_of(run: MadeUpRun, pictures: dict[str, Path] | None = None) -> ReportPage:
    """Render the report of a made-up run."""
    sections = sections_of_report(Results(run.files), [Paragraph("materials")], pictures or {}, ABOUT)
    exported = specs_of(figure for section in sections for figure in section.figures)
    return ReportPage(render("made up", sections, exported))


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> MadeUpRun:
    folder = tmp_path_factory.mktemp("runs") / "full"
    objectives, classes = ("gap", "vol_atom"), {"phase": ("soft", "hard")}
    return (
        MadeUpRun(folder, objectives=objectives, classes=classes, methods={"ridge": 3, "automm": 1})
        .write()
        .audit()
    )


@pytest.fixture(scope="module")
def page(run: MadeUpRun, tmp_path_factory: pytest.TempPathFactory) -> ReportPage:
    picture = tmp_path_factory.mktemp("pictures") / "a.png"
    Image.new("RGB", (300, 300), (200, 30, 30)).save(picture)
    return page_of(run, {"m0000": picture})


def test_the_page_is_closed_html_with_headings_in_order(page: ReportPage) -> None:
    assert page.unclosed == []
    assert list(page.sections) == SECTIONS
    levels = [int(tag[1]) for tag, _ in page.tags if re.fullmatch(r"h\d", tag)]
    assert levels[0] == 1
    assert levels.count(1) == 1
    assert all(after - before <= 1 for before, after in pairwise(levels))
    ids = [attributes["id"] for _, attributes in page.tags if "id" in attributes]
    assert len(ids) == len(set(ids))
    links = [
        attributes["href"] for tag, attributes in page.tags if tag == "a" if attributes["href"][0] == "#"
    ]
    assert {link[1:] for link in links} == set(SECTIONS)


def test_nothing_is_loaded_from_elsewhere(page: ReportPage) -> None:
    for tag, attributes in page.tags:
        assert not {"src", "href", "srcset"} & attributes.keys() or tag in ("a", "img")
        if tag == "img":
            assert attributes["src"].startswith("data:image/png;base64,")
            assert attributes["alt"]
        if tag == "a":
            assert re.match(r"#|figures/|tables/", attributes["href"])
    assert page.html.count("plotly.js v") == 1


def test_every_figure_has_a_caption_and_files(page: ReportPage) -> None:
    drawn = {
        attributes["data-figure"]: attributes for _, attributes in page.tags if "data-figure" in attributes
    }
    assert drawn.keys() == page.figures.keys()
    kinds = {name.split("-")[0] for name in drawn}
    assert {"mase", "contributions", "interactions", "tests", "parity", "confusion"} <= kinds
    assert {"elements", "errors", "coverage", "costs"} <= kinds
    for name, attributes in drawn.items():
        assert re.search(r"\d", attributes["aria-label"]), "says on how many rows"
        for form in ("png", "svg"):
            assert f'href="figures/{name}.{form}"' in page.html


def test_every_sentence_of_the_summary_is_a_row_of_the_tests(run: MadeUpRun, page: ReportPage) -> None:
    tests = pd.read_parquet(run.evaluation / "tests.parquet")
    tested = tests[tests["n_repeats"] > 1]
    assert len(tested) == 9
    said = page.sections["summary"]
    for _, row in tested.iterrows():
        numbers = (
            f"{row['loss']:.3f} against {row['rival_loss']:.3f}, difference {row['difference']:+.3f} "
            f"(95\u00a0% interval {row['low']:+.3f} to {row['high']:+.3f})"
        )
        assert " ".join(numbers.split()) in said
    assert said.count(" interval ") == len(tested)
    for verdict, n in tests["verdict"].value_counts().items():
        shown = re.findall(rf"(\d+) {verdict}", said)
        assert sum(map(int, shown)) == n
    assert "automm was trained on 1 of 3 repeats" in said
    assert "16 test rows each" in said


def test_worse_is_shown_as_better_is(run: MadeUpRun, tmp_path: Path) -> None:
    tests = pd.read_parquet(run.evaluation / "tests.parquet")
    tests["verdict"] = ["better", "worse", "practically equal"] * 3
    tests.to_parquet(tmp_path / "tests.parquet")
    files = [tmp_path / path.name if path.stem == "tests" else path for path in run.files]
    page = ReportPage(render("x", sections_of_report(Results(files), [], {}, ABOUT)))
    said = page.sections["summary"]
    assert said.count("several facets are worse than the best single facet.") == 1
    assert said.count("several facets are better than the best single facet.") == 1
    assert said.count("several facets and the best single facet are practically equal.") == 1
    classes = [
        attributes["class"] for tag, attributes in page.tags if tag == "span" and "class" in attributes
    ]
    assert classes.count("verdict worse") == classes.count("verdict better") == 6


def test_scores_have_their_rows_intervals_and_marks(run: MadeUpRun, page: ReportPage) -> None:
    rows = page.rows("scores-crystals-formula-numbers")
    head, *body = rows
    assert head.split(" | ")[3:] == [
        *("MASE", "95 % interval", "shared", "MAE", "R²", "test rows", "non-trivial", "repeats")
    ]
    assert len(body) == 2 * (2 * 3 + 1)
    assert all(re.search(r"\d to \d", row) for row in body)
    flagged = [row.split(" | ")[:3] for row in body if "†" in row]
    assert len(flagged) == 4
    assert all("graph" in facets for _, _, facets in flagged)
    assert {row.split(" | ")[1]: row.split(" | ")[-1] for row in body} == {
        "ridge": "3",
        "automm": "1",
        "mean": "3",
    }
    assert len(page.rows("scores-crystals-formula-classes")) == 1 + 7
    assert "Description, not a test" in page.sections["scores"]
    # All objectives of a heatmap, with marks.
    (texts,) = [each for each in page.figures["mase-crystals-formula-0"]["data"] if each["type"] == "scatter"]
    assert any("†" in text for text in texts["text"])


def test_tables_can_be_sorted_with_the_keyboard(page: ReportPage) -> None:
    headings = [attributes for tag, attributes in page.tags if tag == "th"]
    assert all(attributes["aria-sort"] == "none" and attributes["scope"] == "col" for attributes in headings)
    assert sum(tag == "button" for tag, _ in page.tags) == len(headings)
    assert all("data-s" in attributes for tag, attributes in page.tags if tag == "td")


def test_worst_predictions_have_pictures(page: ReportPage) -> None:
    head, *rows = page.rows("worst-crystals-formula")
    assert head.startswith("picture | objective | formula")
    assert any(row.startswith("no picture |") for row in rows)
    assert sum(tag == "img" for tag, _ in page.tags) >= 1


def test_errors_are_relative_to_that_of_all(run: MadeUpRun, tmp_path: Path) -> None:
    # A is in all ten materials, B in two of them: weighted by elements, the mean error would be 1.67.
    of_all = pd.read_parquet(run.evaluation / "errors_by_group.parquet").query("kind == 'all'")
    groups = [("all", "all", 10, 1.0), ("element", "A", 10, 1.0), ("element", "B", 2, 5.0)]
    errors = pd.concat(
        of_all.assign(kind=kind, group=group, n=n, n_materials=n, mae=mae) for kind, group, n, mae in groups
    )
    errors.to_parquet(tmp_path / "errors_by_group.parquet")
    files = [tmp_path / path.name if path.stem == "errors_by_group" else path for path in run.files]
    shown = ReportPage(render("x", sections_of_report(Results(files), [], {}, ABOUT)))
    found = [row.split(" | ") for row in shown.rows("errors-crystals-formula-table")[1:]]
    assert {(group, relative) for _, _, group, _, _, _, relative, *_ in found} == {
        *(("all", "1.00"), ("A", "1.00"), ("B", "5.00"))
    }


def test_the_mean_coverage_has_an_interval(page: ReportPage) -> None:
    coverage = r"0\.\d{3} \(95 % interval 0\.\d{3} to [01]\.\d{3}\)"
    said = rf"of the cells that validation rows chose: {coverage}; of all cells: {coverage}\."
    assert re.search(said, page.sections["intervals"])
    # Another mean of the same coverages would seem to contradict it.
    assert "mean over all" not in page.sections["intervals"]


def test_a_score_below_its_floor_is_a_warning(run: MadeUpRun, page: ReportPage, tmp_path: Path) -> None:
    assert "no cell that looks at the composition alone is below its floor" in page.sections["leakage"]
    place = {"source": "crystals", "split": "formula", "repeat": 0, "method": "ridge", "combination": "text"}
    found = {"objective": "gap", "mase": 0.005, "floor_mase": 0.01, "n_test": 16, "n_nontrivial": 11}
    below = pd.DataFrame([{"run": "x", **place, **found}])
    below.to_parquet(tmp_path / "below_floor.parquet")
    files = [tmp_path / path.name if path.stem == "below_floor" else path for path in run.files]
    warned = ReportPage(render("x", sections_of_report(Results(files), [], {}, ABOUT)))
    assert "1 cells that look at the composition alone are below the floor" in warned.sections["leakage"]
    (row,) = warned.rows("below-floor-crystals-formula")[1:]
    assert row == "Band gap | ridge | text | 0 | 0.005 | 0.010 | 16 | 11"


def test_every_number_is_in_a_csv(run: MadeUpRun, tmp_path: Path) -> None:
    results = Results(run.files)
    write_csv_tables(results, tmp_path)
    names = {path.stem for path in run.files} - {"predictions"} | {CHOSEN}
    assert {path.stem for path in tmp_path.iterdir()} == names
    cells = pd.read_csv(tmp_path / "cells.csv")
    assert cells["classes"].iloc[0] == "[]"
    assert '["soft", "hard"]' in set(cells["classes"])
    chosen = pd.read_csv(tmp_path / f"{CHOSEN}.csv")
    assert len(chosen) == 2 * 3 * 3 * run.n_test
    assert set(chosen["part"]) == {"test"}


def test_published_scores_are_shown_beside_ours(run: MadeUpRun) -> None:
    entry = {"source": "crystals", "method": "ridge", "combination": "text+graph", "objective": "gap"}
    entry |= {"metric": "r2", "value": 0.9, "published_in": "A & B <2020>", "split": "formula"}
    results = Results(run.files)
    parts = published_scores(results, [entry])
    page = ReportPage(render("x", [Section("a", "A", "", parts)]))
    (row,) = page.rows("published")[1:]
    assert row.startswith("crystals: Band gap | ridge: text+graph | formula | R2 | 0.9 | ")
    scored = results["scores"].query("method == 'ridge' and combination == 'text+graph' and metric == 'r2'")
    rows = scored.query("objective == 'gap'")
    assert row.split(" | ")[6] == str(run.n_test)
    assert row.split(" | ")[7] == number_range(rows["n_nontrivial"])
    assert row.endswith("not declared whether the settings are the same | A & B <2020>")
    assert published_scores(results, []) == []


def test_texts_of_users_have_no_effect(run: MadeUpRun, tmp_path: Path) -> None:
    cells = pd.read_parquet(run.evaluation / "cells.parquet")
    cells["label"] = HOSTILE
    cells["unit"] = HOSTILE
    cells.loc[cells.index[0], ["status", "reason"]] = "failed", HOSTILE
    write_table(tmp_path / "cells.parquet", cells, CELLS)
    worst = pd.read_parquet(run.evaluation / "worst.parquet").assign(formula=HOSTILE, mat_id=HOSTILE)
    worst.to_parquet(tmp_path / "worst.parquet")
    files = [tmp_path / path.name if path.stem in ("cells", "worst") else path for path in run.files]
    sections = sections_of_report(Results(files), [Paragraph(HOSTILE)], {}, {**ABOUT, "run": HOSTILE})
    page = ReportPage(render(HOSTILE, sections))
    assert page.unclosed == []
    assert not any("onerror" in attributes for _, attributes in page.tags)
    assert sum(tag == "script" for tag, _ in page.tags) == 3
    specs = str(page.figures)
    assert "<img" not in specs
    assert "&lt;img" in specs


def test_json_cannot_end_its_script() -> None:
    assert script_json({"a": "</script>&\u2028"}) == '{"a":"\\u003c/script\\u003e\\u0026\\u2028"}'
    with pytest.raises(ValueError, match="not JSON compliant"):
        script_json(float("nan"))


def test_long_tables_are_cut_and_say_so() -> None:
    rows = [[Value(str(i), float(i))] for i in range(MAX_ROWS + 5)]
    page = ReportPage(render("x", [Section("a", "A", "", [Table("t", "Numbers.", ["n"], rows)])]))
    assert len(page.rows("t")) == 1 + MAX_ROWS
    assert f"The first {MAX_ROWS} of {MAX_ROWS + 5} rows; the CSV has all." in page.text


@pytest.fixture(scope="module")
def untested(tmp_path_factory: pytest.TempPathFactory) -> ReportPage:
    """Page of a run whose repeats share a test part for one split, with a control and a shared choice."""
    run = (
        MadeUpRun(tmp_path_factory.mktemp("runs") / "x", methods={"ridge": 3}, n_materials=40).write().audit()
    )
    tests = pd.read_parquet(run.evaluation / "tests.parquet")
    numbers = ["low", "high", "p", "p_holm", "p_equal", "p_equal_holm"]
    is_untested = tests["objective"] == "gap"
    tests.loc[is_untested, numbers] = float("nan")
    tests.loc[is_untested, ["verdict", "reason"]] = "undecided", "a reason"
    tests.to_parquet(run.evaluation / "tests.parquet")
    return page_of(run)


def test_a_comparison_without_a_test_has_no_verdict(untested: ReportPage) -> None:
    assert not re.search(r"\bnan\b", untested.html.split("<script")[0], re.IGNORECASE)
    said = untested.sections["summary"]
    assert said.count("1 not tested") == 3
    assert not re.search(r"Band gap: .* (better|worse|equal|decide)", said.split("Not tested")[0])
    assert "several facets against the best single facet: no test for Band gap (a reason)" in said
    rows = untested.rows("tests-crystals-formula-multi-vs-single")
    assert rows[1].split(" | ")[:2] == ["Band gap", "not tested: a reason"]
    assert "correction over 1 tested objectives" not in untested.text
    points = [
        each for each in untested.figures["tests-crystals-formula"]["data"] if each["type"] == "scatter"
    ]
    assert len(points) == 3
    assert "Without a point: not tested." in untested.text


def test_verdicts_about_cells_that_see_the_answer_are_marked(run: MadeUpRun, page: ReportPage) -> None:
    said = page.sections["summary"]
    choices = pd.read_parquet(run.evaluation / "choices.parquet").query("objective == 'vol_atom'")
    assert choices.loc[choices["role"] == "multi", "combination"].str.contains("graph").all()
    assert re.search(r"Volume †: .*Chosen most often: ridge text \+ graph \(3 of 3\) †; rival", said)
    assert "Band gap †" not in said
    assert "read off rather than predicted" in said
    assert "read off rather than predicted" in page.sections["tests"]
    assert any("†" in row for row in page.rows("tests-crystals-formula-multi-vs-single"))
    own = [row for row in page.rows("contributions-crystals-formula-table") if "Volume" in row]
    assert own
    assert all(row.startswith("Volume †") for row in own)
    assert page.sections["contributions"].count("what they contribute is the answer") == 4
    assert "{" not in page.sections["contributions"]


def test_untrained_encoders_are_called_controls(tmp_path: Path) -> None:
    run = MadeUpRun(tmp_path / "run", methods={"ridge": 2}, n_repeats=2, n_materials=40, untrained=("graph",))
    page = page_of(run.write())
    said = page.sections["summary"]
    assert "graph: 2 combinations of method and facets use an untrained encoder. They are controls" in said
    facets = {row.split(" | ")[2] for row in page.rows("scores-crystals-formula-numbers")[1:]}
    assert facets == {"text", "graph (untrained control)", "text + graph (untrained control)", "no facet"}
    assert "'text+graph (untrained control)'" in str(page.figures["mase-crystals-formula-0"])
    choices = pd.read_parquet(run.evaluation / "choices.parquet")
    assert set(choices["combination"]) == {"text", "none"}


def test_fewer_objectives_of_a_method_are_told(tmp_path: Path) -> None:
    methods = {"ridge": 2, "automm": 2}
    run = MadeUpRun(
        tmp_path / "run", methods=methods, n_repeats=2, n_materials=40, lacking=[("automm", "e_form")]
    )
    said = page_of(run.write()).sections["summary"].split("Not tested")[1]
    assert "automm was not trained on Formation energy: it could not be chosen for these objectives" in said
    assert said.count("was not trained on") == 1


def test_a_method_without_any_cell_on_a_split_is_named_there(tmp_path: Path) -> None:
    run = MadeUpRun(tmp_path / "run", lacking=[("boosting", "gap")])
    results = Results(run.write().files)
    of_gap = results.cells[results.cells["objective"] == "gap"]
    results.cells = pd.concat([results.cells, of_gap.assign(split="extremes")], ignore_index=True)
    assert {place.split: results.lacking_objectives(place) for place in results.places} == {
        "formula": {"boosting": ["gap"]},
        "extremes": {"boosting": ["gap"]},
    }


def test_only_numbers_are_missing_in_means_over_objectives(tmp_path: Path) -> None:
    classes = {"phase": ("a", "b")}
    run = MadeUpRun(
        tmp_path / "run", classes=classes, methods={"ridge": 3, "trees": 3}, lacking=[("trees", "phase")]
    )
    said = page_of(run.write()).sections["summary"].split("Not tested")[1]
    assert "trees was not trained on Phase: it could not be chosen for these objectives." in said


def test_pretrained_networks_are_marked_wherever_something_is_concluded(tmp_path: Path) -> None:
    run = MadeUpRun(tmp_path / "run", objectives=("gap", "e_form"), facets="text+graph:chgnet")
    page = page_of(run.write())
    for name in ("summary", "tests", "contributions", "parity", "scores", "leakage"):
        assert "‡" in page.sections[name], name
    assert "perhaps on these materials" in page.sections["summary"]
    # CHGNet was trained on energies, not on gaps.
    assert "Formation energy ‡" in page.sections["tests"]
    assert "Band gap ‡" not in page.html


def test_contributions_say_over_which_facets_they_are(tmp_path: Path) -> None:
    complete = MadeUpRun(tmp_path / "complete", facets="text+graph+compimage")
    said = page_of(complete.write()).sections["contributions"]
    for absent in ("do not compare", "Not shown", "starts from a loss of 1"):
        assert absent not in said
    failed = [(method, "text+graph+compimage", "gap") for method in ("ridge", "boosting")]
    run = MadeUpRun(tmp_path / "run", facets="text+graph+compimage", failed=failed)
    said = page_of(run.write()).sections["contributions"]
    assert "Band gap: text + graph; Formation energy: text + graph + compimage" in said
    # Text and graph are one of three pairs; the others are named beside all figures and the table of values.
    assert said.count("Not shown: values over text + compimage; graph + compimage") == 3


def test_contributions_say_from_where_the_reduction_starts(tmp_path: Path) -> None:
    run = MadeUpRun(tmp_path / "run", failed=[("mean", "none", "gap")])
    assert page_of(run.write()).sections["contributions"].count("starts from a loss of 1") == 3


def test_every_table_of_scores_has_numbers_of_rows(page: ReportPage) -> None:
    tables = [name for name in page.tables if name.startswith(("scores-", "tests-"))]
    assert len(tables) == 7
    for name in tables:
        head = page.rows(name)[0].split(" | ")
        at = head.index("test rows"), head.index("non-trivial")
        assert all(re.match(r"\d", row.split(" | ")[i]) for row in page.rows(name)[1:] for i in at)
    assert "16 test rows (" in page.sections["heatmap"]


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"n_repeats": 1, "methods": {"ridge": 1}}, "(one repeat)"),
        ({"objectives": (), "classes": {"phase": ("soft", "hard")}}, "No objective of this run is numeric."),
        ({"source": "steels", "facets": "text"}, "no cell of several facets"),
        ({"facets": "", "methods": {}}, "no cell of a single facet"),
        ({"failed": [("ridge", "text", "gap")]}, "cells failed"),
    ],
)
def test_a_page_says_what_its_run_does_not_have(tmp_path: Path, changes: dict, said: str) -> None:
    options = {"objectives": ("gap",), "methods": {"ridge": 2}, "n_repeats": 2, "n_materials": 40, **changes}
    page = page_of(MadeUpRun(tmp_path / "run", **options).write())
    assert list(page.sections) == SECTIONS
    assert said in page.text
    assert "nan" not in re.findall(r"[a-z]+", page.text)


@pytest.fixture(scope="module")
def uneven(tmp_path_factory: pytest.TempPathFactory) -> tuple[MadeUpRun, ReportPage]:
    """Run in which a method has one of three repeats, whose test parts have 12, 14 and 16 materials."""
    run = MadeUpRun(
        tmp_path_factory.mktemp("runs") / "uneven",
        classes={"phase": ("soft", "hard")},
        methods={"ridge": 3, "boosting": 1},
        n_test=12,
        growth=2,
        untrained=("graph",),
    )
    return run, page_of(run.write().audit())


def columns_of(page: ReportPage, table: str, *names: str) -> list[tuple[str, ...]]:
    """Return these columns of a table."""
    head, *rows = (row.split(" | ") for row in page.rows(table))
    return [tuple(row[head.index(name)] for name in names) for row in rows]


def test_test_rows_are_those_of_the_repeats_of_each_method(uneven: tuple[MadeUpRun, ReportPage]) -> None:
    _, page = uneven
    tables = {"scores-crystals-formula-all": 2}
    tables |= dict.fromkeys(
        [f"scores-crystals-formula-{name}" for name in ("numbers", "classes", "per-class")], 1
    )
    for name, n in tables.items():
        assert set(columns_of(page, name, "method", "test rows", "repeats")) == {
            ("boosting", f"{12 * n}", "1"),
            ("ridge", f"{12 * n} to {16 * n}", "3"),
            ("mean", f"{12 * n} to {16 * n}", "3"),
        }
    assert "In each repeat, all methods of an objective are scored on the same test rows." in page.text
    assert page.sections["scores"].count("Test rows are those of each repeat") == 2


def test_methods_with_different_repeats_are_compared_on_those_that_all_have(
    uneven: tuple[MadeUpRun, ReportPage],
) -> None:
    run, page = uneven
    scores = pd.read_parquet(run.evaluation / "scores.parquet")
    first = scores[(scores["repeat"] == 0) & (scores["class"] == "all")]
    shared = first.set_index(["objective", "method", "combination", "metric"])["value"]
    assert page.sections["scores"].count("the mean over the 1 repeat that all methods have") == 4
    ranked = columns_of(page, "scores-crystals-formula-all", "method", "facets", "shared")
    plain = [(m, f.replace(" (untrained control)", "").replace(" + ", "+")) for m, f, _ in ranked]
    found = [shared["all", m, "none" if f == "no facet" else f, "mase"] for m, f in plain]
    assert [value for *_, value in ranked] == [f"{value:.3f}" for value in found]
    assert found == sorted(found)
    assert {m for m, _ in plain} == {"ridge", "boosting", "mean"}
    numbers = columns_of(page, "scores-crystals-formula-numbers", "objective", "method", "facets", "shared")
    assert f"{shared['gap', 'ridge', 'text', 'mase']:.3f}" in [
        value for *key, value in numbers if key == ["Band gap (eV)", "ridge", "text"]
    ]


def test_no_heatmap_mixes_test_rows(uneven: tuple[MadeUpRun, ReportPage]) -> None:
    run, page = uneven
    scores = pd.read_parquet(run.evaluation / "scores.parquet").query(
        "metric == 'mase' and objective == 'gap'"
    )
    of_mean = scores[scores["method"] == "mean"].set_index("repeat")["value"]
    drawn = {}
    for name, figure in page.figures.items():
        if name.startswith("mase-"):
            (colors,) = [each for each in figure["data"] if each["type"] == "heatmap"]
            drawn[name] = dict(zip(figure["layout"]["yaxis"]["ticktext"], colors["z"], strict=True))
    whole, once = drawn["mase-crystals-formula-0"], drawn["mase-crystals-formula-1"]
    assert list(whole)[-1] == "mean"
    assert whole["mean"][0] == pytest.approx(of_mean.mean(), abs=1e-4)
    (name,) = [name for name in once if name.startswith("mean")]
    assert once[name][0] == pytest.approx(of_mean[0], abs=1e-4)
    said = page.sections["heatmap"]
    assert "methods (1 of 3 repeats)" in said
    assert "over the 3 repeats, on 12 to 16 test rows (" in said
    assert "over the 1 repeat that all methods have, as some rows have no others, on 12 test rows (" in said


def test_intervals_and_zeros_of_fewer_repeats_have_tables_of_their_own(
    uneven: tuple[MadeUpRun, ReportPage],
) -> None:
    _, page = uneven
    for name in ("intervals", "zeros"):
        whole, once = (
            columns_of(page, f"{name}-crystals-formula{end}", "method") for end in ("", "-1-repeats")
        )
        assert {method for (method,) in whole} == {"ridge", "mean"}
        assert {method for (method,) in once} == {"ridge", "boosting", "mean"}
    assert page.sections["intervals"].count("over the 1 repeat of boosting, for all methods") == 2


def test_controls_are_marked_wherever_cells_are_named(uneven: tuple[MadeUpRun, ReportPage]) -> None:
    run, page = uneven
    control = "graph (untrained control)"
    for name, rows in page.tables.items():
        head = rows[0]
        if name.startswith(("scores-", "intervals-", "zeros-", "rows-")) and "facets" in head:
            named = {row[head.index("facets")] for row in rows[1:]}
            assert named == {"text", control, f"text + {control}", "no facet"}, name
    pairs = {pair for (pair,) in columns_of(page, "interactions-crystals-formula-table", "pair")}
    assert pairs == {f"text + {control}"}
    assert set(columns_of(page, "contributions-crystals-formula-table", "method", "facet")) == {
        (method, facet) for method in ("ridge", "boosting (1 of 3 repeats)") for facet in ("text", control)
    }
    for name in ("contributions", "interactions"):
        assert control in str(page.figures[f"{name}-crystals-formula"])
        assert page.sections["contributions"].count("A facet whose encoder is untrained is called") == 2
    (colors,) = [
        each for each in page.figures["mase-crystals-formula-0"]["data"] if each["type"] == "heatmap"
    ]
    assert any(
        f"ridge: text + {control}\n" in text.replace("<br>", "\n")
        for row in colors["customdata"]
        for text in row
    )
    assert f"text + {control}" in str(page.figures["coverage-crystals-formula"])
    assert "boosting (1 of 3 repeats)" in str(page.figures["costs-crystals-formula"])
    assert ("ridge", "18") in columns_of(page, "costs-crystals-formula-table", "method", "controls")
    below = pd.DataFrame(
        [
            {
                **{"run": "x", "source": "crystals", "split": "formula", "repeat": 0, "method": "ridge"},
                **{"combination": "graph", "objective": "gap", "mase": 0.005, "floor_mase": 0.01},
                **{"n_test": 16, "n_nontrivial": 11},
            }
        ]
    )
    below.to_parquet(run.folder / "below_floor.parquet")
    files = [run.folder / path.name if path.stem == "below_floor" else path for path in run.files]
    warned = ReportPage(render("x", sections_of_report(Results(files), [], {}, ABOUT)))
    assert columns_of(warned, "below-floor-crystals-formula", "facets") == [(control,)]


def test_tests_show_the_rows_of_the_repeats_they_are_made_of(
    uneven: tuple[MadeUpRun, ReportPage], tmp_path: Path
) -> None:
    run, page = uneven
    assert "3 repeats, 12 to 16 test rows each" in page.sections["summary"]
    cells, validation = (
        pd.read_parquet(run.evaluation / f"{name}.parquet") for name in ("cells", "validation")
    )
    scores = pd.read_parquet(run.evaluation / "scores.parquet")
    # All test values of the last repeat are equal.
    scores.loc[(scores["repeat"] == 2) & (scores["metric"] == "mase"), "value"] = float("nan")
    for name, table, schema in (
        ("cells", cells, CELLS),
        ("validation", validation, VALIDATION),
        ("scores", scores, SCORES),
    ):
        write_table(tmp_path / f"{name}.parquet", table, schema)
    changed = ["choices", "tests"]
    compare_methods.main(
        *(tmp_path / f"{name}.parquet" for name in ("cells", "validation", "scores", *changed))
    )
    files = [tmp_path / path.name if path.stem in changed else path for path in run.files]
    page = ReportPage(render("x", sections_of_report(Results(files), [], {}, ABOUT)))
    said = page.sections["summary"]
    left_out = "repeat 2: all test values are equal"
    assert f"2 repeats (left out: {left_out}), 12 to 14 test rows each" in said
    assert re.search(r"Band gap: .*?Chosen most often: [^(]*\([12] of 2\); rival: [^(]*\([12] of 2\)", said)
    assert f"Repeats left out: Band gap, {left_out}" in page.sections["tests"]
    rows = columns_of(page, "tests-crystals-formula-single-vs-baseline", "objective", "repeats", "test rows")
    assert rows == [
        ("Band gap", "2", "12 to 14"),
        ("Formation energy", "2", "12 to 14"),
        ("Phase", "3", "12 to 16"),
    ]
    assert "mean difference over 2 to 3 repeats" in page.sections["tests"]
