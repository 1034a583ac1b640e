"""Align the objectives, facets and parts of a shard's materials in one table."""

from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import Annotated, Any

import pyarrow as pa
import pyarrow.parquet as pq

from polyfacet.facets.aligned import relative_pictures, tables_by_facet, with_facets, without_hidden
from polyfacet.facets.registry import facet_named
from polyfacet.materials.crystal_objectives import PREDEFINED
from polyfacet.materials.derived_objectives import with_derived
from polyfacet.runtime.arguments import Key
from polyfacet.runtime.parquet import empty_columns, write_table
from polyfacet.runtime.progress import tell
from polyfacet.runtime.sharding import read_shard
from polyfacet.splits.hidden_facets import HiddenFacets
from polyfacet.splits.parts import SPLIT
from polyfacet.training.dataset import NOT_LEARNED_FROM, dataset_schema, with_labels


def main(
    sample: Path,
    split: Path,
    tables: list[Path],
    dataset: Path,
    *,
    source: str,
    facets: Sequence[str],
    shard: int,
    n_shards: Annotated[int, Key("shards")],
    structure_pictures: Sequence[str] = ("image",),
    derived: Sequence[Path] = (),
    shown: Mapping[str, Mapping[str, str]] = MappingProxyType({}),
    hidden: Mapping[str, Any] | None = None,
) -> None:
    """Write the dataset's part of one shard.

    Parameters
    ----------
    sample, split
        Tables of the source's materials and their parts.
    tables
        Tables of this shard, one per facet that has a stage.  They lack materials that the stage rejected.
    dataset
        Output.
    source
        Name of the source, for messages.
    facets
        Facets of the source.
    shard, n_shards
        The materials of the sample whose hash falls into this shard.
    structure_pictures
        Columns of the structures' pictures: ``image``, or one per view.
    derived
        Tables of objectives that have one of their own, also instead of a column of the sample.
    shown
        Labels and units of objectives whose tables do not specify them.
    hidden
        Fields of `polyfacet.splits.hidden_facets.HiddenFacets`: facets that the dataset does not show.
    """
    schema = pq.read_schema(sample)
    named = [facet_named(name) for name in facets]
    fields = [pq.read_schema(path).remove_metadata().field(1) for path in derived]
    # Of the predefined objectives, only those that a source states.
    unknown = empty_columns(sample) & {each.name for each in PREDEFINED}
    schema = pa.schema([field for field in schema if field.name not in unknown])
    elsewhere = {*NOT_LEARNED_FROM, *facets, *(field.name for field in fields)}
    columns = [name for name in schema.names if name not in elsewhere]
    frame = read_shard(sample, schema, int(shard), n_shards, columns)
    frame = frame.merge(read_shard(split, SPLIT, int(shard), n_shards), on="mat_id", validate="one_to_one")
    frame = with_derived(frame, derived)
    frame = with_facets(frame, tables_by_facet(named, tables, sample))
    frame = without_hidden(frame, named, HiddenFacets.from_settings(hidden))
    frame = relative_pictures(frame, dataset.parent)
    whole = with_labels(dataset_schema(schema, named, structure_pictures, fields), shown)
    # A shard may have no pictures of a view.
    frame = frame.reindex(columns=whole.names)
    write_table(dataset, frame.sort_values("mat_id"), whole)
    counts = Counter(facet for names in frame["facets"] for facet in names)
    said = ", ".join(f"{facet} {n}" for facet, n in counts.items())
    tell(f"dataset of {source}, shard {shard}: {len(frame)} materials, with {said}")


if __name__ == "__main__":
    from polyfacet.config.entry_point import run

    run(main, globals().get("snakemake"))
