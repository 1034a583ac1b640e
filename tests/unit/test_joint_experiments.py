"""The experiments on the joint network, on made-up materials of three facets."""

import shutil
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch
from joint_rows import FACETS, GAP, KIND, SMALL, joint_rows, with_pictures
from PIL import Image
from project import PROJECT

from polyfacet.encodings.fractions import fractions_of
from polyfacet.evaluation.tables import KEYS
from polyfacet.facets.registry import COMPIMAGE, GRAPH, IMAGE
from polyfacet.materials.objectives import Objective
from polyfacet.splits.parts import TEST, TRAIN, VALID

sys.path.insert(0, str(PROJECT))

from benchmarks.joint import conditions, imputation
from benchmarks.joint.experiments import EXPERIMENTS, MODELS, run_experiment
from benchmarks.joint.fusions import AVERAGE, FUSIONS, STACKING, VARIANTS
from benchmarks.joint.materials import Materials
from benchmarks.joint.missing import compare_with_hidden_facets
from benchmarks.joint.networks import Networks
from benchmarks.joint.page import write_page
from benchmarks.joint.results import Results
from benchmarks.joint.shares import MEAN_GATES, worth_of_subsets
from benchmarks.joint.ten_thousand import ten_thousand_section

OTHER = Objective("other")
SETTINGS = {**SMALL, "learning_rate": 5e-3}


def materials() -> Materials:
    rows = joint_rows(120)
    formulas = [text.replace(" ", "") for text in rows["text"]]
    rows = rows.assign(
        part=[TRAIN] * 80 + [VALID] * 20 + [TEST] * 20,
        other=rows["graph"].map(lambda graph: graph[1]),
        text_encoding=list(fractions_of(formulas)),
        facets=[[facet.name for facet in FACETS]] * len(rows),
    )
    return Materials(rows, FACETS, (GAP, OTHER), 0)


@pytest.fixture(scope="module")
def results(tmp_path_factory) -> Results:
    """Return the results of all experiments, two epochs per network."""
    folder = tmp_path_factory.mktemp("experiments")
    networks, found = Networks(SETTINGS, folder / "networks"), Results(folder / "results")
    for name in EXPERIMENTS:
        found.add(name, 0, run_experiment(name, materials(), networks))
    return found


def test_each_experiment_compares_all_subsets_or_conditions(results):
    n_subsets, n_objectives = 7, 2
    for name in ("dedicated", "missing", "fusions", "shares"):
        own = results[name]
        of_model = own[(own["quantity"] == "mase") & (own["subset"] != "") & (own["condition"] == "")]
        counts = of_model.groupby("model").size()
        assert set(counts[counts.index != "dedicated"]) == {n_subsets * n_objectives}, name
    robust = results["robustness"]
    assert {"hidden in test 0.6", "swapped", "noise 0.3", "left out"} <= set(robust["condition"])


def test_results_of_a_finished_repeat_are_kept(results):
    before = results["fusions"]
    rows = before[before["repeat"] == 0].drop(columns="repeat").to_dict("records")
    results.add("fusions", 1, rows)
    assert results.finished("fusions") == {0, 1}
    pd.testing.assert_frame_equal(results["fusions"].query("repeat == 0"), before)
    results.add("fusions", 1, rows)
    assert len(results["fusions"]) == 2 * len(before)


def test_a_repeat_without_some_models_is_not_finished(results, tmp_path):
    own = first_repeat(results, "fusions")
    older = own[own["model"] != "gated_vector"]
    kept = Results(tmp_path)
    kept.add("fusions", 0, older.drop(columns="repeat").to_dict("records"))
    kept.add("fusions", 1, own.drop(columns="repeat").to_dict("records"))
    assert kept.finished("fusions") == {0, 1}
    assert kept.finished("fusions", MODELS["fusions"]) == {1}
    page = write_page(kept, 5).read_text(encoding="utf-8")
    assert "Not in the table, as some repeats have not tried them: `gated_vector`." in page


def page_of(folder: Path, repeats: dict[str, list[pd.DataFrame]]) -> str:
    """Write the page of five repeats, of which some are finished."""
    kept = Results(folder)
    for name, tables in repeats.items():
        for repeat, own in enumerate(tables):
            if len(own):
                kept.add(name, repeat, own.drop(columns="repeat").to_dict("records"))
    return write_page(kept, 5).read_text(encoding="utf-8")


def first_repeat(results: Results, name: str) -> pd.DataFrame:
    return results[name].query("repeat == 0").reset_index(drop=True)


def test_the_page_says_which_repeats_are_finished(results, tmp_path):
    finished = {"dedicated": 5, "missing": 2, "fusions": 1, "robustness": 0}
    page = page_of(tmp_path, {name: [first_repeat(results, name)] * n for name, n in finished.items()})
    lines = page.splitlines()
    for name, n in finished.items():
        assert f"| `{name}` | {n} of 5 | {'80 | 20' if n else ' | '} |" in lines
    assert "| `shares` | 0 of 5 |  |  |" in lines
    (lacking,) = [line for line in lines if line.startswith("No repeat is finished yet of")]
    assert [name for name in EXPERIMENTS if f"`{name}`" in lacking] == ["shares", "robustness"]
    titles = [line for line in lines if line.startswith("## ")]
    assert len(titles) == 3
    assert not [title for title in titles if "Shares" in title or "noisy" in title]
    # All models of a finished experiment are there.
    fusions = page[page.index("## Fusions") :]
    assert not [name for name in (*VARIANTS, STACKING, AVERAGE) if f"| `{name}` |" not in fusions]
    # Only all repeats decide on a bar.
    bars = [part for line in lines for part in line.split(". ") if part.startswith("Bar (")]
    of_all = [bar for bar in bars if "all 5 repeats" in bar]
    assert len(of_all) == 3
    assert all("**met**" in bar or "**missed**" in bar for bar in of_all)
    of_two = [bar for bar in bars if bar not in of_all]
    assert len(of_two) == 2
    so_far = ("met so far, on average over 2 of 5 repeats.", "missed so far, on average over 2 of 5 repeats.")
    assert all(bar.endswith(so_far) for bar in of_two)
    assert f"`{STACKING}` has" in fusions
    assert "(so far, in 1 of 5 repeats)" in fusions


def test_a_page_without_results_says_so(tmp_path):
    page = page_of(tmp_path, {})
    assert all(f"| `{name}` | 0 of 5 |  |  |" in page for name in EXPERIMENTS)
    assert page.count("## ") == 0
    assert "in the study `ten_thousand`\n([studies](../../studies.md)), is not begun." in page


def test_full_fusion_is_compared_with_cells_chosen_on_validation_rows(tmp_path):
    study = tmp_path / "ten_thousand"
    study.mkdir()
    (study / "README.md").touch()
    whole = "text+graph"
    cells = pd.DataFrame(
        [
            # method, combination, loss on validation rows, loss on test rows
            ("joint", whole, 0.5, 0.30),
            ("joint_transformer", whole, 0.4, 0.35),
            ("joint", "graph", 0.1, 0.90),
            ("ridge", "graph", 0.3, 0.40),
            ("stack", whole, 0.6, 0.10),
        ],
        columns=["method", "combination", "valid_loss", "value"],
    )
    place = {"run": "r", "source": "crystals", "split": "formula", "repeat": 0, "objective": "gap"}
    cells = cells.assign(**place, n_train=80, n_test=20, metric="mase")
    for name in ("scores", "validation", "cells"):
        kept = {"scores": ["value", "n_test", "metric"], "validation": ["valid_loss"], "cells": ["n_train"]}
        cells[[*KEYS, *kept[name]]].to_parquet(study / f"{name}.parquet")
    text = "\n".join(ten_thousand_section(tmp_path))
    assert "| gap | 0.350 | 0.400 | no test |" in text
    assert "is lower than that of the best other cells" in text.replace("\n", " ")


def test_repeats_that_only_one_side_has_are_left_out(tmp_path):
    study = tmp_path / "ten_thousand"
    study.mkdir()
    (study / "README.md").touch()
    sides = (("joint", 0.30), ("ridge", 0.40))
    cells = pd.DataFrame(
        [
            {"method": method, "repeat": repeat, "value": value + repeat / 10_000}
            for method, value in sides
            for repeat in range(3)
            if (method, repeat) != ("joint", 2)
        ]
    )
    place = {
        "run": "r",
        "source": "crystals",
        "split": "formula",
        "objective": "gap",
        "combination": "text+graph",
    }
    cells = cells.assign(**place, valid_loss=1.0, n_train=80, n_test=20, metric="mase")
    for name in ("scores", "validation", "cells"):
        kept = {"scores": ["value", "n_test", "metric"], "validation": ["valid_loss"], "cells": ["n_train"]}
        cells[[*KEYS, *kept[name]]].to_parquet(study / f"{name}.parquet")
    text = " ".join(ten_thousand_section(tmp_path)).replace("\n", " ")
    assert "as a side has no value: 1 pairs of objective and repeat" in text
    assert "| gap | 0.300 | 0.400 |" in text
    assert "| mean | 0.300 | 0.400 |" in text


def test_the_page_counts_ratios_beyond_the_bars(results, tmp_path):
    own = first_repeat(results, "dedicated")
    is_error = own["quantity"] == "mase"
    own.loc[is_error, "value"] = 1.0
    beyond = is_error & (own["model"] == "universal") & (own["subset"] == "text+graph")
    own.loc[beyond & (own["objective"] == "other"), "value"] = 1.2
    page = page_of(tmp_path, {"dedicated": [own]})
    assert "median 1.000, quartiles 1.000 and 1.000, worst 1.200 (text + graph, `other`)" in page
    assert "Bar (median at most 1.03): met so far, in 1 of 5 repeats." in page
    assert "Bar (worst at most 1.10): missed so far, in 1 of 5 repeats; 1 of 14 cells exceed it." in page
    own.loc[beyond, "value"] = 1.1
    assert "Bar (worst at most 1.10): met so far, in 1 of 5 repeats." in page_of(
        tmp_path, {"dedicated": [own]}
    )


def test_the_page_says_where_simple_models_are_better(results, tmp_path):
    own = first_repeat(results, "dedicated")
    own.loc[own["quantity"] == "mase", "value"] = 1.0
    for name, subsets in (("ridge", ["graph"]), ("extra_trees", ["graph", "text+graph"])):
        own.loc[(own["model"] == name) & own["subset"].isin(subsets), "value"] = 0.3
    page = page_of(tmp_path, {"dedicated": [own]})
    assert "in 2 of 7 subsets (so far, in 1 of 5 repeats): `ridge` in 1, `extra_trees` in 2." in page
    assert "Mean over the subsets: `universal` 1.000, `ridge` 0.900, `extra_trees` 0.800." in page


def test_the_page_says_whether_late_fusion_is_better(results, tmp_path):
    own = first_repeat(results, "fusions")
    is_error = own["quantity"] == "mase"
    own.loc[is_error, "value"] = 1.0
    own.loc[is_error & (own["model"] == STACKING), "value"] = 0.5
    own.loc[is_error & (own["model"] == AVERAGE), "value"] = 1.5
    page = page_of(tmp_path, {"fusions": [own]})
    assert (
        f"`{STACKING}` has 0.500 on average over all subsets (so far, in 1 of 5 repeats), below every" in page
    )
    assert "the average is below none of the fusions" in page
    own.loc[is_error & (own["model"] == "experts"), "value"] = 0.4
    own.loc[is_error & (own["model"] == AVERAGE), "value"] = 0.9
    page = page_of(tmp_path, {"fusions": [own]})
    assert f"; 1 of {len(FUSIONS)} fusions are lower: `experts` (0.400)." in page
    assert f"the average is below {len(FUSIONS) - 1} of the fusions" in page


def test_the_page_says_whether_gates_follow_rows(results, tmp_path):
    own = first_repeat(results, "shares")
    is_error = own["quantity"] == "mase"
    own.loc[is_error, "value"] = 1.0
    with_mean_gates = is_error & (own["condition"] == MEAN_GATES)
    repeats = [own.copy() for _ in range(3)]
    for repeat, difference in zip(repeats, (0.099, 0.1, 0.101), strict=True):
        repeat.loc[with_mean_gates & (own["model"] == "gated"), "value"] += difference
        repeat.loc[with_mean_gates & (own["model"] == "gated_softmax"), "value"] += difference - 0.1
    page = page_of(tmp_path, {"shares": repeats})
    assert "`gated` 1.000, with mean gates 1.100 (+10.0 %); `gated_softmax` 1.000, with mean" in page
    assert "the mean gates of `gated_softmax` do as well: gates of single rows gain nothing" in page
    assert "the mean gates of `gated` are worse: gates follow the row" in page


def test_differences_of_gates_that_are_not_significant_conclude_nothing(results, tmp_path):
    own = first_repeat(results, "shares")
    is_error = own["quantity"] == "mase"
    own.loc[is_error, "value"] = 1.0
    repeats = [own.copy() for _ in range(3)]
    for repeat, difference in zip(repeats, (-0.2, 0.1, 0.5), strict=True):
        repeat.loc[is_error & (own["condition"] == MEAN_GATES), "value"] += difference
    page = page_of(tmp_path, {"shares": repeats})
    assert "Mean gates against own: `gated` undecided" in page
    assert "gates of single rows" not in page
    assert "gates follow the row" not in page


def test_curves_are_means_over_the_same_repeats(results, tmp_path):
    whole, robust = first_repeat(results, "fusions"), first_repeat(results, "robustness")
    for own in (whole, robust):
        own.loc[own["quantity"] == "mase", "value"] = 1.0
    far = whole.assign(value=whole["value"] + 8)
    page = page_of(tmp_path / "shared", {"fusions": [far, whole], "robustness": [robust.head(0), robust]})
    assert "1 repeat finished by both `fusions` and `robustness`" in page
    curve = page[page.index("| share hidden in training |") :].splitlines()
    assert [line.split(" | ")[:2] for line in curve[2:4]] == [["| 0", "1.000"], ["| 0.1", "1.000"]]
    # None in common: no point of complete rows.
    page = page_of(tmp_path / "none", {"fusions": [far], "robustness": [robust.head(0), robust]})
    assert "none of which has finished `fusions`" in page
    curve = page[page.index("| share hidden in training |") :].splitlines()
    assert curve[2].startswith("| 0.1 | 1.000")


def test_distance_to_complete_data_is_that_of_the_same_repeats(results, tmp_path):
    complete, missing = first_repeat(results, "dedicated"), first_repeat(results, "missing")
    for own in (complete, missing):
        own.loc[own["quantity"] == "mase", "value"] = 1.0
    twice = missing.assign(value=2 * missing["value"])
    page = page_of(tmp_path, {"dedicated": [complete], "missing": [twice, missing]})
    assert "the MASE of `universal` is 2.000 times" in page


def trained(networks: Networks, folder: Path, made_up: Materials) -> int:
    """Train a network of all facets, unless it is found; return the number of networks."""
    assert networks.train(made_up) is not None
    return len(list(folder.iterdir()))


def test_networks_are_found_by_what_they_learn(tmp_path):
    networks, made_up = Networks(SETTINGS, tmp_path), materials()
    assert trained(networks, tmp_path, made_up) == trained(networks, tmp_path, materials()) == 1
    rows, first = made_up.rows, made_up.rows.index == 0
    sodium = rows["text"].where(~first, "Na 1")
    changes = [
        {"rows": rows.assign(gap=rows["gap"] + first)},
        {"rows": rows.assign(gap=rows["gap"].where(~first))},
        {"rows": rows.assign(group=rows["group"].where(~first, rows["group"][79]))},
        {"rows": rows.assign(text=sodium)},
        {"rows": rows.assign(graph=[graph + (row == 0) for row, graph in enumerate(rows["graph"])])},
        {"objectives": (GAP,)},
        {"objectives": (OTHER, GAP)},
        {"repeat": 1},
    ]
    for number, change in enumerate(changes, start=2):
        assert trained(networks, tmp_path, replace(made_up, **change)) == number, change
    # Rows of other parts teach nothing.
    of_test = rows.assign(gap=rows["gap"] + (rows["part"] == TEST))
    assert trained(networks, tmp_path, replace(made_up, rows=of_test)) == number


def test_networks_are_found_by_the_classes_they_tell_apart(tmp_path):
    networks, made_up = Networks(SETTINGS, tmp_path), materials()
    for number, kind in enumerate((KIND, replace(KIND, classes=KIND.classes[::-1])), start=1):
        assert trained(networks, tmp_path, replace(made_up, objectives=(GAP, kind))) == number


def test_networks_are_found_by_pictures_wherever_they_lie(tmp_path):
    folder, made_up = tmp_path / "networks", materials()
    networks = Networks({**SETTINGS, "pictures": "encoding"}, folder)

    def with_all(name: str) -> Materials:
        (tmp_path / name).mkdir()
        rows = with_pictures(made_up.rows, tmp_path / name)
        encoding = list(np.stack(rows["graph"])[:, :2])
        facets = (COMPIMAGE, IMAGE)
        have = [[facet.name for facet in facets]] * len(rows)
        return replace(made_up, rows=rows.assign(image_encoding=encoding, facets=have), facets=facets)

    there = with_all("there")
    assert trained(networks, folder, with_all("here")) == trained(networks, folder, there) == 1
    # A structure picture is read by its encoding.
    paths = there.rows["image"]
    Image.fromarray(np.zeros((32, 32), dtype=np.uint8)).save(paths[0])
    assert trained(networks, folder, there) == 1
    other = [encoding + (row == 0) for row, encoding in enumerate(there.rows["image_encoding"])]
    assert trained(networks, folder, replace(there, rows=there.rows.assign(image_encoding=other))) == 2
    Image.fromarray(np.eye(24, 21, dtype=np.uint8)).save(there.rows["compimage"][0])
    assert trained(networks, folder, there) == 3


def test_networks_of_imputed_rows_are_found_again(tmp_path):
    folder = tmp_path / "networks"
    networks, rows = Networks(SETTINGS, folder), with_pictures(materials().rows, tmp_path)
    facets = (GRAPH, COMPIMAGE)
    rows = rows.assign(facets=[[facet.name for facet in facets]] * len(rows))
    made_up = replace(materials(), rows=rows, facets=facets)
    first = compare_with_hidden_facets(made_up, networks)
    n_networks = len(list(folder.iterdir()))
    assert compare_with_hidden_facets(made_up, networks) == first
    assert len(list(folder.iterdir())) == n_networks


def test_shapley_values_share_the_worth_of_all_facets(results):
    found = results["shares"].query("repeat == 0 and model == 'gated' and objective == 'gap'")
    errors = results["fusions"].query("repeat == 0 and objective == 'gap' and quantity == 'mase'")
    median = errors.query("model == 'median'")["value"].item()
    everything = errors.query("model == 'gated' and subset == 'text+graph+descriptors'")["value"].item()
    assert found.query("quantity == 'shapley'")["value"].sum() == pytest.approx(median - everything, abs=1e-5)


def test_worth_is_the_reduction_of_the_absolute_error():
    made_up = materials()
    perfect = {name: made_up.truth(TEST) for name in ("text", "graph", "descriptors", "text+graph")}
    perfect |= {name: made_up.truth(TEST) for name in ("text+descriptors", "graph+descriptors")}
    worth = worth_of_subsets(made_up, perfect | {"text+graph+descriptors": made_up.truth(TEST)})
    assert (worth[..., 0] == 0).all()
    assert (worth[..., 1:] >= 0).all()


def test_hidden_facets_are_an_exact_share_and_leave_every_row_one():
    for share in (0.1, 0.5, 0.75):
        hidden = conditions.hidden_facets(100, 4, share, np.random.default_rng(0))
        assert hidden.sum() == share * hidden.size
        assert not hidden.all(axis=1).any()


def test_hidden_facets_are_not_seen():
    made_up = materials()
    hidden = np.zeros((80, 3), dtype=bool)
    hidden[:10, 1] = True
    seen = made_up.with_hidden(hidden).trained_on(FACETS, missing=True)
    assert seen["graph"].isna().sum() == 10
    assert len(made_up.with_hidden(hidden).trained_on(FACETS, missing=False)) == 70
    assert made_up.trained_on(FACETS, missing=True)["graph"].notna().all()


def test_a_swapped_facet_is_that_of_another_row(results):
    made_up = materials()
    network = Networks(SETTINGS, results.folder.parent / "networks").train(made_up)
    from benchmarks.joint.robustness import tokens_of

    with torch.inference_mode():
        tokens = tokens_of(network, made_up)
        other = conditions.swapped(tokens, 1, 0)
        noisy = conditions.with_noise(tokens, 1, 1.0, 0)
    changed = (tokens.values != other.values).any(dim=2)
    assert (changed == (tokens.facets == 1)).all()
    assert ((tokens.values != noisy.values).any(dim=2) == (tokens.facets == 1)).all()


def test_imputation_finds_what_the_other_facets_tell(tmp_path):
    rows = materials().part(TRAIN)
    rows = rows.assign(descriptors=rows["graph"].map(lambda graph: 2 * graph[:3] + 1))
    lacks = np.arange(len(rows)) % 4 == 0
    true = np.stack(rows["descriptors"][lacks])
    shown = rows.assign(
        descriptors=[None if hides else own for hides, own in zip(lacks, rows["descriptors"], strict=True)]
    )
    filled = imputation.Imputer.fit(shown, FACETS).fill(shown, tmp_path / "pictures")
    found = np.stack(filled["descriptors"][lacks])
    assert np.abs(found - true).mean() < 0.5 * np.abs(true - true.mean(axis=0)).mean()
    assert filled["descriptors"][~lacks].tolist() == shown["descriptors"][~lacks].tolist()


def test_imputed_formulas_are_formulas():
    fractions = fractions_of(["NaCl"])[0] + 0.01
    assert imputation.formula_of(fractions) in {"Na 0.5000 Cl 0.5000", "Cl 0.5000 Na 0.5000"}


def test_kept_results_of_the_project_make_their_page(tmp_path):
    kept = PROJECT / "docs" / "results"
    for name in ("joint", "ten_thousand"):
        shutil.copytree(kept / name, tmp_path / name)
    page = write_page(Results(tmp_path / "joint"), 5)
    assert page.read_text(encoding="utf-8") == (kept / "joint" / "README.md").read_text(encoding="utf-8")
