"""An objective in one file: the magnetic moment per atom."""

from polyfacet.materials.crystal_objectives import Calculation, CrystalObjective


def moment_per_atom(of: Calculation) -> float:
    """Return the absolute moment per atom, Bohr magnetons."""
    return abs(float(of.data["total_mag"])) / of.n_atoms


MOMENT = CrystalObjective(
    "mag_atom", "Moment", "uB/atom", "absolute moment per atom", moment_per_atom, lowest=0.0, highest=20.0
)
