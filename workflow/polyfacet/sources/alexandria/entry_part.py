"""A file of entries as a part of a source."""

import gc
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from polyfacet.config.sample import Magnetization
from polyfacet.materials.material import Material
from polyfacet.sources.alexandria.entries import read_entries
from polyfacet.sources.alexandria.entry_keys import MislabelledEntry
from polyfacet.sources.alexandria.material import material_from_entry
from polyfacet.sources.items import Item, Rejected, shown_id
from polyfacet.sources.values import InvalidEntryError, shown


@dataclass(frozen=True)
class EntryPart:
    """All entries of one file.

    Parameters
    ----------
    path
        The file.
    magnetization, need_properties
        See `polyfacet.sources.alexandria.material.material_from_entry`.
    """

    path: Path
    magnetization: Magnetization = "absolute"
    need_properties: bool = True

    @property
    def label(self) -> str:
        """What is read, for messages about the progress."""
        return f"entries of {self.path.name}"

    def items(self) -> Iterator[Item]:
        """Yield the checked entries in the order of the file.

        Raises
        ------
        UserError
            If the file is damaged.
        """
        file = str(self.path)
        with _no_garbage_collection():
            for position, entry in read_entries(self.path):
                yield Item(file, position, self._checked(entry))

    def _checked(self, entry: Any) -> Material | Rejected:
        try:
            if isinstance(entry, MislabelledEntry):
                raise InvalidEntryError(
                    f"mat_id is {shown(entry.stated)}, but the entry's key is {shown(entry.key)}"
                )
            return material_from_entry(entry, self.magnetization, need_properties=self.need_properties)
        except InvalidEntryError as error:
            return Rejected(_stated_id(entry), str(error))


def _stated_id(entry: Any) -> str | None:
    """Return the identifier of an entry that failed its check, if it has one."""
    if isinstance(entry, MislabelledEntry):
        return shown_id(entry.stated)
    try:
        return shown_id(entry["data"]["mat_id"])
    except (TypeError, KeyError, IndexError):
        return None


@contextmanager
def _no_garbage_collection() -> Iterator[None]:
    """Rely on reference counts alone: JSON values contain no cycles, and searching for them takes time."""
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_enabled:
            gc.enable()
