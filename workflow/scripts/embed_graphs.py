"""Embed the graphs of all materials by a network that is fitted on the training part of a split."""

from collections import Counter
from pathlib import Path

from polyfacet.errors import UserError
from polyfacet.splitting import SPLIT, TRAIN
from polyfacet.stage_tables import EMBEDDINGS
from polyfacet.structure_facet.crystal_graph import GRAPHS, CrystalGraph, graph_from_row
from polyfacet.structure_facet.embedding import (
    Device,
    EmbeddingKind,
    choose_device,
    embed,
    make_network,
    save_network,
)
from polyfacet.tables import read_table, write_table


def main(
    graphs: list[Path],
    split: Path,
    embeddings: Path,
    network: Path,
    *,
    kind: EmbeddingKind,
    seed: int,
    device: Device,
) -> None:
    """Embed all materials that have a graph.

    Parameters
    ----------
    graphs
        Tables of graphs, one per shard; their number and order do not matter.
    split
        Table of mat_id and part.
    embeddings, network
        Outputs: the embeddings, ordered by mat_id; weights and statistics they were made with.
    kind, seed
        See `polyfacet.structure_facet.embedding.make_network`.
    device
        ``auto`` takes a GPU where there is one.
    """
    crystal_graphs = _read_graphs(graphs)
    parts = read_table(split, SPLIT)
    training = set(parts["mat_id"][parts["part"] == TRAIN])
    potnet = make_network(
        kind, seed, [graph for graph in crystal_graphs if graph.mat_id in training], choose_device(device)
    )
    rows = [{"mat_id": mat_id, "embedding": embedding} for mat_id, embedding in embed(potnet, crystal_graphs)]
    save_network(potnet, network, kind=kind, seed=seed)
    write_table(embeddings, rows, EMBEDDINGS)


def _read_graphs(paths: list[Path]) -> list[CrystalGraph]:
    graphs = [graph_from_row(row) for path in paths for row in read_table(path, GRAPHS).to_dict("records")]
    repeated = [mat_id for mat_id, n in Counter(graph.mat_id for graph in graphs).items() if n > 1]
    if repeated:
        raise UserError(
            f"{len(repeated)} materials are in several shards of graphs ({', '.join(sorted(repeated)[:5])}). "
            "The shards are of different runs: delete the folder of graphs and run again."
        )
    return graphs


if __name__ == "__main__":
    from polyfacet.job import run

    run(main, globals().get("snakemake"))
