"""A plug-in facet of texts: a note on the structure."""

from pymatgen.core import Structure

from polyfacet.facets.declaration import Facet


def note(structure: Structure) -> str:
    """Name the elements, and say how many sites there are."""
    return f"{', '.join(sorted(structure.symbol_set))}: {len(structure)} sites"


NOTE = Facet("note", "note", "text", needs="structure", make=note)
