"""The report: what it says of the numbers beside the tables, whatever is missing from them."""

import json

import numpy as np
import pandas as pd
import pytest
from made_up_results import BASELINES, cell_row, frames, score_rows

import tabulate_results
import write_report
from polyfacet.evaluation.tables import CELLS, SCORES
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
    text = report(cell("graph"))
    section = text[text.index("## Objectives") :]
    assert (
        "crystals:\n\n| objective | unit | n | missing | mean | MAD | zeros | lowest | highest |" in section
    )
    assert "| Band \\*gap\\* | eV | 3 | 1 | 1 | 0.6667 | 33% | 0 | 2 |" in section
    assert "| Phase | 2 | 2 | soft 2, hard 0 |" in section
    assert section.index("crystals:") < section.index("steels:")


@pytest.fixture
def report(tmp_path):
    """Write the report of these cells; two of the five materials in the test part are elements."""
    formulas = {"a": "Cu", "b": "Fe4", "c": "NaCl", "d": "MgO", "e": "LiF", "f": "Al", "g": "KBr"}
    in_test = "abcde"
    write_table(
        tmp_path / "sample.parquet",
        [{**BLANK, "mat_id": mat_id, "formula": formula} for mat_id, formula in formulas.items()],
        SAMPLE,
    )
    write_table(
        tmp_path / "split.parquet",
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
    files = {name: stage_file(tmp_path, name) for name in ("rejected_rows", "rejected", "provenance")}

    coverages = [tmp_path / source / "folds-0" / "split.coverage.json" for source in ("steels", "glasses")]
    write_coverage(coverages[0], coverage_of(["a", "b", "x"], "abcdefg"))
    write_coverage(coverages[1], coverage_of("ab", "ab"))
    statistics = [statistics_file(tmp_path, source) for source in ("crystals", "steels")]

    def write(*results, has_crystals=True, **recorded):
        network.write_text(json.dumps({"kind": "random", "notes": [], **recorded}))
        cells, scores = frames([cell for cell, _ in results], [row for _, rows in results for row in rows])
        write_table(tmp_path / "cells.parquet", cells, CELLS)
        write_table(tmp_path / "scores.parquet", scores, SCORES)
        tables = [tmp_path / name for name in ("mae.csv", "mase.csv", "tables.md")]
        tabulate_results.main(
            tmp_path / "cells.parquet", tmp_path / "scores.parquet", *tables, reference=None, published=[]
        )
        write_report.main(
            tmp_path / "cells.parquet",
            tmp_path / "tables.md",
            *(tmp_path / name for name in ("mase_heatmap.png", "mae_bars.png", "comparison.png")),
            statistics=statistics,
            summaries=[tmp_path / "crystals" / "sample" / "summary.json"],
            rejected_rows=files["rejected_rows"],
            splits=[tmp_path / "split.parquet"] if has_crystals else [],
            coverages=coverages,
            networks=[network],
            twins=[tmp_path / "twins-0.parquet", tmp_path / "twins-1.parquet"],
            tokens=[],
            rejected=files["rejected"],
            provenance=files["provenance"],
            report=tmp_path / "report" / "report.md",
            twins_csv=tmp_path / "report" / "twins.csv",
            run_name="test",
            sample=tmp_path / "sample.parquet" if has_crystals else None,
        )
        return (tmp_path / "report" / "report.md").read_text()

    return write


def cell(row, objective="gap", mae=1.0, **changes):
    """A cell and its scores; without an MAE it failed."""
    made = cell_row(row, objective, ok=mae is not None, **changes)
    return made, score_rows(made, mae=mae, mase=mae)


def baselines(objective="gap", mae=1.0, **changes):
    return [cell(name, objective, mae, **changes) for name in BASELINES]


def test_a_best_cell_comes_with_the_number_of_test_rows_and_no_claim_beyond_them(report):
    text = report(cell("text", mae=0.5), cell("image", mae=0.6), *baselines())
    assert "`text` is best" in text
    assert "3 test materials of one split" in text
    assert "no test shows" in text


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

    warning = "**Some repeats were tested on the same materials**"
    assert f"{warning}: they differ only in training" in (text := report(*repeats("abc", "abc")))
    assert "- crystals, split random: 2 repeats have 1 test part" in text
    assert "crystals, split random: 2 repeats have 1 test part" in capsys.readouterr().err
    assert "3 repeats have 2 different test parts" in report(*repeats("abc", "def", "abc"))
    capsys.readouterr()
    assert warning not in report(*repeats("abc", "def"))
    assert warning not in report(*repeats("abc"))
    assert "repeats have" not in capsys.readouterr().err


def test_repeats_and_unequal_test_parts_are_reported(report):
    several = [
        cell(row, mae=0.5, repeat=i, n_test=3 + i) for i in range(2) for row in ("text", "mean", "median")
    ]
    findings = report(*several)
    assert "3 to 4 test materials" in findings
    assert "each of 2 splits and repeats" in findings


@pytest.mark.parametrize("mae", [None, float("nan")])
def test_an_objective_without_any_number_is_named_and_not_dropped(report, mae):
    text = report(cell("text", mae=0.5), *baselines(), cell("text", "e_hull", mae), *baselines("e_hull", 1.0))
    assert "Energy above hull: no cell has a MASE in every repeat" in text
    assert "beat the baselines on 1 of 2 objectives" in text


def test_a_run_without_any_number_has_a_report(report):
    text = report(cell("text", mae=None), *baselines(mae=None))
    assert "Band gap: no cell has a result" in text
    assert text.count("no reason") == 3
    assert "- crystals, random 0: `automm` with text on Band gap: no reason" in text


@pytest.mark.parametrize("mae", [None, float("nan")])
def test_baselines_that_failed_do_not_stop_the_report(report, mae):
    text = report(cell("text", mae=0.5), *baselines(mae=mae))
    assert "`text` is best" in text
    assert "no baseline has a result" in text
    assert "beat the baselines on 0 of 1 objectives" in text


def test_elements_whose_picture_holds_the_answer_are_counted(report):
    text = report(cell(combination_name(facets_of("text+compimage")), mae=0.5), *baselines())
    note = next(line for line in text.splitlines() if "composition image" in line and "DFT" in line)
    assert "2 of the 5 test materials" in note
    assert "Band gap" in note
    assert "2 of the 5" not in report(cell("text", mae=0.5), *baselines())
    other_objective = report(cell("compimage", "e_form", 0.5), *baselines("e_form"))
    assert "2 of the 5" not in other_objective


def test_the_elements_are_those_of_crystals_whatever_the_objectives_of_tables_are_called(report):
    steels = cell("compimage", "gap", 0.5, source="steels", label="Gap of the rolls", unit="mm")
    without = report(steels, *baselines(source="steels"), has_crystals=False)
    assert "composition image" not in without
    # The picture of the crystals is looked at for another objective.
    other = report(steels, cell("compimage", "e_form", 0.5), *baselines("e_form"))
    assert "composition image" not in other
    both = report(steels, cell("compimage", "gap", 0.5, label="Fundamental gap"), *baselines())
    assert "close to the objectives Fundamental gap. This concerns 2 of the 5 test materials" in both


def test_the_pretraining_data_are_reported_where_there_are_embeddings(report):
    pretraining, training = {"n_train": 90, "n_valid": 10}, {"n_train": 6, "n_valid": 2}
    recorded = {"pretraining": pretraining, "training": training}
    text = report(cell("graph", mae=0.5), *baselines(), **recorded)
    assert "pretrained on 90 materials (10 others selected its epoch) outside the sample" in text
    assert (
        "values of all objectives, regardless of what this run predicts: Band gap, Formation energy" in text
    )
    assert "trained on 6 materials" in text
    assert "pretrained" not in report(cell("text", mae=0.5), *baselines(), **recorded)
    assert "pretrained on 90" in report(cell("graph", mae=0.5), *baselines(), pretraining=pretraining)


def test_the_training_data_and_omitted_targets_are_reported_where_there_are_embeddings(report):
    training = {"n_train": 6, "n_valid": 2}
    note = "The training of the network left out `e_hull`: all 6 known training values are 0."
    text = report(cell("graph", mae=0.5), *baselines(), training=training, notes=[note])
    assert "trained on 6 materials" in text
    assert "2 others selected its epoch" in text
    assert "all objectives at once" in text
    assert "- random-0: The training of the network left out" in text
    without = report(cell("text", mae=0.5), *baselines(), training=training, notes=[note])
    assert "network" not in without
    untrained = report(cell("graph", mae=0.5), *baselines())
    assert "all objectives at once" not in untrained


def test_rejected_made_and_kept_materials_are_reported_for_each_source(report):
    text = report(cell("text"), *baselines())
    assert "- steels, steels.csv, line 7, steels-7: T is missing" in text
    assert "- glasses, glasses.csv, line 7, glasses-7: T is missing" in text
    assert "- steels, composition\\_statistics: 1 x too much iron" in text
    assert "- glasses, composition\\_statistics: 2 x too much iron" in text
    assert "| steels | composition\\_images | 1 | 10 |" in text
    assert "| glasses | composition\\_images | 2 | 10 |" in text


def test_of_many_reasons_the_most_frequent_are_shown_and_the_others_counted(report, tmp_path):
    path = tmp_path / "glasses" / "composition_statistics" / "shard-0.rejected.parquet"
    write_rejects(path, [Reject(f"m{i}", f"{i % 100} is too much") for i in range(101)])
    text = report(cell("text"), *baselines())
    assert "2 x 0 is too much" in text
    assert text.count("is too much") == 19
    assert "- 81 more, for 81 other reasons (`*.rejected.parquet`)" in text


def test_twins_are_counted_and_listed(report, tmp_path):
    text = report(cell("text"), *baselines())
    assert "3 materials form 1 twin groups" in text
    assert "1 of them were not compared" in text
    assert (tmp_path / "report" / "twins.csv").read_text().splitlines() == [
        "mat_id,twin_group,formula,compared",
        "a,a,Cu,True",
        "b,a,Cu,True",
        "f,a,Cu,False",
    ]


def test_materials_without_a_part_and_parts_without_a_material_are_counted(report):
    text = report(cell("text", n_without_part=5), *baselines(n_without_part=5))
    assert "| crystals | `automm` | text | 8 | 1 | 3 | 0 | 5 |" in text
    (line,) = [line for line in text.splitlines() if line.startswith("- steels/folds-0: ")]
    assert "5 of 7 materials have no part and are in no cell (c, d, e, f, g)" in line
    assert "1 identifier with a part is not in the sample (x)" in line
    assert "glasses/folds-0" not in text


def test_rivals_that_were_tested_on_other_materials_are_named(report):
    even = report(cell("text"), cell("image"), *baselines())
    assert "tested on the same materials" not in even
    assert "| crystals | `automm` | text | 8 | 1 | 3 | 0 |" in even
    cells = [cell("text"), cell("image", n_test=2, n_missing=2, tested="ab"), *baselines()]
    uneven = report(*cells, cell("text", "e_form"), cell("image", "e_form"), *baselines("e_form"))
    assert "**Not all cells were tested on the same materials**" in uneven
    assert "This concerns Band gap." in uneven
    assert "| crystals | `automm` | image | 8 | 1 | 2 to 3 | 0 to 2 |" in uneven


def test_a_failed_cell_is_not_a_rival(report):
    text = report(cell("text"), cell("image", mae=None, n_test=0, tested="none"), *baselines())
    assert "tested on the same materials" not in text
