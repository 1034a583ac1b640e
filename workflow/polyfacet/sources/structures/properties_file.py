"""Where the CSV of properties of a folder of structure files is."""

from pathlib import Path

from polyfacet.config.sources import Source
from polyfacet.sources.compression import ENDINGS
from polyfacet.sources.listing import is_folder

# The name that CGCNN and ALIGNN give to it; it may also be compressed.
ID_PROP = "id_prop.csv"


def properties_file(source: Source) -> Path | None:
    """Return the CSV of properties of a source; None if there is none."""
    path = Path(source.path)
    folder = path if is_folder(path) else path.parent
    if source.properties is False:
        return None
    if source.properties is None:
        usual = (folder / f"{ID_PROP}{ending}" for ending in ("", *ENDINGS))
        return next(filter(Path.is_file, usual), None) if is_folder(path) else None
    inside = folder / source.properties
    return inside if inside.is_file() else Path(source.properties)
