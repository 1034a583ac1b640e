import dataclasses
import json

import numpy as np
import pandas as pd
import pytest
import torch
from pymatgen.core import Lattice, Structure
from pymatgen.io.cif import CifWriter
from structure_stages import graphs_of_shard
from textbook_crystals import SAME_CELL, all_crystals, supercell

import embed_graphs
import fit_network
from polyfacet.facets.graph.crystal_graph import GRAPHS, build_graphs, graph_from_row, read_graphs
from polyfacet.facets.graph.devices import choose_device
from polyfacet.facets.graph.embedding import (
    embed,
    load_network,
    make_network,
    save_network,
)
from polyfacet.facets.graph.network import NetworkConfig
from polyfacet.materials.crystal import primitive_crystal
from polyfacet.materials.stage_tables import EMBEDDINGS
from polyfacet.runtime.errors import UserError
from polyfacet.runtime.parquet import read_table, write_table
from polyfacet.splits.parts import SPLIT

CPU = torch.device("cpu")
SMALL = NetworkConfig(width=32, layers=2)
CRYSTALS = all_crystals()


def graphs_of(crystals):
    return build_graphs(crystals, pauli="coded", neighbours=16, min_radius=0.0)


@pytest.fixture(scope="module")
def graphs():
    return graphs_of(CRYSTALS)


@pytest.fixture(scope="module")
def calibrated(graphs):
    return make_network("calibrated", 42, graphs, CPU)


def embeddings(network, graphs) -> np.ndarray:
    return np.stack([embedding for _, embedding in embed(network, graphs)])


@pytest.mark.parametrize("change", [*SAME_CELL, supercell])
def test_embedding_does_not_depend_on_the_description_of_the_crystal(graphs, calibrated, change):
    reference = embeddings(calibrated, graphs)
    typical = np.median(
        np.linalg.norm(reference[:, None] - reference, axis=-1)[np.triu_indices(len(graphs), 1)]
    )
    changed = {name: change(crystal) for name, crystal in CRYSTALS.items()}
    if change is supercell:
        changed = {name: primitive_crystal(crystal) for name, crystal in changed.items()}
        graphs = graphs_of({name: primitive_crystal(crystal) for name, crystal in CRYSTALS.items()})
        reference = embeddings(calibrated, graphs)
    moved = embeddings(calibrated, graphs_of(changed))
    assert np.linalg.norm(moved - reference, axis=1).max() < 1e-4 * typical


def test_calibration_yields_mean_0_and_variance_1_on_the_training_materials(graphs, calibrated):
    seen: dict[torch.nn.BatchNorm1d, list[torch.Tensor]] = {}
    norms = [norm for layer in calibrated.normalisations() for norm in layer]
    hooks = [
        norm.register_forward_hook(lambda norm, _inputs, output: seen.setdefault(norm, []).append(output))
        for norm in norms
    ]
    list(embed(calibrated, graphs))
    for hook in hooks:
        hook.remove()
    assert len(norms) == len(seen) == 6
    for norm, outputs in seen.items():
        values = torch.cat(outputs)
        assert values.mean(dim=0).abs().max() < 1e-4
        # The normalisation adds eps to the variance, so that constant features do not explode.
        variance = norm.running_var / (norm.running_var + norm.eps)
        torch.testing.assert_close(values.var(dim=0, unbiased=False), variance, atol=1e-3, rtol=0)
        assert variance.median() > 0.9


def test_calibration_does_not_depend_on_the_order_of_the_materials(graphs):
    forth = make_network("calibrated", 1, graphs, CPU, SMALL).state_dict()
    back = make_network("calibrated", 1, graphs[::-1], CPU, SMALL).state_dict()
    assert all(torch.equal(forth[name], back[name]) for name in forth)


def test_seed_and_kind_determine_the_network(graphs):
    state = torch.random.get_rng_state()
    first, again, other = (embeddings(make_network("random", s, [], CPU, SMALL), graphs) for s in (1, 1, 2))
    assert torch.equal(torch.random.get_rng_state(), state)
    np.testing.assert_array_equal(first, again)
    assert np.abs(first - other).max() > 1e-2
    fitted = embeddings(make_network("calibrated", 1, graphs, CPU, SMALL), graphs)
    assert np.abs(first - fitted).max() > 1e-2


def test_embedding_does_not_depend_on_the_other_materials(graphs, calibrated):
    together = dict(embed(calibrated, graphs))
    for graph in graphs[:3]:
        ((_, alone),) = embed(calibrated, [graph])
        np.testing.assert_array_equal(alone, together[graph.mat_id])


def test_saved_network_has_the_same_embeddings_and_bytes(graphs, tmp_path):
    network = make_network("calibrated", 3, graphs, CPU, SMALL)
    for name in ("a", "b"):
        save_network(network, tmp_path / name, {"kind": "calibrated", "seed": 3})
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()
    loaded = load_network(tmp_path / "a", CPU)
    assert loaded.config == SMALL
    np.testing.assert_array_equal(embeddings(loaded, graphs), embeddings(network, graphs))


def test_calibration_without_training_materials_raises_user_error():
    with pytest.raises(UserError, match="needs training materials"):
        make_network("calibrated", 1, [], CPU, SMALL)


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a GPU")
def test_missing_gpu_raises_user_error():
    assert choose_device("auto") == CPU
    with pytest.raises(UserError, match="no GPU"):
        choose_device("cuda")


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a GPU")
def test_gpu_agrees(graphs, calibrated):
    on_gpu = make_network("calibrated", 42, graphs, torch.device("cuda"))
    np.testing.assert_allclose(embeddings(on_gpu, graphs), embeddings(calibrated, graphs), atol=1e-3)


def test_graph_is_unchanged_after_writing_and_reading(graphs, tmp_path):
    write_table(tmp_path / "g.parquet", [graph.row() for graph in graphs], GRAPHS)
    rows = read_table(tmp_path / "g.parquet", GRAPHS).to_dict("records")
    for graph, read in zip(graphs, map(graph_from_row, rows), strict=True):
        assert read.mat_id == graph.mat_id
        np.testing.assert_array_equal(read.pair_potentials, graph.pair_potentials)
        np.testing.assert_array_equal(read.atomic_numbers, graph.atomic_numbers)
        for field in dataclasses.fields(graph.local):
            np.testing.assert_array_equal(getattr(read.local, field.name), getattr(graph.local, field.name))


@pytest.fixture
def cifs(tmp_path):
    folder = tmp_path / "cif"
    folder.mkdir()
    for name, crystal in CRYSTALS.items():
        fractional = crystal.cart_coords @ np.linalg.inv(crystal.lattice)
        structure = Structure(Lattice(crystal.lattice), crystal.atomic_numbers, fractional)
        CifWriter(structure, significant_figures=10).write_file(folder / f"{name}.cif")
    return folder


def test_scripts_give_the_same_bytes_for_any_shards(cifs, tmp_path):
    names = sorted(CRYSTALS)
    split = [{"mat_id": name, "group": name, "part": "test" if name == "slab" else "train"} for name in names]
    write_table(tmp_path / "split.parquet", split, SPLIT)
    shards = {"one": [names], "two": [names[1::2], names[::2]]}
    embeddings = {}
    for label, parts in shards.items():
        tables = [tmp_path / f"{label}-{number}.parquet" for number in range(len(parts))]
        for table, part in zip(tables, parts, strict=True):
            assert graphs_of_shard(cifs, part, table).empty
        network = tmp_path / f"{label}.network"
        fit_network.main(
            tables,
            tmp_path / "split.parquet",
            network,
            tmp_path / f"{label}.network.json",
            kind="calibrated",
            seed=42,
            device="cpu",
            width=32,
            layers=2,
        )
        embedded = [embeddings_of(table, network) for table in tables]
        embeddings[label] = pd.concat(embedded).sort_values("mat_id", ignore_index=True)
    assert (tmp_path / "one.network").read_bytes() == (tmp_path / "two.network").read_bytes()
    assert embeddings["one"]["mat_id"].tolist() == names
    values, others = (np.stack(table["embedding"]) for table in embeddings.values())
    assert values.tobytes() == others.tobytes()
    assert values.shape == (len(names), 128)
    assert np.isfinite(values).all()


def embeddings_of(graphs, network, kept=None):
    output = graphs.with_suffix(".embeddings")
    embed_graphs.main(
        graphs, network, output, provenance=graphs.with_suffix(".json"), device="cpu", kept=kept
    )
    return read_table(output, EMBEDDINGS)


@pytest.mark.parametrize(("kind", "n_kept"), [("random", 3), ("calibrated", 0)])
def test_embeddings_are_kept_until_the_network_changes(cifs, tmp_path, kind, n_kept):
    graphs, split, network = (tmp_path / name for name in ("g.parquet", "split.parquet", "network"))
    sizes = {"width": 32, "layers": 2}
    for names in (sorted(CRYSTALS)[:3], sorted(CRYSTALS)[:4]):
        graphs_of_shard(cifs, names, graphs)
        write_table(split, [{"mat_id": name, "group": name, "part": "train"} for name in names], SPLIT)
        fit_network.main(
            [graphs], split, network, tmp_path / "network.json", kind=kind, seed=1, device="cpu", **sizes
        )
        table = embeddings_of(graphs, network, tmp_path / "kept" / "shard-0-of-1")
    counts = json.loads(graphs.with_suffix(".json").read_text())
    assert counts == {"made": 4 - n_kept, "kept": n_kept}
    pd.testing.assert_frame_equal(table, embeddings_of(graphs, network))


def test_same_material_in_two_shards_raises_user_error(cifs, tmp_path):
    graphs_of_shard(cifs, ["copper"], tmp_path / "g.parquet")
    with pytest.raises(UserError, match="copper"):
        read_graphs([tmp_path / "g.parquet"] * 2)
