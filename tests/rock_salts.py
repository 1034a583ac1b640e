"""Rock salts to train the network on: the input files of `fit_network`, and the files that it writes."""

import json
from itertools import product

import pandas as pd
import pytest
from safetensors import safe_open
from textbook_crystals import primitive_fcc

import fit_network
from polyfacet.facets.graph.crystal_graph import GRAPHS, build_graphs
from polyfacet.facets.graph.example_store import ExampleStore
from polyfacet.facets.graph.training_examples import held_out_materials
from polyfacet.materials.material import SAMPLE
from polyfacet.runtime.parquet import write_table
from polyfacet.splits.parts import SPLIT

METALS, NON_METALS, LENGTHS = ("Li", "Na", "K", "Rb"), ("F", "Cl", "Br"), (4.5, 5.0, 5.5, 6.0)
FILES = ["network.json", "network.safetensors"]


def rock_salt_graphs():
    """Build graphs of rock salts of several elements and sizes: four polymorphs of each formula."""
    crystals = {
        f"{metal}{other}-{length}": primitive_fcc(length, [metal, other], [[0, 0, 0], [0.5, 0.5, 0.5]])
        for metal, other, length in product(METALS, NON_METALS, LENGTHS)
    }
    return build_graphs(crystals, pauli="coded", neighbours=16, min_radius=0.0)


def rock_salt_properties(graphs):
    """Return one property that depends on the lattice and one that depends on an element."""
    names = [graph.mat_id for graph in graphs]
    lengths = [float(name.split("-")[1]) for name in names]
    metals = [METALS.index(name.rstrip("-.0123456789").rstrip("FClBr")) for name in names]
    table = {"formula": [name.split("-")[0] for name in names], "vol_atom": lengths, "e_form": metals}
    return pd.DataFrame(table, index=names).astype({"vol_atom": float, "e_form": float})


def write_inputs(folder, graphs, properties, in_test=()):
    """Write the inputs of the script: one shard of graphs, the sample, the split."""
    write_table(folder / "graphs.parquet", [graph.row() for graph in graphs], GRAPHS)
    split = [
        {"mat_id": g.mat_id, "group": g.mat_id, "part": "test" if g.mat_id in in_test else "train"}
        for g in graphs
    ]
    write_table(folder / "split.parquet", split, SPLIT)
    blank = dict.fromkeys(("gap", "e_hull", "e_total", "mag_vol", "dos_ef", "volume"), 0.0)
    blank |= {"prototype_id": None, "space_group": None, "n_sites": 2}
    blank |= {"structure": "", "data": "{}", "source_file": ""}
    rows = [
        {**blank, "source_position": 0, "mat_id": mat_id, **row}
        for mat_id, row in properties.to_dict("index").items()
    ]
    write_table(folder / "sample.parquet", rows, SAMPLE)


def write_store(graphs, properties, path, config, seed):
    """Write the examples of a training on rock salts, whose formulas keep together."""
    table = path.with_suffix(".graphs")
    write_table(table, [graph.row() for graph in graphs], GRAPHS)
    groups = {graph.mat_id: properties["formula"][graph.mat_id] for graph in graphs}
    held_out = held_out_materials(groups, config.validation_fraction, seed)
    return ExampleStore.write(path, [table], held_out, properties[["vol_atom", "e_form"]])


def split_settings(**changes):
    return {"train_fraction": 0.85, "validation_fraction": 0.15, "seed": 7, "repeat": 0} | changes


def fit(folder, **changes):
    settings = {"kind": "trained", "seed": 7, "device": "cpu", "width": 16, "layers": 1}
    settings |= {"training": {"epochs": 2, "batch_size": 8, "validation_fraction": 0.25}}
    settings |= {"split_method": "random", "split_settings": split_settings()}
    fit_network.main(
        [folder / "graphs.parquet"],
        folder / "split.parquet",
        folder / "network.safetensors",
        folder / "network.json",
        sample=folder / "sample.parquet",
        **settings | changes,
    )
    return (folder / "network.safetensors").read_bytes()


def record_of(folder):
    """Read the script's record of the network; check that it is standard JSON."""
    text = (folder / "network.json").read_text()
    with safe_open(folder / "network.safetensors", framework="pt") as file:
        in_network = json.loads(file.metadata()["config"])
    record = json.loads(text, parse_constant=pytest.fail)
    assert {**record, "network": in_network["network"]} == in_network
    return in_network
