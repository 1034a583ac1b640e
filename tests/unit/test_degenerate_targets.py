"""Targets that cannot be learned or are not finite, and networks whose predictions are not finite."""

import math

import numpy as np
import pandas as pd
import pytest
import torch
from rock_salts import fit, record_of, rock_salt_graphs, rock_salt_properties, write_inputs

import embed_graphs
import fit_network
from polyfacet.facets.graph.embedding import load_network
from polyfacet.facets.graph.property_network import PropertyNetwork
from polyfacet.materials.stage_tables import EMBEDDINGS
from polyfacet.networks import properties as learning
from polyfacet.networks.epoch_choice import EpochChoice
from polyfacet.networks.target_scale import TargetScale
from polyfacet.runtime.errors import UserError
from polyfacet.runtime.parquet import read_table
from polyfacet.splits.parts import divide

CPU = torch.device("cpu")


@pytest.fixture(scope="module")
def graphs():
    return rock_salt_graphs()


@pytest.fixture(scope="module")
def properties(graphs):
    return rock_salt_properties(graphs)


def embeddings(folder):
    """Embed with the network of the folder, as the workflow does."""
    output = folder / "embeddings.parquet"
    embed_graphs.main(
        folder / "graphs.parquet",
        folder / "network.safetensors",
        output,
        provenance=folder / "embeddings.json",
        device="cpu",
    )
    return read_table(output, EMBEDDINGS)


ROUNDING = [0.3, 0.1 + 0.2]


@pytest.mark.parametrize(
    ("values", "reason"),
    [
        ([0.0], "all 36 known training values are 0"),
        ([-3.7], "all 36 known training values are -3.7"),
        (ROUNDING, "all 36 known training values are 0.3"),
        ([math.nan], "no training value is known"),
        ([math.inf, -math.inf], "no training value is known"),
        ([math.nan] * 3 + [2.0], "known training values are 2"),
    ],
)
def test_target_that_cannot_be_learned_is_left_out_and_recorded(graphs, properties, tmp_path, values, reason):
    write_inputs(tmp_path, graphs, properties.assign(e_hull=np.resize(values, len(properties))))
    fit(tmp_path)
    record = record_of(tmp_path)
    assert record["kind"] == "trained"
    assert reason in record["training"]["left_out"]["e_hull"]
    assert any("`e_hull`" in note for note in record["notes"])
    assert set(record["training"]["validation_errors"]) == {"vol_atom", "e_form"}


def test_target_is_learned_from_the_materials_for_which_it_is_known(graphs, properties, tmp_path):
    holes = properties["vol_atom"].where(np.arange(len(properties)) % 2 == 0)
    write_inputs(tmp_path, graphs, properties.assign(e_hull=holes))
    fit(tmp_path)
    errors = record_of(tmp_path)["training"]["validation_errors"]
    assert errors["e_hull"]["known"] == 6
    assert errors["e_hull"]["mae"] > 0


def test_without_learnable_targets_the_network_is_calibrated_and_records_it(graphs, properties, tmp_path):
    write_inputs(tmp_path, graphs, properties.assign(e_form=1.0, vol_atom=math.nan))
    fit(tmp_path)
    record = record_of(tmp_path)
    assert (record["asked"], record["kind"]) == ("trained", "calibrated")
    assert "training" not in record
    assert any("vol_atom: no training value is known" in note for note in record["notes"])
    trained = embeddings(tmp_path)
    fit(tmp_path, kind="calibrated")
    pd.testing.assert_frame_equal(embeddings(tmp_path), trained)


OF_TRAINING = {"epochs": 2, "batch_size": 8, "validation_fraction": 0.25}


def write_hardness(folder, properties):
    """Write the table of an objective that is not in the sample."""
    values = pd.DataFrame({"mat_id": properties.index, "hardness": properties["e_form"].to_numpy() + 1})
    values.to_parquet(folder / "hardness.parquet")
    return folder / "hardness.parquet"


def test_a_run_may_name_what_the_network_learns(graphs, properties, tmp_path):
    write_inputs(tmp_path, graphs, properties)
    derived = [write_hardness(tmp_path, properties)]
    usual = fit(tmp_path, training=OF_TRAINING)
    assert fit(tmp_path, training={**OF_TRAINING, "objectives": None}) == usual
    named = {**OF_TRAINING, "objectives": ["hardness", "vol_atom"]}
    assert fit(tmp_path, training=named, derived=derived) != usual
    record = record_of(tmp_path)
    assert set(record["training"]["validation_errors"]) == {"hardness", "vol_atom"}
    assert record["settings"]["objectives"] == ["hardness", "vol_atom"]


def test_columns_are_learned_beside_the_predefined_objectives_that_are_known(graphs, properties, tmp_path):
    write_inputs(tmp_path, graphs, properties.assign(e_form=math.nan))
    own = properties.assign(e_form=properties["vol_atom"])
    fit(tmp_path, columns=["hardness"], derived=[write_hardness(tmp_path, own)])
    record = record_of(tmp_path)
    assert "hardness" in record["training"]["validation_errors"]
    assert "hardness" in record["settings"]["objectives"]
    assert "e_form" not in record["settings"]["objectives"]
    assert not [note for note in record["notes"] if "e_form" in note]


def test_a_table_of_an_objective_is_learned_instead_of_the_column_of_the_sample(graphs, properties, tmp_path):
    write_inputs(tmp_path, graphs, properties.assign(e_form=math.nan))
    derived = write_hardness(tmp_path, properties)
    table = pd.read_parquet(derived).rename(columns={"hardness": "e_form"})
    table.to_parquet(derived)
    fit(tmp_path, training={**OF_TRAINING, "objectives": ["e_form"]}, derived=[derived])
    assert record_of(tmp_path)["training"]["validation_errors"]["e_form"]["known"] == 12


def test_a_network_without_anything_to_learn_says_which_key_names_more(graphs, properties, tmp_path):
    write_inputs(tmp_path, graphs, properties.assign(e_form=math.nan, vol_atom=math.nan))
    fit(tmp_path)
    assert "`graphs.training.objectives` can name others to learn." in record_of(tmp_path)["notes"][0]


# Of ten materials, half for the choice of the epoch: two formulas of three come nearer to five than one does.
FEW_FORMULAS = ["KBr"] * 4 + ["NaCl"] * 3 + ["LiF"] * 3


def seed_that_trains_on_four_materials():
    """Find a seed that leaves one formula of `FEW_FORMULAS` to train on."""
    groups = {f"m{i}": f"formula={formula}" for i, formula in enumerate(FEW_FORMULAS)}
    key = "validation of the network"
    return next(seed for seed in range(20) if len(divide(groups, 0.5, key, seed)[0]) == 4)


@pytest.mark.parametrize(
    ("case", "kind", "reason"),
    [
        ("four training materials", "calibrated", "4 training materials with a graph"),
        ("one formula", "calibrated", "too few formulas"),
        ("three formulas", "calibrated", "leaves 4 to train on"),
        ("no training material", "random", "no training material has a graph"),
    ],
)
def test_too_few_materials_leave_the_network_untrained(graphs, properties, tmp_path, case, kind, reason):
    in_test = {
        "four training materials": {graph.mat_id for graph in graphs[4:]},
        "three formulas": set(properties.index[10:]),
        "no training material": {graph.mat_id for graph in graphs},
    }
    if case == "one formula":
        properties = properties.assign(formula="NaCl")
    elif case == "three formulas":
        others = ["CaO"] * (len(properties) - 10)
        properties = properties.assign(formula=[*FEW_FORMULAS, *others])
    write_inputs(tmp_path, graphs, properties, in_test.get(case, ()))
    fit(
        tmp_path,
        seed=seed_that_trains_on_four_materials(),
        training={"epochs": 1, "validation_fraction": 0.5},
    )
    record = record_of(tmp_path)
    assert record["kind"] == kind
    assert any(reason in note for note in record["notes"])
    assert len(embeddings(tmp_path)) == len(graphs)


def test_pretraining_without_learnable_targets_is_skipped_and_recorded(graphs, properties, tmp_path):
    lithium = [graph for graph in graphs if graph.mat_id.startswith("Li")]
    (tmp_path / "pretraining").mkdir()
    alike = properties.loc[[graph.mat_id for graph in lithium]].assign(vol_atom=5.0, e_form=0.0)
    write_inputs(tmp_path / "pretraining", lithium, alike)
    others = [graph for graph in graphs if graph not in lithium]
    write_inputs(tmp_path, others, properties.loc[[graph.mat_id for graph in others]])
    fit(tmp_path)
    untouched = embeddings(tmp_path)
    fit(
        tmp_path,
        pretraining=tmp_path / "pretraining" / "sample.parquet",
        pretraining_graphs=[tmp_path / "pretraining" / "graphs.parquet"],
    )
    record = record_of(tmp_path)
    assert record["kind"] == "trained"
    assert "pretraining" not in record
    assert any("no pretraining" in note and "vol_atom: all" in note for note in record["notes"])
    pd.testing.assert_frame_equal(embeddings(tmp_path), untouched)


def test_training_materials_choose_the_epoch_if_validation_values_are_constant(graphs, properties, tmp_path):
    write_inputs(tmp_path, graphs, properties)
    fit(tmp_path)
    validation = validation_ids(graphs, properties)
    alike = properties.assign(e_form=np.nan)
    alike.loc[validation, "vol_atom"] = alike.loc[alike.index.difference(validation), "vol_atom"].median()
    write_inputs(tmp_path, graphs, alike)
    fit(tmp_path)
    record = record_of(tmp_path)
    assert record["training"]["chosen_by"] == "training"
    assert record["training"]["validation_errors"]["vol_atom"]["over_median"] is None
    assert any("its epoch was selected" in note for note in record["notes"])


def validation_ids(graphs, properties):
    """Find the materials of the validation part: changing their values changes no trained weight."""
    _, chosen = divide(properties["formula"].to_dict(), 0.75, "validation of the network", 7)
    return sorted(chosen)


def test_outlier_does_not_prevent_learning_of_other_values(graphs, properties, tmp_path):
    trained_on = properties.index.difference(validation_ids(graphs, properties))
    outlier = properties.assign(e_total=properties["vol_atom"])
    outlier.loc[trained_on[0], "e_form"] = 1e12
    outlier.loc[trained_on[-1], "e_total"] = -1e300
    write_inputs(tmp_path, graphs, outlier)
    fit(
        tmp_path,
        training={"epochs": 12, "batch_size": 12, "learning_rate": 0.01, "validation_fraction": 0.25},
    )
    errors = record_of(tmp_path)["training"]["validation_errors"]
    assert {name: error["over_median"] < 0.8 for name, error in errors.items()} == dict.fromkeys(errors, True)


def test_diverging_training_fails_with_its_cause(graphs, properties, tmp_path):
    write_inputs(tmp_path, graphs, properties)
    with pytest.raises(UserError, match=r"diverged.*graphs\.training\.learning_rate \(1e\+30\)"):
        fit(tmp_path, training={"epochs": 3, "batch_size": 8, "learning_rate": 1e30})
    assert not (tmp_path / "network.safetensors").exists()
    assert not (tmp_path / "network.json").exists()


def test_training_that_diverges_late_keeps_the_best_earlier_epoch(graphs, properties, tmp_path, monkeypatch):
    def diverge(*args, run=learning.smooth_l1_loss, **settings):
        calls.append(None)
        return run(*args, **settings) * (math.nan if len(calls) > 8 else 1)

    calls = []
    monkeypatch.setattr(learning, "smooth_l1_loss", diverge)
    write_inputs(tmp_path, graphs, properties)
    # 36 materials are four steps per epoch: the third epoch diverges.
    fit(tmp_path, training={"epochs": 5, "batch_size": 8, "validation_fraction": 0.25})
    record = record_of(tmp_path)
    assert record["training"]["epochs"] == 2
    assert record["training"]["diverged"]
    assert any("diverged after epoch 2" in note for note in record["notes"])
    assert np.isfinite(np.stack(embeddings(tmp_path)["embedding"])).all()


@pytest.mark.parametrize("answer", [math.nan, math.inf, -math.inf])
def test_epoch_with_a_prediction_that_is_not_finite_is_not_kept(
    graphs, properties, tmp_path, monkeypatch, answer
):
    """Only in the first epoch and for one material: its unknown values must not hide the failure."""
    evaluations = []

    def fail_at_first(self, data, run=PropertyNetwork.forward):
        predicted = run(self, data)
        if not self.training:
            evaluations.append(None)
            predicted[0, 0] = answer if len(evaluations) == 1 else predicted[0, 0]
        return predicted

    monkeypatch.setattr(PropertyNetwork, "forward", fail_at_first)
    # The first of all targets, which is unknown for all materials.
    write_inputs(tmp_path, graphs, properties.assign(gap=math.nan))
    fit(tmp_path, training={"epochs": 3, "batch_size": 8, "validation_fraction": 0.25, "patience": 1})
    assert record_of(tmp_path)["training"]["epoch"] > 1


def test_recorded_errors_are_those_of_the_saved_network(graphs, properties, tmp_path, monkeypatch):
    kept = []

    def keep(*args, run=fit_network.train_on_properties, **settings):
        kept.append(run(*args, **settings))
        kept.append(kept[0].record(8)["validation_errors"])
        return kept[0]

    monkeypatch.setattr(fit_network, "train_on_properties", keep)
    # The validation materials are looked at once more.
    monkeypatch.setattr(fit_network._Stage, "clean_up", lambda _: None)
    write_inputs(tmp_path, graphs, properties)
    fit(tmp_path)
    trained, before_calibration = kept
    trained.model.network.load_state_dict(load_network(tmp_path / "network.safetensors", CPU).state_dict())
    recorded = record_of(tmp_path)["training"]["validation_errors"]
    assert recorded == trained.record(8)["validation_errors"]
    assert recorded != before_calibration


def test_network_with_weights_that_are_not_finite_raises_user_error(
    graphs, properties, tmp_path, monkeypatch
):
    write_inputs(tmp_path, graphs, properties)
    fit(tmp_path)
    network = load_network(tmp_path / "network.safetensors", CPU)
    network.readout.weight.data[0, 0] = math.nan
    monkeypatch.setattr(embed_graphs, "load_network", lambda *_: network)
    with pytest.raises(UserError, match="is not finite"):
        embeddings(tmp_path)


def test_scale_is_robust_to_constant_values_and_outliers():
    zero_inflated = [0.0] * 96 + [2.0] * 4
    outlier = [*range(50), *range(-49, 0), 1e9]
    scale = TargetScale.fit(np.array([zero_inflated, outlier]).T)
    assert scale.centre.tolist() == [0.0, 0.5]
    assert scale.spread[0] == pytest.approx(0.4)
    assert scale.spread[1] == pytest.approx(28.5, rel=0.02)
    scaled = scale.normalise(np.array([[2.0, 1e9], [np.nan, -1e300]]))
    assert scaled.nan_to_num(99).tolist() == [[5.0, 10.0], [99.0, -10.0]]


def test_targets_count_relative_to_the_median_and_rare_values_do_not_decide():
    common = np.linspace(-1, 1, 20)
    rare, absent = np.zeros(20), np.zeros(20)
    rare[:4] = 1.0
    truth = np.column_stack([common, 100 * common, rare, absent])
    scale = TargetScale.fit(np.concatenate([truth, np.ones((1, 4))]))
    choice = EpochChoice.among(truth, scale)
    assert choice.decides.tolist() == [True, True, False, False]
    scaled = scale.normalise(truth).double().numpy()
    median = np.zeros_like(scaled)
    assert choice.error(median) == pytest.approx(1)
    assert choice.error(scaled) == pytest.approx(0)
    # Half the error in one of two targets is a quarter of the total, whatever its unit; the rare target
    # does not count.
    for t in range(2):
        half = scaled.copy()
        half[:, t] /= 2
        half[:, 2] += 100
        assert choice.error(half) == pytest.approx(0.25)
    # The worst predictions count as twice the error of the median.
    absurd = scaled.copy()
    absurd[:, 0] = 1e6
    assert choice.error(absurd) == pytest.approx(1.0)
    absurd[3, 3] = np.nan
    assert choice.error(absurd) == np.inf
