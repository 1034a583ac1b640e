"""Where the CSV of properties of a folder of structure files is."""

from pathlib import Path

from polyfacet.config.sources import Source
from polyfacet.sources.listing import is_folder

# The name that CGCNN and ALIGNN give to it.
ID_PROP = "id_prop.csv"


def properties_file(source: Source) -> Path | None:
    """Return the CSV of properties of a source; None if there is none."""
    path = Path(source.path)
    folder = path if is_folder(path) else path.parent
    if source.properties is None:
        usual = folder / ID_PROP
        return usual if is_folder(path) and usual.is_file() else None
    inside = folder / source.properties
    return inside if inside.is_file() else Path(source.properties)
