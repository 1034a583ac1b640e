"""Tell apart structure files that have the same name, such as the POSCAR of each calculation."""

from collections.abc import Mapping, Sequence
from dataclasses import replace

from polyfacet.sources.items import Part
from polyfacet.sources.structures.distinct_names import NamedFile, distinct_names
from polyfacet.sources.structures.files import FilesPart
from polyfacet.sources.structures.names import without_ending


def with_distinct_ids(parts: Sequence[Part]) -> list[Part]:
    """Return parts of sources whose structure files have identifiers of their own.

    ``a/POSCAR`` and ``b/POSCAR`` become ``a-POSCAR`` and ``b-POSCAR``; ``NaCl.cif`` and ``NaCl.vasp`` of one
    folder keep their endings.  A file that is named twice keeps one identifier.
    """
    of_files = [part for part in parts if isinstance(part, FilesPart)]
    named = ((file.stated_id, file.path) for part in of_files for file in part.files)
    renamed = distinct_names(named, without_ending)
    return [_renamed(part, renamed) if renamed and isinstance(part, FilesPart) else part for part in parts]


def _renamed(part: FilesPart, names: Mapping[NamedFile, str]) -> FilesPart:
    files = [
        replace(file, stated_id=names.get((file.stated_id, file.path), file.stated_id)) for file in part.files
    ]
    return replace(part, files=files)
