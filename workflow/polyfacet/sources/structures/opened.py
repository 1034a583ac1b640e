"""A source after it was opened: what is read in which part, and what is left out."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from polyfacet.materials.material import Material
from polyfacet.materials.stated_values import STATED_ID
from polyfacet.runtime.identifiers import usable_mat_id
from polyfacet.sources.items import Item, Part, Rejected, shown_id
from polyfacet.sources.listing import Listing
from polyfacet.sources.structures.crystals import Crystal, checked_crystal
from polyfacet.sources.values import InvalidEntryError


@dataclass(frozen=True)
class OpenedSource:
    """Parts of a source, and its files."""

    parts: Sequence[Part]
    listing: Listing


@dataclass(frozen=True)
class StatedItem:
    """A crystal or an invalid entry, and where it is.

    Parameters
    ----------
    source_file, position
        Where it is; see `polyfacet.sources.items.Item`.
    stated_id
        Its identifier, not checked yet.
    crystal
        What the source states of it, or why that cannot be read.
    """

    source_file: str
    position: int
    stated_id: object
    crystal: Crystal | InvalidEntryError


def checked_items(items: Iterator[StatedItem]) -> Iterator[Item]:
    """Check each crystal; those that fail become rejects."""
    for item in items:
        try:
            if isinstance(item.crystal, InvalidEntryError):
                raise item.crystal
            content = _checked(item.stated_id, item.crystal)
        except InvalidEntryError as error:
            yield Item(item.source_file, item.position, Rejected(shown_id(item.stated_id), str(error)))
        else:
            yield Item(item.source_file, item.position, content)


def _checked(stated_id: object, crystal: Crystal) -> Material:
    """Check a crystal; an identifier that cannot be a ``mat_id`` is replaced and kept in the data."""
    mat_id = usable_mat_id(stated_id) if isinstance(stated_id, str) else stated_id
    if mat_id != stated_id:
        crystal = replace(crystal, data={**crystal.data, STATED_ID: shown_id(stated_id)})
    return checked_crystal(mat_id, crystal)
