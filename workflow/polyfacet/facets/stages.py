"""What the stage of a facet leaves for those that follow."""

from dataclasses import dataclass


@dataclass(frozen=True)
class FacetStage:
    """Paths of a stage's results, as patterns of Snakemake's wildcards.

    Attributes
    ----------
    table
        Table of a shard: one row per material, or per picture.
    pictures
        Folder of a shard's pictures; empty for a facet without pictures.
    rejected, provenance
        What the stage of a shard says of rejects, and of results made and kept.
    provenance_of_split
        The same of the part of the stage that is repeated for each split; empty if there is none.
    """

    table: str
    pictures: str = ""
    rejected: str = ""
    provenance: str = ""
    provenance_of_split: str = ""
