"""The report: what it says of the numbers beside the tables, whatever is missing from them."""

import json

import numpy as np
import pandas as pd
import pytest
from made_up_results import BASELINES, cell_row, frames, score_rows
from report_page import ReportPage

import attribute_to_facets
import compare_methods
import write_report
from polyfacet.evaluation.losses import VALIDATION
from polyfacet.evaluation.means import compare
from polyfacet.evaluation.tables import CELLS, SCORES, SUMMARY
from polyfacet.facets.registry import combination_name, facets_of
from polyfacet.materials.material import SAMPLE
from polyfacet.materials.objective_statistics import STATISTICS, statistics_of
from polyfacet.materials.objectives import Objective
from polyfacet.materials.stage_tables import TWINS
from polyfacet.runtime.parquet import write_table
from polyfacet.runtime.rejects import Reject, write_rejects
from polyfacet.sources.tables.schemas import REJECTED_ROWS
from polyfacet.splits.coverage import coverage_of, write_coverage
from polyfacet.splits.parts import SPLIT
from polyfacet.training.cells import PREDICTIONS

BLANK_OBJECTIVES = dict.fromkeys(
    ("gap", "e_form", "e_hull", "e_total", "mag_vol", "vol_atom", "dos_ef", "volume"), 0.0
)
BLANK = {
    **BLANK_OBJECTIVES,
    "prototype_id": None,
    "space_group": None,
    "n_sites": 1,
    "structure": "",
    "data": "{}",
    "source_file": "",
    "source_position": 0,
}


EVALUATION = (
    "cells",
    "predictions",
    "validation",
    "scores",
    "summary",
    "choices",
    "tests",
    "contributions",
    "interactions",
)


def summary_of(scores):
    """Mean scores over the repeats, without intervals."""
    return compare(scores, None).reindex(columns=SUMMARY.names)


def stage_file(run, name):
    """Write what the stages of two tables have rejected, made and kept."""
    paths = []
    for source, n in (("steels", 1), ("glasses", 2)):
        if name == "rejected_rows":
            path = run / source / "sample" / "rejected.parquet"
            reject = {"file": f"{source}.csv", "line": 7, "mat_id": f"{source}-7", "reason": "T is missing"}
            write_table(path, [reject], REJECTED_ROWS)
        elif name == "rejected":
            path = run / source / "composition_statistics" / "shard-0.rejected.parquet"
            rejects = [Reject(f"{source}-{i}", "too much iron") for i in range(n)]
            path.parent.mkdir(parents=True)
            write_rejects(path, rejects)
        else:
            path = run / source / "random-0" / "composition_images" / "shard-0.provenance.json"
            path.parent.mkdir(parents=True)
            path.write_text(json.dumps({"made": n, "kept": 10}))
        paths.append(path)
    return paths


def statistics_file(run, source):
    """Write the statistics of a number and of classes."""
    numbers = Objective("gap", "Band *gap*", "eV")
    classes = Objective("phase", "Phase", classes=("soft", "hard"))
    rows = [
        statistics_of(pd.Series([0.0, 1.0, 2.0, np.nan]), numbers),
        statistics_of(pd.Series(["soft", "soft", None, None], dtype=object), classes),
    ]
    path = run / source / "sample" / "objectives.parquet"
    write_table(path, rows, STATISTICS)
    return path


def test_the_report_shows_what_there_was_to_learn(report):
    page = report(cell("graph"))
    head, row = page.rows("objectives-crystals-0")
    assert head == "objective | unit | n | missing | mean | MAD | zeros | lowest | highest"
    assert row == "Band *gap* | eV | 3 | 1 | 1 | 0.6667 | 33% | 0 | 2"
    assert page.rows("objectives-crystals-1")[1] == "Phase | 2 | 2 | soft 2, hard 0"
    assert list(page.tables).index("objectives-crystals-0") < list(page.tables).index("objectives-steels-0")


@pytest.fixture
def report(tmp_path, monkeypatch):
    """Write the report of these cells; two of the five materials in the test part are elements."""
    formulas = {"a": "Cu", "b": "Fe4", "c": "NaCl", "d": "MgO", "e": "LiF", "f": "Al", "g": "KBr"}
    in_test = "abcde"
    write_table(
        tmp_path / "sample.parquet",
        [{**BLANK, "mat_id": mat_id, "formula": formula} for mat_id, formula in formulas.items()],
        SAMPLE,
    )
    (tmp_path / "crystals" / "random-0").mkdir(parents=True)
    write_table(
        tmp_path / "crystals" / "random-0" / "split.parquet",
        [
            {"mat_id": mat_id, "group": mat_id, "part": "test" if mat_id in in_test else "train"}
            for mat_id in formulas
        ],
        SPLIT,
    )
    (tmp_path / "crystals" / "sample").mkdir(parents=True)
    (tmp_path / "crystals" / "sample" / "summary.json").write_text(json.dumps({"read": 7}))
    (tmp_path / "random-0").mkdir()
    network = tmp_path / "random-0" / "network.json"
    twins = [
        {"mat_id": mat_id, "twin_group": "a", "formula": "Cu", "compared": mat_id != "f"} for mat_id in "abf"
    ]
    write_table(tmp_path / "twins-0.parquet", twins, TWINS)
    write_table(tmp_path / "twins-1.parquet", [], TWINS)

    (tmp_path / "report").mkdir()
    monkeypatch.setattr(write_report, "export_figures", lambda specs, folder: [])
    files = {name: stage_file(tmp_path, name) for name in ("rejected_rows", "rejected", "provenance")}

    coverages = [tmp_path / source / "folds-0" / "split.coverage.json" for source in ("steels", "glasses")]
    write_coverage(coverages[0], coverage_of(["a", "b", "x"], "abcdefg"))
    write_coverage(coverages[1], coverage_of("ab", "ab"))
    statistics = [statistics_file(tmp_path, source) for source in ("crystals", "steels")]

    def write(*results, has_crystals=True, published=(), **recorded):
        network.write_text(json.dumps({"kind": "random", "notes": [], **recorded}))
        cells, scores = frames([cell for cell, _ in results], [row for _, rows in results for row in rows])
        write_table(tmp_path / "cells.parquet", cells, CELLS)
        write_table(tmp_path / "scores.parquet", scores, SCORES)
        write_table(tmp_path / "predictions.parquet", [], PREDICTIONS)
        write_table(tmp_path / "validation.parquet", [], VALIDATION)
        write_table(tmp_path / "summary.parquet", summary_of(scores), SUMMARY)
        files_of = {name: tmp_path / f"{name}.parquet" for name in EVALUATION}
        inputs = [files_of[name] for name in ("cells", "validation", "scores")]
        compare_methods.main(*inputs, files_of["choices"], files_of["tests"])
        attribute_to_facets.main(*inputs, files_of["contributions"], files_of["interactions"])
        write_report.main(
            list(files_of.values()),
            retrieval=[],
            geometry=[],
            statistics=statistics,
            summaries=[tmp_path / "crystals" / "sample" / "summary.json"],
            rejected_rows=files["rejected_rows"],
            splits=[tmp_path / "crystals" / "random-0" / "split.parquet"] if has_crystals else [],
            coverages=coverages,
            networks=[network],
            twins=[tmp_path / "twins-0.parquet", tmp_path / "twins-1.parquet"],
            tokens=[],
            rejected=files["rejected"],
            provenance=files["provenance"],
            report=tmp_path / "report" / "report.html",
            figures=tmp_path / "report" / "figures",
            tables=tmp_path / "report" / "tables",
            twins_csv=tmp_path / "report" / "twins.csv",
            run_name="test",
            seed=1,
            published=published,
            configuration={"run_name": "test", "training": {"missing": {"share": 0.0}}},
            sample=tmp_path / "sample.parquet" if has_crystals else None,
        )
        return ReportPage.of(tmp_path / "report" / "report.html")

    return write


def cell(row, objective="gap", mae=1.0, **changes):
    """A cell and its scores; without an MAE it failed."""
    made = cell_row(row, objective, ok=mae is not None, **changes)
    return made, score_rows(made, mae=mae, mase=mae)


def baselines(objective="gap", mae=1.0, **changes):
    return [cell(name, objective, mae, **changes) for name in BASELINES]


def test_repeats_that_were_tested_on_the_same_materials_are_named(report, capsys):
    def repeats(*digests):
        return [
            each
            for repeat, digest in enumerate(digests)
            for each in (
                cell("text", mae=0.5, repeat=repeat, tested=digest),
                *baselines(repeat=repeat, tested=digest),
            )
        ]

    warning = "Some repeats were tested on the same materials"
    text = report(*repeats("abc", "abc")).text
    assert f"{warning}: the spread over them does not show" in text
    said = "crystals, split random: 2 repeats have 1 test part (there are few groups or materials)"
    assert said in text
    assert f"{said}; their spread says nothing" in capsys.readouterr().err
    assert "3 repeats have 2 different test parts" in report(*repeats("abc", "def", "abc")).text
    capsys.readouterr()
    assert warning not in report(*repeats("abc", "def")).text
    assert warning not in report(*repeats("abc")).text
    assert "repeats have" not in capsys.readouterr().err


@pytest.mark.parametrize(
    ("split_method", "why"),
    [
        ("highest", "the method highest always tests the same; validation rows and seeds differ"),
        ("scikit_learn", "random_state is fixed, or there are few materials"),
        ("folds", "as the file says"),
        ("removed_plugin", "there are few groups or materials"),
    ],
)
def test_the_cause_of_equal_test_parts_follows_from_the_method(report, split_method, why):
    cells = [
        cell(row, mae=0.5, repeat=repeat, split_method=split_method)
        for repeat in range(3)
        for row in ("text", "mean")
    ]
    assert f"split random: 3 repeats have 1 test part ({why})" in report(*cells).text


@pytest.mark.parametrize(
    ("split", "title"),
    [
        ("chemical_system", "split chemical_system (one repeat)"),
        # A part of a word of the label, and a word of it.
        ("a", "split a, by chemical system (one repeat)"),
        ("system", "split system, by chemical system (one repeat)"),
    ],
)
def test_titles_name_the_method_of_a_split_that_has_another_name(report, split, title):
    cells = [cell(row, mae=0.5, split=split, split_method="chemical_system") for row in ("text", "mean")]
    assert f"crystals, {title}" in report(*cells).sections["scores"]


def test_objectives_whose_repeats_share_a_test_part_are_named(report):
    cells = [
        cell(row, objective, 0.5, repeat=repeat, tested=objective if objective == "e_hull" else str(repeat))
        for repeat in range(3)
        for objective in ("gap", "e_hull")
        for row in ("text", "mean")
    ]
    said = "split random, Energy above hull: 3 repeats have 1 test part (few materials have a value)"
    assert said in report(*cells).text


def test_repeats_and_unequal_test_parts_are_reported(report):
    several = [
        cell(row, mae=0.5, repeat=i, n_test=3 + i, n_repeats=2)
        for i in range(2)
        for row in ("text", "mean", "median")
    ]
    page = report(*several)
    assert "crystals, split random (2 repeats)" in page.sections["scores"]
    assert "Band gap (eV) | automm | text | 0.500 | n/a | 0.5 | n/a | 3 to 4 | 3 to 4 | 2" in page.rows(
        "scores-crystals-random-numbers"
    )


@pytest.mark.parametrize("mae", [None, float("nan")])
def test_an_objective_without_any_number_is_named_and_not_dropped(report, mae):
    page = report(cell("text", mae=0.5), *baselines(), cell("text", "e_hull", mae), *baselines("e_hull", 1.0))
    (row,) = [
        row
        for row in page.rows("scores-crystals-random-numbers")
        if row.startswith("Energy above hull (eV/atom) | automm")
    ]
    assert row.split(" | ")[3:7] == ["n/a"] * 4
    assert "no test for" in page.sections["summary"]


def test_a_run_without_any_number_has_a_report(report):
    page = report(cell("text", mae=None), *baselines(mae=None))
    assert "3 of 3 cells failed" in page.sections["summary"]
    assert "crystals | random 0 | automm | text | Band gap | no reason" in page.rows("failed-cells")
    assert len(page.rows("failed-cells")) == 4


@pytest.mark.parametrize("mae", [None, float("nan")])
def test_baselines_that_failed_do_not_stop_the_report(report, mae):
    page = report(cell("text", mae=0.5), *baselines(mae=mae))
    assert "against the best baseline: no test for Band gap" in page.sections["summary"]


def test_elements_whose_picture_holds_the_answer_are_counted(report):
    text = report(cell(combination_name(facets_of("text+compimage")), mae=0.5), *baselines()).text
    assert "close to the objectives Band gap. This concerns 2 of the 5 test materials" in text
    assert "2 of the 5" not in report(cell("text", mae=0.5), *baselines()).text
    other_objective = report(cell("compimage", "e_form", 0.5), *baselines("e_form")).text
    assert "2 of the 5" not in other_objective


def test_the_elements_are_those_of_crystals_whatever_the_objectives_of_tables_are_called(report):
    steels = cell("compimage", "gap", 0.5, source="steels", label="Gap of the rolls", unit="mm")
    without = report(steels, *baselines(source="steels"), has_crystals=False).text
    assert "The composition image" not in without
    # The picture of the crystals is looked at for another objective.
    other = report(steels, cell("compimage", "e_form", 0.5), *baselines("e_form")).text
    assert "The composition image" not in other
    both = report(steels, cell("compimage", "gap", 0.5, label="Fundamental gap"), *baselines()).text
    assert "close to the objectives Fundamental gap. This concerns 2 of the 5 test materials" in both


def test_the_pretraining_data_are_reported_where_there_are_embeddings(report):
    pretraining, training = {"n_train": 90, "n_valid": 10}, {"n_train": 6, "n_valid": 2}
    outside = {"method": "prototype", "n_left_out": 7}
    recorded = {"pretraining": pretraining, "outside": outside, "training": training}
    text = report(cell("graph", mae=0.5), *baselines(), **recorded).text
    assert "pretrained on 90 materials (10 others selected its epoch) outside the sample" in text
    assert (
        "values of all objectives, regardless of what this run predicts: Band gap, Formation energy" in text
    )
    assert "left out materials of the groups or values that the split holds out (random-0: 7)" in text
    assert "trained on 6 materials" in text
    assert "pretrained" not in report(cell("text", mae=0.5), *baselines(), **recorded).text
    given = {"pretraining": pretraining, "outside": {"method": "folds", "n_left_out": None}}
    text = report(cell("graph", mae=0.5), *baselines(), **given).text
    assert "pretrained on 90" in text
    assert "random-0: the network was pretrained on materials that may be of the kind that the split" in text


def test_the_training_data_and_omitted_targets_are_reported_where_there_are_embeddings(report):
    training = {"n_train": 6, "n_valid": 2}
    note = "The training of the network left out e_hull: all 6 known training values are 0."
    text = report(cell("graph", mae=0.5), *baselines(), training=training, notes=[note]).text
    assert "trained on 6 materials" in text
    assert "2 others selected its epoch" in text
    assert "all objectives at once" in text
    assert "random-0: the network of the embedding could not learn everything: The training" in text
    without = report(cell("text", mae=0.5), *baselines(), training=training, notes=[note]).text
    assert "network of the embedding" not in without
    untrained = report(cell("graph", mae=0.5), *baselines()).text
    assert "all objectives at once" not in untrained


def test_rejected_made_and_kept_materials_are_reported_for_each_source(report):
    page = report(cell("text"), *baselines())
    text = page.text
    assert "steels, steels.csv, line 7, steels-7: T is missing" in text
    assert "glasses, glasses.csv, line 7, glasses-7: T is missing" in text
    assert "steels, composition_statistics: 1 x too much iron" in text
    assert "glasses, composition_statistics: 2 x too much iron" in text
    assert "steels | composition_images | 1 | 10" in page.rows("work")
    assert "glasses | composition_images | 2 | 10" in page.rows("work")


def test_of_many_reasons_the_most_frequent_are_shown_and_the_others_counted(report, tmp_path):
    path = tmp_path / "glasses" / "composition_statistics" / "shard-0.rejected.parquet"
    write_rejects(path, [Reject(f"m{i}", f"{i % 100} is too much") for i in range(101)])
    page = report(cell("text"), *baselines())
    text = page.text
    assert "2 x 0 is too much" in text
    assert text.count("is too much") == 19
    assert "81 more, for 81 other reasons (*.rejected.parquet)" in text


def test_twins_are_counted_and_listed(report, tmp_path):
    page = report(cell("text"), *baselines())
    text = page.text
    assert "3 materials form 1 twin groups" in text
    assert "1 of them were not compared" in text
    assert (tmp_path / "report" / "twins.csv").read_text().splitlines() == [
        "mat_id,twin_group,formula,compared",
        "a,a,Cu,True",
        "b,a,Cu,True",
        "f,a,Cu,False",
    ]


def test_materials_without_a_part_and_parts_without_a_material_are_counted(report):
    page = report(cell("text", n_without_part=5), *baselines(n_without_part=5))
    text = page.text
    assert "crystals | automm | text | 8 | 1 | 3 | 0 | 5" in page.rows("rows-of-cells")
    assert (
        "steels/folds-0: 5 of 7 materials have no part and are in no cell (c, d, e, f, g); "
        "1 identifier with a part is not in the sample (x)" in text
    )
    assert "glasses/folds-0" not in text


def test_rivals_that_were_tested_on_other_materials_are_named(report):
    even = report(cell("text"), cell("image"), *baselines())
    assert "Not all cells predicted" not in even.text
    assert "crystals | automm | text | 8 | 1 | 3 | 0" in even.rows("rows-of-cells")
    cells = [cell("text"), cell("image", n_test=2, n_missing=2, tested="ab"), *baselines()]
    uneven = report(*cells, cell("text", "e_form"), cell("image", "e_form"), *baselines("e_form"))
    assert "Not all cells predicted the same test materials" in uneven.text
    assert "This concerns Band gap." in uneven.text
    assert "crystals | automm | image | 8 | 1 | 2 to 3 | 0 to 2" in uneven.rows("rows-of-cells")


def test_a_failed_cell_is_not_a_rival(report):
    page = report(cell("text"), cell("image", mae=None, n_test=0, tested="none"), *baselines())
    assert "Not all cells predicted" not in page.text
