"""Tell apart structure files that have the same name, such as the POSCAR of each calculation."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

from polyfacet.sources.items import Part
from polyfacet.sources.structures.files import FilesPart
from polyfacet.sources.structures.names import without_ending

SEPARATOR = "-"


def with_distinct_ids(parts: Sequence[Part]) -> list[Part]:
    """Return parts of sources whose structure files have identifiers of their own.

    ``a/POSCAR`` and ``b/POSCAR`` become ``a-POSCAR`` and ``b-POSCAR``; ``NaCl.cif`` and ``NaCl.vasp`` of one
    folder keep their endings.  A file that is named twice keeps one identifier.
    """
    by_id: dict[str, dict[Path, None]] = {}
    for part in parts:
        for file in part.files if isinstance(part, FilesPart) else ():
            by_id.setdefault(file.stated_id, {})[file.path] = None
    renamed: dict[tuple[str, Path], str] = {}
    for stated_id, paths in by_id.items():
        if len(paths) > 1:
            renamed |= {(stated_id, path): name for path, name in _distinct_names(list(paths)).items()}
    return [_renamed(part, renamed) if renamed and isinstance(part, FilesPart) else part for part in parts]


def _renamed(part: FilesPart, names: dict[tuple[str, Path], str]) -> FilesPart:
    files = [
        replace(file, stated_id=names.get((file.stated_id, file.path), file.stated_id)) for file in part.files
    ]
    return replace(part, files=files)


def _distinct_names(paths: Sequence[Path]) -> dict[Path, str]:
    """Name files after as many of their folders as it takes to tell them apart."""
    absolute = dict.fromkeys(path.absolute() for path in paths)
    names = next(names for names in _candidates(list(absolute)) if len(set(names)) == len(names))
    by_path = dict(zip(absolute, names, strict=True))
    return {path: by_path[path.absolute()] for path in paths}


def _candidates(paths: Sequence[Path]) -> Iterator[list[str]]:
    """Yield names of files with more and more of their folders, first without endings."""
    for n_folders in range(max(len(path.parts) for path in paths)):
        folders = [path.parts[-n_folders - 1 : -1] for path in paths]
        for shown in (without_ending, str):
            names = [shown(path.name) for path in paths]
            yield [SEPARATOR.join([*above, name]) for above, name in zip(folders, names, strict=True)]
    yield list(map(str, paths))
