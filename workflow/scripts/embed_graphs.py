"""Embed the graphs of all materials."""

from pathlib import Path

from polyfacet.stage_tables import EMBEDDINGS
from polyfacet.structure_facet.crystal_graph import read_graphs
from polyfacet.structure_facet.devices import Device, choose_device
from polyfacet.structure_facet.embedding import embed, load_network
from polyfacet.tables import write_table


def main(graphs: list[Path], network: Path, embeddings: Path, *, device: Device) -> None:
    """Embed all materials that have a graph.

    Parameters
    ----------
    graphs
        Tables of graphs, one per shard; their number and order do not matter.
    network
        Weights and statistics.
    embeddings
        Output: the embeddings, ordered by mat_id.
    device
        ``auto`` takes a GPU where there is one.
    """
    potnet = load_network(network, choose_device(device))
    rows = [
        {"mat_id": mat_id, "embedding": embedding} for mat_id, embedding in embed(potnet, read_graphs(graphs))
    ]
    write_table(embeddings, rows, EMBEDDINGS)


if __name__ == "__main__":
    from polyfacet.job import run

    run(main, globals().get("snakemake"))
