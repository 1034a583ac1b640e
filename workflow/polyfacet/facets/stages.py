"""Paths of the files that a facet's stage writes."""

from dataclasses import dataclass

from polyfacet.facets.declaration import Facet


@dataclass(frozen=True)
class FacetFiles:
    """Paths of a stage's results, as patterns of the workflow's wildcards.

    Attributes
    ----------
    table
        Table of a shard: one row per material, or per picture.
    pictures
        Folder of a shard's pictures; empty for a facet without pictures.
    rejected, provenance
        Rejects of a shard, and provenance of the results that were made and of those that were kept.
    provenance_of_split
        Provenance of the part of the stage that is repeated for each split; empty if there is no such part.
    """

    table: str
    pictures: str
    rejected: str
    provenance: str
    provenance_of_split: str


def files_of_facet(facet: Facet, form: str, source: str, split: str) -> FacetFiles:
    """Return the files of a facet that has a stage.

    Parameters
    ----------
    facet
        The facet.
    form
        Form to use if the facet does not specify one.
    source, split
        Folders of the source and of the split, as patterns.

    Raises
    ------
    ValueError
        If the facet has no stage.
    """
    stage = facet.stage
    if stage is None:
        raise ValueError(f"the facet {facet.name} has no stage")
    folder = stage.folder.replace("{form}", facet.form or form)
    made = f"{split if stage.of_split else source}/{folder}/shard-{{shard}}"
    rejecting = f"{source}/{stage.rejects or folder}/shard-{{shard}}"
    return FacetFiles(
        table=f"{made}.parquet",
        pictures=made if stage.has_pictures else "",
        rejected=f"{rejecting}.rejected.parquet",
        provenance=f"{rejecting}.provenance.json",
        provenance_of_split=f"{made}.provenance.json" if stage.of_split else "",
    )
