"""Names that are taken: columns of Polyfacet's own tables, and words of its results.

Most of these tables belong to packages that come after those that refuse the names, so that no schema can be
read here; ``tests/unit/test_taken_names.py`` compares each list with the schemas.
"""

# What stands in results for all objectives or classes, and for no facet.
OF_RESULTS = frozenset(("all", "none"))
# Columns of a sample of crystals, without objectives.
OF_CRYSTALS = frozenset(
    (
        "data",
        "formula",
        "mat_id",
        "n_sites",
        "prototype_id",
        "source_file",
        "source_position",
        "space_group",
        "structure",
        "volume",
    )
)
# Columns of the rows of a table, without objectives and facets.
OF_TABLES = frozenset(("formula", "line", "mat_id"))
OF_SPLITS = frozenset(("group", "mat_id", "part"))
# What a dataset adds to these and to the facets, and what cells see beside facets.
OF_DATASETS = frozenset(("facets",))
OF_STATISTICS = frozenset(("composition_statistics",))
# Columns of the facets that are built in.
OF_FACETS = frozenset(
    (
        "compimage",
        "compimage_sha256",
        "composition",
        "graph",
        "image",
        "image_sha256",
        "process",
        "text",
    )
)

_EVERYWHERE = OF_RESULTS | OF_SPLITS | OF_DATASETS
TAKEN_BY_CRYSTALS = _EVERYWHERE | OF_CRYSTALS
TAKEN_BY_TABLES = _EVERYWHERE | OF_TABLES | OF_STATISTICS | OF_FACETS
# Facets are of both; the registry of facets compares their own names.
TAKEN_BY_COLUMNS = _EVERYWHERE | OF_CRYSTALS | OF_TABLES


def column_like_facet(facet: str) -> str | None:
    """Name a column that a facet of some name would take; None if there is none.

    All columns that begin with a facet's name and ``_`` are the facet's.
    """
    alike = (name for name in TAKEN_BY_COLUMNS if name == facet or name.startswith(f"{facet}_"))
    return min(alike, default=None)
