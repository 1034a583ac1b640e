"""Robocrystallographer without network access, and with words in the same order in every process."""

from collections.abc import Iterable
from typing import Any

from robocrys import StructureCondenser, StructureDescriber
from robocrys.condense import condenser
from robocrys.describe import describer

from polyfacet.runtime.upstream import written_for

written_for(__name__, "robocrys", "0.2.13")

__all__ = ["StructureCondenser", "StructureDescriber"]


class _NoNames:
    """Never names a molecule: with Open Babel, Robocrystallographer would query a web service."""

    def get_name_from_molecule_graph(self, _: object) -> None:
        return None


def _in_order(items: Iterable[Any]) -> list[Any]:
    """List items, sets in sorted order; the order of a set of words differs from process to process."""
    return sorted(items) if isinstance(items, set) else list(items)


# The two modules look up these global names.
vars(condenser)["MoleculeNamer"] = _NoNames
vars(describer)["list"] = _in_order
