"""Sources of the element table: a file, XenonPy's own data set, or a rebuild; the first one available."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pandas as pd

from polyfacet.facets.compimage.element_rebuild import rebuild_elements
from polyfacet.facets.compimage.element_table import check_elements
from polyfacet.runtime.errors import UserError
from polyfacet.runtime.files import sha256_of_file

# Path of the data of XenonPy 0.6.7, and the digest that XenonPy publishes for it (db_version 0.1.3).
XENONPY_TABLE = Path(".xenonpy") / "dataset" / "elements_completed.pd.xz"
XENONPY_SHA256 = "9a885ac06c99dd79e63bbb431f46d8131f078239a42df028edfe1052a45a2888"


@dataclass(frozen=True, eq=False)
class SourcedTable:
    """A checked element table, and the provenance that readers of the results need."""

    table: pd.DataFrame
    provenance: Mapping[str, Any] = field(default_factory=dict)


def load_element_table(source: Path | None, home: Path) -> SourcedTable:
    """Load the element table from the first of the three sources that is available.

    Parameters
    ----------
    source
        CSV with symbols in its first column, properties named as in `polyfacet.facets.compimage.properties`.
    home
        Home folder, in which XenonPy keeps its data set.

    Raises
    ------
    UserError
        If the named file is missing or not an element table, or if XenonPy's file is not the published one.
    """
    if source is not None:
        return _from_file(source)
    if (home / XENONPY_TABLE).is_file():
        return _from_xenonpy(home / XENONPY_TABLE)
    rebuilt = rebuild_elements()
    origin = {
        "source": "rebuilt",
        "versions": dict(rebuilt.versions),
        "imputed": rebuilt.imputed_elements(),
    }
    return SourcedTable(check_elements(rebuilt.table, "the rebuilt element table"), origin)


def _from_file(path: Path) -> SourcedTable:
    try:
        table = pd.read_csv(path, index_col=0)
    except (OSError, ValueError) as error:
        raise UserError(
            f"`composition.element_table` {path} cannot be read: {error}. Name a CSV, or null for none."
        ) from error
    origin = {"source": "file", "path": str(path), "sha256": sha256_of_file(path)}
    return SourcedTable(check_elements(table, str(path)), origin)


def _from_xenonpy(path: Path) -> SourcedTable:
    digest = sha256_of_file(path)
    if digest != XENONPY_SHA256:
        raise UserError(
            f"{path} is not the data set that XenonPy 0.6.7 publishes (SHA-256 {digest[:16]}... instead of "
            f"{XENONPY_SHA256[:16]}...) and was not opened. Remove it, or name a CSV in "
            f"`composition.element_table`."
        )
    # Reading a pickle can run code; the digest shows that this is the published file.
    table = pd.read_pickle(path, compression="xz")  # noqa: S301
    origin = {"source": "xenonpy", "path": str(path), "sha256": digest}
    return SourcedTable(check_elements(table, str(path)), origin)
