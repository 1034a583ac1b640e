"""Training of the network: what it learns from, that it can be interrupted, what it leaves behind."""

import json
from itertools import product

import numpy as np
import pandas as pd
import pytest
import torch
from safetensors import safe_open
from textbook_crystals import primitive_fcc

import fit_network
from polyfacet.errors import UserError
from polyfacet.materials import SAMPLE
from polyfacet.splitting import SPLIT
from polyfacet.structure_facet import training as training_module
from polyfacet.structure_facet.crystal_graph import GRAPHS, build_graph
from polyfacet.structure_facet.embedding import embed, load_network, make_network
from polyfacet.structure_facet.network import NetworkConfig
from polyfacet.structure_facet.training import (
    TargetScale,
    TrainingConfig,
    train_on_properties,
)
from polyfacet.structure_facet.training_state import TrainingState
from polyfacet.tables import write_table
from polyfacet.targets import Target

CPU = torch.device("cpu")
SMALL = NetworkConfig(width=16, layers=1)
QUICK = TrainingConfig(epochs=4, batch_size=8, validation_fraction=0.2)
METALS, NON_METALS, LENGTHS = ("Li", "Na", "K", "Rb"), ("F", "Cl", "Br"), (4.5, 5.0, 5.5, 6.0)


@pytest.fixture(scope="module")
def graphs():
    """Rock salts of several elements and sizes: four polymorphs of each formula."""
    return [
        build_graph(
            f"{metal}{other}-{length}",
            primitive_fcc(length, [metal, other], [[0, 0, 0], [0.5, 0.5, 0.5]]),
            pauli="coded",
            neighbours=16,
            min_radius=0.0,
        )
        for metal, other, length in product(METALS, NON_METALS, LENGTHS)
    ]


@pytest.fixture(scope="module")
def properties(graphs):
    """One property of the lattice, one of an element."""
    names = [graph.mat_id for graph in graphs]
    lengths = [float(name.split("-")[1]) for name in names]
    metals = [METALS.index(name.rstrip("-.0123456789").rstrip("FClBr")) for name in names]
    table = {"formula": [name.split("-")[0] for name in names], "vol_atom": lengths, "e_form": metals}
    return pd.DataFrame(table, index=names).astype({"vol_atom": float, "e_form": float})


def trained(graphs, properties, state, config=QUICK, seed=1):
    network = make_network("trained", seed, [], CPU, SMALL)
    errors = train_on_properties(network, graphs, properties, config, seed=seed, state=state)
    return network, errors


def same_weights(first, second) -> bool:
    first, second = first.state_dict(), second.state_dict()
    return all(torch.equal(first[name], second[name]) for name in first)


def test_training_finds_the_properties_of_formulas_it_has_not_seen(graphs, properties, tmp_path):
    config = TrainingConfig(epochs=60, batch_size=8, learning_rate=0.01, validation_fraction=0.2)
    _, errors = trained(graphs, properties, tmp_path / "state", config)
    assert set(errors) == {"vol_atom", "e_form"}
    assert errors["vol_atom"] < 0.2
    _, untrained = trained(
        graphs, properties, tmp_path / "other", TrainingConfig(epochs=1, learning_rate=1e-9)
    )
    assert untrained["vol_atom"] > 0.5


def test_an_interrupted_training_ends_in_the_same_weights(graphs, properties, tmp_path, monkeypatch):
    whole, _ = trained(graphs, properties, tmp_path / "whole")
    save = TrainingState.save

    def save_and_die(self, *args):
        save(self, *args)
        if self.epoch == 2:
            raise KeyboardInterrupt

    monkeypatch.setattr(TrainingState, "save", save_and_die)
    with pytest.raises(KeyboardInterrupt):
        trained(graphs, properties, tmp_path / "state")
    monkeypatch.setattr(TrainingState, "save", save)
    epochs = []
    monkeypatch.setattr(
        training_module,
        "_train_epoch",
        lambda *args, run=training_module._train_epoch: epochs.append(args[-1]) or run(*args),
    )
    resumed, _ = trained(graphs, properties, tmp_path / "state")
    assert epochs == [2, 3]
    assert same_weights(whole, resumed)


@pytest.mark.parametrize("change", ["seed", "config", "values", "graphs", "damage"])
def test_a_state_of_another_training_is_not_used(graphs, properties, tmp_path, change):
    state = tmp_path / "state"
    network, _ = trained(graphs, properties, state)
    config, seed = QUICK, 1
    if change == "seed":
        seed = 2
    elif change == "config":
        config = TrainingConfig(**{**vars(QUICK), "learning_rate": 0.002})
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


def test_the_best_epoch_is_kept_and_training_stops_without_gain(graphs, properties, tmp_path, monkeypatch):
    errors = iter([0.5, 0.4, 0.6, 0.7, 0.1, 0.0])
    weights = []

    def made_up(model, *_):
        weights.append({name: tensor.clone() for name, tensor in model.network.state_dict().items()})
        return np.array([next(errors), np.nan])

    monkeypatch.setattr(training_module, "_errors", made_up)
    config = TrainingConfig(epochs=9, batch_size=8, patience=2, validation_fraction=0.2)
    network, _ = trained(graphs, properties, tmp_path / "state", config)
    # Four epochs, and the measurement of what is returned.
    assert len(weights) == 5
    assert all(torch.equal(network.state_dict()[name], tensor) for name, tensor in weights[1].items())


def test_validation_is_a_part_of_the_training_part_by_formula(graphs, properties, tmp_path, monkeypatch):
    seen = {}

    def look(_network, training, validation, _config, **_):
        seen.update(training=training, validation=validation)
        return {}

    monkeypatch.setattr(training_module, "train", look)
    some = graphs[8:]
    trained(some, properties, tmp_path / "state")
    # The element tells the formula: lithium is not in the part at all, the four polymorphs stay together.
    formulas = {
        part: {tuple(data.atomic_numbers.tolist()) for data in examples.inputs}
        for part, examples in seen.items()
    }
    assert not formulas["training"] & formulas["validation"]
    assert len(formulas["training"] | formulas["validation"]) == 10
    assert len(seen["validation"].inputs) == 8
    assert all(len(examples.inputs) == len(examples.values) for examples in seen.values())


def test_unknown_values_are_learned_around(graphs, properties, tmp_path):
    holes = properties.copy()
    holes.iloc[::2, 1] = np.nan
    network, errors = trained(graphs, holes, tmp_path / "state")
    assert np.isfinite(list(errors.values())).all()
    assert all(parameter.isfinite().all() for parameter in network.parameters())


def test_scale_is_that_of_the_training_values_and_withstands_outliers_and_constants():
    values = np.array([[0.0, 7.0], [1.0, 7.0], [2.0, 7.0], [1000.0, np.nan]])
    scale = TargetScale.fit(values)
    assert scale.centre.tolist() == [1.5, 7.0]
    assert scale.spread.tolist() == [np.mean([1.5, 0.5, 0.5, 998.5]), 1.0]
    normalised = scale.normalise(values)
    assert normalised[:3, 1].tolist() == [0.0, 0.0, 0.0]
    assert normalised[3, 1].isnan()


def write_inputs(folder, graphs, properties, in_test=()):
    """Write what the script reads: one shard of graphs, the sample, the split."""
    write_table(folder / "graphs.parquet", [graph.row() for graph in graphs], GRAPHS)
    split = [{"mat_id": g.mat_id, "part": "test" if g.mat_id in in_test else "train"} for g in graphs]
    write_table(folder / "split.parquet", split, SPLIT)
    blank = dict.fromkeys(("gap", "e_hull", "e_total", "mag_vol", "dos_ef", "volume"), 0.0)
    blank |= {"prototype_id": None, "space_group": None, "n_sites": 2, "structure": "", "source_file": ""}
    rows = [
        {**blank, "source_position": 0, "mat_id": mat_id, **row}
        for mat_id, row in properties.to_dict("index").items()
    ]
    write_table(folder / "sample.parquet", rows, SAMPLE)


def fit(folder, **changes):
    settings = {"kind": "trained", "seed": 7, "device": "cpu", "width": 16, "layers": 1}
    settings |= {"training": {"epochs": 2, "batch_size": 8, "validation_fraction": 0.25}}
    fit_network.main(
        [folder / "graphs.parquet"],
        folder / "split.parquet",
        folder / "network.safetensors",
        sample=folder / "sample.parquet",
        **settings | changes,
    )
    return (folder / "network.safetensors").read_bytes()


def test_script_writes_the_network_with_its_record_and_no_trace_of_the_test_part(
    graphs, properties, tmp_path
):
    in_test = {graph.mat_id for graph in graphs if graph.mat_id.startswith("Rb")}
    write_inputs(tmp_path, graphs, properties, in_test)
    network = fit(tmp_path)
    assert [path.name for path in tmp_path.glob("network*")] == ["network.safetensors"]
    with safe_open(tmp_path / "network.safetensors", framework="pt") as file:
        record = json.loads(file.metadata()["config"])
    assert record["kind"] == "trained"
    assert record["training"]["settings"]["epochs"] == 2
    assert record["network"]["width"] == 16
    assert set(record["training"]["validation_errors"]) == {target.value for target in Target}

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


def test_pretraining_comes_first_and_must_not_know_the_test_part(graphs, properties, tmp_path):
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
    assert [path.name for path in tmp_path.glob("network*")] == ["network.safetensors"]
    with safe_open(tmp_path / "network.safetensors", framework="pt") as file:
        record = json.loads(file.metadata()["config"])
    assert (record["pretraining"]["n"], record["training"]["n"]) == (12, 24)

    leaking = properties.copy()
    leaking.loc["KF-4.5", "formula"] = "F2Rb2"
    write_inputs(outside, potassium, leaking[leaking.index.str.startswith("K")])
    with pytest.raises(UserError, match="KF-4.5"):
        fit(tmp_path, **pretraining)


def test_too_few_training_materials_are_refused(graphs, properties, tmp_path):
    write_inputs(tmp_path, graphs, properties, {graph.mat_id for graph in graphs[4:]})
    with pytest.raises(UserError, match="training materials"):
        fit(tmp_path)


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a GPU")
def test_gpu_embeds_as_the_processor_does(graphs, properties, tmp_path):
    write_inputs(tmp_path, graphs, properties)
    fit(tmp_path)
    path = tmp_path / "network.safetensors"
    on_cpu, on_gpu = (dict(embed(load_network(path, torch.device(d)), graphs)) for d in ("cpu", "cuda"))
    for mat_id, value in on_cpu.items():
        np.testing.assert_allclose(on_gpu[mat_id], value, atol=1e-4, rtol=1e-4)
