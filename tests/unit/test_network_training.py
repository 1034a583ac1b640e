"""Training of the network: the materials it uses, interruptions, and the files it writes."""

import math

import numpy as np
import pandas as pd
import pytest
import torch
from rock_salts import (
    FILES,
    fit,
    record_of,
    rock_salt_graphs,
    rock_salt_properties,
    split_settings,
    write_inputs,
    write_store,
)

from polyfacet.config.graphs import NetworkTraining
from polyfacet.evaluation.leakage import Trainings
from polyfacet.facets.graph import training as training_module
from polyfacet.facets.graph import training_run
from polyfacet.facets.graph.embedding import embed, load_network, make_network
from polyfacet.facets.graph.network import NetworkConfig
from polyfacet.facets.graph.training import train_on_properties
from polyfacet.networks.state import TrainingState
from polyfacet.runtime.errors import UserError

CPU = torch.device("cpu")
SMALL = NetworkConfig(width=16, layers=1)
QUICK = NetworkTraining(epochs=4, batch_size=8, validation_fraction=0.2)


@pytest.fixture(scope="module")
def graphs():
    return rock_salt_graphs()


@pytest.fixture(scope="module")
def properties(graphs):
    return rock_salt_properties(graphs)


def trained(graphs, properties, state, config=QUICK, seed=1):
    network = make_network("trained", seed, [], CPU, SMALL)
    store = write_store(graphs, properties, state.with_suffix(".examples"), config, seed)
    result = train_on_properties(network, store, ["vol_atom", "e_form"], config, seed=seed, state=state)
    record = result.record(config.batch_size)
    return network, {name: errors["over_median"] for name, errors in record["validation_errors"].items()}


def same_weights(first, second) -> bool:
    first, second = first.state_dict(), second.state_dict()
    return all(torch.equal(first[name], second[name]) for name in first)


def test_training_predicts_properties_of_unseen_formulas(graphs, properties, tmp_path):
    config = NetworkTraining(epochs=60, batch_size=8, learning_rate=0.01, validation_fraction=0.2)
    _, errors = trained(graphs, properties, tmp_path / "state", config)
    assert set(errors) == {"vol_atom", "e_form"}
    assert errors["vol_atom"] < 0.2
    _, untrained = trained(
        graphs, properties, tmp_path / "other", NetworkTraining(epochs=1, learning_rate=1e-9)
    )
    assert untrained["vol_atom"] > 0.5


def test_an_interrupted_training_ends_in_the_same_weights(graphs, properties, tmp_path, monkeypatch):
    whole, _ = trained(graphs, properties, tmp_path / "whole")
    save = TrainingState.save

    def save_and_die(self, *args):
        save(self, *args)
        if self.epoch == 2:
            raise KeyboardInterrupt

    monkeypatch.setattr("polyfacet.networks.loop.SAVE_EVERY_S", 0)
    monkeypatch.setattr(TrainingState, "save", save_and_die)
    with pytest.raises(KeyboardInterrupt):
        trained(graphs, properties, tmp_path / "state")
    monkeypatch.setattr(TrainingState, "save", save)
    epochs = []
    monkeypatch.setattr(
        training_run._Epochs,
        "run",
        lambda self, epoch, run=training_run._Epochs.run: epochs.append(epoch.number) or run(self, epoch),
    )
    resumed, _ = trained(graphs, properties, tmp_path / "state")
    assert epochs == [2, 3]
    assert same_weights(whole, resumed)


@pytest.mark.parametrize("change", ["seed", "config", "values", "graphs", "damage"])
def test_state_of_a_different_training_is_ignored(graphs, properties, tmp_path, change):
    state = tmp_path / "state"
    network, _ = trained(graphs, properties, state)
    config, seed = QUICK, 1
    if change == "seed":
        seed = 2
    elif change == "config":
        config = NetworkTraining(**{**vars(QUICK), "learning_rate": 0.002})
    elif change == "values":
        properties = properties.assign(e_form=properties["e_form"] + (properties["vol_atom"] > 5))
    elif change == "graphs":
        graphs = graphs[:-4]
    else:
        state.write_bytes(state.read_bytes()[:100])
    fresh, _ = trained(graphs, properties, tmp_path / "fresh", config, seed)
    again, _ = trained(graphs, properties, state, config, seed)
    assert same_weights(fresh, again)
    assert same_weights(network, again) == (change == "damage")


def test_best_epoch_is_kept_and_training_stops_without_improvement(graphs, properties, tmp_path, monkeypatch):
    errors = iter([math.nan, 0.5, math.inf, 0.4, 0.6, math.nan, 0.1, 0.0])
    weights = []

    def finish_with_error(self, _error, model, run=TrainingState.finish_epoch):
        weights.append({name: tensor.clone() for name, tensor in model.network.state_dict().items()})
        run(self, next(errors), model)

    monkeypatch.setattr(TrainingState, "finish_epoch", finish_with_error)
    config = NetworkTraining(epochs=9, batch_size=8, patience=2, validation_fraction=0.2)
    network, _ = trained(graphs, properties, tmp_path / "state", config)
    assert len(weights) == 6
    assert all(torch.equal(network.state_dict()[name], tensor) for name, tensor in weights[3].items())


def test_validation_materials_are_split_off_the_training_part_by_formula(
    graphs, properties, tmp_path, monkeypatch
):
    seen = {}

    def look(network, training, validation, *args, run=training_module.train, **settings):
        seen.update(training=training, validation=validation)
        return run(network, training, validation, *args, **settings)

    monkeypatch.setattr(training_module, "train", look)
    some = graphs[8:]
    trained(some, properties, tmp_path / "state")
    # The elements identify the formula: lithium is not in the part, and the four polymorphs stay together.
    formulas = {
        name: {
            tuple(data.atomic_numbers.tolist())
            for parts in examples.steps(8).batches(0)
            for part in parts
            for data in part.data.to_data_list()
        }
        for name, examples in seen.items()
    }
    assert not formulas["training"] & formulas["validation"]
    assert len(formulas["training"] | formulas["validation"]) == 10
    assert len(seen["validation"].ranks) == 8
    assert all(len(examples.ranks) == len(examples.values) for examples in seen.values())


def test_too_few_materials_for_the_parts_of_a_step_are_an_error(graphs, properties, tmp_path):
    config = NetworkTraining(epochs=4, batch_size=4096, accumulation=1024)
    with pytest.raises(UserError, match="too few for 1024 parts of a step .* Lower them"):
        trained(graphs, properties, tmp_path / "state", config)


def test_unknown_values_do_not_disturb_training(graphs, properties, tmp_path):
    holes = properties.copy()
    holes.iloc[::2, 1] = np.nan
    network, errors = trained(graphs, holes, tmp_path / "state")
    assert np.isfinite(list(errors.values())).all()
    assert all(parameter.isfinite().all() for parameter in network.parameters())


def test_script_writes_network_and_record_without_a_trace_of_the_test_part(graphs, properties, tmp_path):
    in_test = {graph.mat_id for graph in graphs if graph.mat_id.startswith("Rb")}
    write_inputs(tmp_path, graphs, properties, in_test)
    network = fit(tmp_path)
    assert sorted(path.name for path in tmp_path.glob("network*")) == FILES
    record = record_of(tmp_path)
    assert record["kind"] == record["asked"] == "trained"
    assert record["settings"]["epochs"] == 2
    assert record["network"]["width"] == 16
    # The other targets are the same for all materials.
    assert set(record["training"]["validation_errors"]) == {"vol_atom", "e_form"}
    assert (record["training"]["n_train"], record["training"]["n_valid"]) == (28, 8)

    values = dict(embed(load_network(tmp_path / "network.safetensors", CPU), graphs))
    assert all(np.isfinite(value).all() for value in values.values())

    changed = properties.copy()
    changed.loc[sorted(in_test), ["vol_atom", "e_form"]] = 1e6
    write_inputs(tmp_path, graphs, changed, in_test)
    assert fit(tmp_path) == network
    # The order of the materials does not matter, their values do.
    write_inputs(tmp_path, graphs[::-1], properties[::-1], in_test)
    assert fit(tmp_path) == network
    write_inputs(tmp_path, graphs, properties.assign(e_form=-properties["e_form"]), in_test)
    assert fit(tmp_path) != network


def test_the_network_is_not_fitted_on_hidden_graphs(graphs, properties, tmp_path):
    write_inputs(tmp_path, graphs, properties, set())
    hidden = {"share": 0.3, "parts": ["train"], "facets": ["graph"], "seed": 1, "keeps_one": False}
    whole = fit(tmp_path)
    n_whole = record_of(tmp_path)["training"]
    assert fit(tmp_path, hidden=hidden) != whole
    n_shown = record_of(tmp_path)["training"]
    assert n_shown["n_train"] + n_shown["n_valid"] < n_whole["n_train"] + n_whole["n_valid"]


def test_pretraining_precedes_training_and_excludes_the_test_part(graphs, properties, tmp_path):
    in_sample = [graph for graph in graphs if not graph.mat_id.startswith("K")]
    in_test = {graph.mat_id for graph in graphs if graph.mat_id.startswith("Rb")}
    outside = tmp_path / "pretraining"
    outside.mkdir()
    potassium = [graph for graph in graphs if graph.mat_id.startswith("K")]
    write_inputs(outside, potassium, properties[properties["formula"].str.startswith("K")])
    write_inputs(tmp_path, in_sample, properties.loc[[graph.mat_id for graph in in_sample]], in_test=in_test)
    pretraining = {
        "pretraining": outside / "sample.parquet",
        "pretraining_graphs": [outside / "graphs.parquet"],
    }
    without, pretrained = fit(tmp_path), fit(tmp_path, **pretraining)
    assert without != pretrained
    assert sorted(path.name for path in tmp_path.glob("network*")) == FILES
    record = record_of(tmp_path)
    counts = [record[stage][n] for stage in ("pretraining", "training") for n in ("n_train", "n_valid")]
    assert counts == [8, 4, 20, 4]

    assert record["outside"] == {"method": "random", "n_left_out": 0}

    leaking = properties.copy()
    leaking.loc["KF-4.5", "formula"] = "RbF"
    write_inputs(outside, potassium, leaking[leaking.index.str.startswith("K")])
    with pytest.raises(UserError, match="KF-4.5"):
        fit(tmp_path, **pretraining)


@pytest.mark.parametrize(
    ("method", "setting", "n_left_out"),
    [
        ("highest", {"objective": "vol_atom"}, 2),
        ("column", {"column": "prototype_id"}, 1),
        ("folds", {"file": "folds.csv"}, None),
    ],
)
def test_pretraining_leaves_out_what_the_split_holds_out(
    graphs, properties, tmp_path, method, setting, n_left_out
):
    is_outside = [graph.mat_id.startswith("K") for graph in graphs]
    inside = [graph for graph, is_it in zip(graphs, is_outside, strict=True) if not is_it]
    others = [graph for graph, is_it in zip(graphs, is_outside, strict=True) if is_it]
    learned = properties.loc[[graph.mat_id for graph in inside]].assign(prototype_id="old")
    in_test = learned.index[learned.index.str.startswith("Rb")]
    learned.loc[in_test, "prototype_id"] = "new"
    beyond = learned.drop(in_test)["vol_atom"].max() + 1
    seen = properties.loc[[graph.mat_id for graph in others]].assign(prototype_id="old")
    seen["vol_atom"] /= 100
    seen.iloc[:2, seen.columns.get_loc("vol_atom")] = beyond
    seen.iloc[0, seen.columns.get_loc("prototype_id")] = "new"
    (tmp_path / "pretraining").mkdir()
    write_inputs(tmp_path / "pretraining", others, seen)
    write_inputs(tmp_path, inside, learned, in_test=set(in_test))
    fit(
        tmp_path,
        pretraining=tmp_path / "pretraining" / "sample.parquet",
        pretraining_graphs=[tmp_path / "pretraining" / "graphs.parquet"],
        split_method=method,
        split_settings=split_settings(**setting),
    )
    record = record_of(tmp_path)
    assert record["outside"] == {"method": method, "n_left_out": n_left_out}
    n_used = record["pretraining"]["n_train"] + record["pretraining"]["n_valid"]
    assert n_used == len(others) - (n_left_out or 0)


@pytest.mark.parametrize("objective", ["hardness", "vol_atom"])
def test_values_that_only_the_sample_has_leave_what_is_held_out_unknown(
    graphs, properties, tmp_path, objective
):
    inside = [graph for graph in graphs if not graph.mat_id.startswith("K")]
    others = [graph for graph in graphs if graph.mat_id.startswith("K")]
    in_test = {graph.mat_id for graph in inside if graph.mat_id.startswith("Rb")}
    varied = properties.assign(e_form=np.arange(len(properties)) % 5)
    (tmp_path / "pretraining").mkdir()
    write_inputs(tmp_path / "pretraining", others, varied.loc[[graph.mat_id for graph in others]])
    write_inputs(tmp_path, inside, varied.loc[[graph.mat_id for graph in inside]], in_test=in_test)
    # Even if the sample has a column of this name.
    own = pd.DataFrame({"mat_id": [graph.mat_id for graph in inside], objective: 1.0})
    own.to_parquet(tmp_path / "objective.parquet")
    fit(
        tmp_path,
        training={"epochs": 2, "batch_size": 8, "validation_fraction": 0.25, "objectives": ["e_form"]},
        pretraining=tmp_path / "pretraining" / "sample.parquet",
        pretraining_graphs=[tmp_path / "pretraining" / "graphs.parquet"],
        split_method="highest",
        split_settings=split_settings(objective=objective),
        derived=[tmp_path / "objective.parquet"],
    )
    record = record_of(tmp_path)
    assert record["outside"] == {"method": "highest", "n_left_out": None}
    (note,) = [each for each in Trainings(**record).knowledge.notes if "holds out" in each]
    assert note == "materials outside the sample may be of the kind that the split `highest` holds out"


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a GPU")
def test_gpu_embeddings_agree_with_those_of_the_cpu(graphs, properties, tmp_path):
    write_inputs(tmp_path, graphs, properties)
    fit(tmp_path)
    path = tmp_path / "network.safetensors"
    on_cpu, on_gpu = (dict(embed(load_network(path, torch.device(d)), graphs)) for d in ("cpu", "cuda"))
    for mat_id, value in on_cpu.items():
        np.testing.assert_allclose(on_gpu[mat_id], value, atol=1e-4, rtol=1e-4)
