"""Names that tell files apart, made of the names of the files and as many of their folders as it takes."""

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from pathlib import Path

SEPARATOR = "-"

# A name, and the file that it belongs to.
NamedFile = tuple[str, Path]


def distinct_names(
    named: Iterable[NamedFile], without_ending: Callable[[str], str]
) -> Mapping[NamedFile, str]:
    """Return other names for files that share theirs.

    The names do not depend on the order of the files, and none of them is that of another file.  A file that
    is given twice keeps one name.

    Parameters
    ----------
    named
        The files with their names.
    without_ending
        Function that removes the ending of the name of a file.

    Returns
    -------
    mapping of NamedFile to str
        A new name for each file whose name is shared.
    """
    by_name: dict[str, dict[Path, None]] = {}
    for name, path in named:
        by_name.setdefault(name, {})[path] = None
    places = {name: {path.absolute() for path in paths} for name, paths in by_name.items() if len(paths) > 1}
    shared = sorted(name for name, absolute in places.items() if len(absolute) > 1)
    taken = by_name.keys() - set(shared)
    renamed: dict[NamedFile, str] = {}
    for name in shared:
        absolute = sorted(places[name])
        candidates = _candidates(absolute, without_ending)
        found = next((names for names in candidates if _are_free(names, taken)), list(map(str, absolute)))
        taken.update(found)
        new = dict(zip(absolute, found, strict=True))
        renamed |= {(name, path): new[path.absolute()] for path in by_name[name]}
    return renamed


def _are_free(names: Sequence[str], taken: Collection[str]) -> bool:
    return len(set(names)) == len(names) and not any(name in taken for name in names)


def _candidates(paths: Sequence[Path], without_ending: Callable[[str], str]) -> Iterator[list[str]]:
    """Yield names of files with more and more of their folders, first without endings."""
    for n_folders in range(max(len(path.parts) for path in paths)):
        folders = [path.parts[-n_folders - 1 : -1] for path in paths]
        for shown in (without_ending, str):
            names = [shown(path.name) for path in paths]
            yield [SEPARATOR.join([*above, name]) for above, name in zip(folders, names, strict=True)]
