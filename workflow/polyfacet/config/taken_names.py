"""Reserved names: columns of Polyfacet's own tables and words used in its results.

Most of these tables belong to packages that import the ones that reject the names, so the schemas cannot be
imported here; ``tests/unit/test_taken_names.py`` compares each list with the schemas.
"""

# In results: all objectives or classes, and no facet.
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
# Columns that a dataset adds to these and to the facets, and features of cells that are not facets.
OF_DATASETS = frozenset(("facets",))
OF_STATISTICS = frozenset(("composition_statistics",))
# Columns of what `polyfacet find` finds, and of examples of the engine joint.
OF_SEARCHES = frozenset(("difference", "query", "rank", "similarity"))
# Columns of the built-in facets.
OF_FACETS = frozenset(
    (
        "compimage",
        "compimage_sha256",
        "composition",
        "descriptors",
        "graph",
        "image",
        "image_sha256",
        "microstructure",
        "process",
        "text",
        "xrd",
    )
)

_EVERYWHERE = OF_RESULTS | OF_SPLITS | OF_DATASETS | OF_SEARCHES
TAKEN_BY_CRYSTALS = _EVERYWHERE | OF_CRYSTALS
TAKEN_BY_TABLES = _EVERYWHERE | OF_TABLES | OF_STATISTICS | OF_FACETS
# Facets are built for both; the registry of facets compares the facets' own names.
TAKEN_BY_COLUMNS = _EVERYWHERE | OF_CRYSTALS | OF_TABLES


def column_like_facet(facet: str) -> str | None:
    """Return a reserved column that a facet of this name would claim; None if there is none.

    All columns that begin with a facet's name and ``_`` belong to the facet.
    """
    alike = (name for name in TAKEN_BY_COLUMNS if name == facet or name.startswith(f"{facet}_"))
    return min(alike, default=None)
