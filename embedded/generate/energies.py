"""Formation energies and distances to the hull within one set of calculations."""

from collections.abc import Mapping
from functools import cached_property
from typing import Any

from pymatgen.analysis.phase_diagram import PDEntry, PhaseDiagram
from pymatgen.core import Composition


def symbols_of(composition: Composition) -> frozenset[str]:
    """Collect the element symbols of a composition."""
    return frozenset(element.symbol for element in composition.elements)


class Energies:
    """Energies of a set of compounds relative to each other.

    A phase diagram is built for each requested chemical system; a single one for all elements would
    be a convex hull in as many dimensions.

    Parameters
    ----------
    energies : mapping
        Identifier to composition of the cell and its total energy in eV, elements and compounds together.
    """

    def __init__(self, energies: Mapping[str, tuple[Composition, float]]) -> None:
        self.entries = {
            mat_id: PDEntry(composition, energy) for mat_id, (composition, energy) in energies.items()
        }
        self._diagrams: dict[frozenset[str], PhaseDiagram] = {}

    @cached_property
    def elements(self) -> frozenset[str]:
        """Elements with an elemental structure or molecule in the set."""
        return frozenset().union(
            *(
                symbols_of(entry.composition)
                for entry in self.entries.values()
                if entry.composition.is_element
            )
        )

    def _diagram(self, elements: frozenset[str]) -> PhaseDiagram:
        if elements not in self._diagrams:
            entries = self.entries.values()
            self._diagrams[elements] = PhaseDiagram(
                [entry for entry in entries if symbols_of(entry.composition) <= elements]
            )
        return self._diagrams[elements]

    def against_hull(self, mat_id: str) -> dict[str, Any]:
        """Return the energies of one compound relative to the elements and to the hull.

        Parameters
        ----------
        mat_id : str
            Identifier; each element of the compound must be among ``elements``.

        Returns
        -------
        dict
            ``e_form``, ``e_above_hull`` and ``e_phase_separation`` in eV/atom and the formulas of the phases
            on the hull at this composition (``decomposition``), as Alexandria names them. The phase
            separation energy of a stable compound is negative: its distance to the hull without the compound.

        Raises
        ------
        ValueError
            When the elements of the compound span no hull.
        """
        entry = self.entries[mat_id]
        diagram = self._diagram(symbols_of(entry.composition))
        phases, above_hull = diagram.get_decomp_and_e_above_hull(entry)
        # Without the element itself, there is no hull.
        separation = (
            above_hull
            if entry.composition.is_element
            else diagram.get_phase_separation_energy(entry, stable_only=False)
        )
        if phases is None or above_hull is None or separation is None:
            raise ValueError(f"{mat_id} has no decomposition on the hull of its elements")
        return {
            "e_form": float(diagram.get_form_energy_per_atom(entry)),
            "e_above_hull": float(above_hull),
            "e_phase_separation": float(separation),
            "decomposition": " ".join(sorted(phase.composition.reduced_formula for phase in phases)),
        }
