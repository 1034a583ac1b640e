"""Embed the graphs of a shard's materials."""

from pathlib import Path

from polyfacet.config.graphs import Device
from polyfacet.facets.graph.crystal_graph import read_graphs
from polyfacet.facets.graph.devices import choose_device
from polyfacet.facets.graph.embedding import embed, load_network
from polyfacet.materials.stage_tables import EMBEDDINGS
from polyfacet.runtime.files import sha256_of_file
from polyfacet.runtime.kept_results import KeptResults


def main(
    graphs: Path,
    network: Path,
    embeddings: Path,
    *,
    provenance: Path,
    device: Device,
    kept: Path | None = None,
    code: str = "",
) -> None:
    """Embed the materials of one shard that have a graph.

    Parameters
    ----------
    graphs
        Table of graphs.
    network
        Weights and statistics.
    embeddings
        Output: the embeddings, ordered by mat_id.
    provenance
        Output: JSON with the numbers of results made and kept.
    device
        ``auto`` uses a GPU if there is one.
    kept, code
        Record of this shard and digest of the code; see `polyfacet.runtime.kept_results.KeptResults`.
    """
    where = choose_device(device)
    by_id = {graph.mat_id: graph for graph in read_graphs([graphs])}
    recipe = {"code": code, "network": sha256_of_file(network), "device": str(where)}
    made_of = {mat_id: graph.digest() for mat_id, graph in by_id.items()}
    results = KeptResults(kept, EMBEDDINGS, recipe, made_of, script=Path(__file__))
    new = [by_id[mat_id] for mat_id in results.reuse()]
    rows = [
        {"mat_id": mat_id, "embedding": embedding}
        for mat_id, embedding in embed(load_network(network, where), new)
    ]
    results.write(embeddings, provenance, rows)


if __name__ == "__main__":
    from polyfacet.config.entry_point import run

    run(main, globals().get("snakemake"))
