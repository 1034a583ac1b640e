"""The experiments on the joint network, on made-up materials of three facets."""

import sys

import numpy as np
import pandas as pd
import pytest
import torch
from joint_rows import FACETS, GAP, SMALL, joint_rows
from project import PROJECT

from polyfacet.encodings.fractions import fractions_of
from polyfacet.materials.objectives import Objective
from polyfacet.splits.parts import TEST, TRAIN, VALID

sys.path.insert(0, str(PROJECT))

from benchmarks.joint import conditions, imputation
from benchmarks.joint.experiments import EXPERIMENTS, run_experiment
from benchmarks.joint.materials import Materials
from benchmarks.joint.networks import Networks
from benchmarks.joint.page import write_page
from benchmarks.joint.results import Results
from benchmarks.joint.shares import worth_of_subsets

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


def test_the_page_says_which_repeats_are_finished(results):
    page = write_page(results, 5).read_text(encoding="utf-8")
    assert "of 5" in page
    assert "transformer" in page


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
    kept = PROJECT / "docs" / "results" / "joint"
    for table in kept.glob("*.parquet"):
        (tmp_path / table.name).write_bytes(table.read_bytes())
    page = write_page(Results(tmp_path), 5).read_text(encoding="utf-8")
    assert page == (kept / "README.md").read_text(encoding="utf-8")
