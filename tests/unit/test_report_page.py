"""The page of a report: sentences follow from tests, figures have captions, texts of users have no effect."""

import re
from itertools import pairwise
from pathlib import Path

import pandas as pd
import pytest
from evaluated_run import MadeUpRun
from PIL import Image
from report_page import ReportPage

from polyfacet.evaluation.tables import CELLS
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
        *("MASE", "95 % interval", "MAE", "R²", "test rows", "non-trivial", "repeats")
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


def test_a_score_below_its_floor_is_a_warning(run: MadeUpRun, page: ReportPage, tmp_path: Path) -> None:
    assert "no cell that looks at the composition alone is below its floor" in page.sections["leakage"]
    place = {"source": "crystals", "split": "formula", "repeat": 0, "method": "ridge", "combination": "text"}
    below = pd.DataFrame([{"run": "x", **place, "objective": "gap", "mase": 0.005, "floor_mase": 0.01}])
    below.to_parquet(tmp_path / "below_floor.parquet")
    files = [tmp_path / path.name if path.stem == "below_floor" else path for path in run.files]
    warned = ReportPage(render("x", sections_of_report(Results(files), [], {}, ABOUT)))
    assert "1 cells that look at the composition alone are below the floor" in warned.sections["leakage"]
    assert warned.rows("below-floor-crystals-formula")[1] == "Band gap | ridge | text | 0 | 0.005 | 0.010"


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
